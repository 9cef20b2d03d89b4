"""The habits of each vendor are where a converter meets them, and others can read every file."""

import subprocess
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import generate_frames

from node.cli import simulate
from node.scanner import Dialect, Form, Syntax, Vendor, write_exam
from tests.fakes.exams import series, small_exam, write_small_exam

N_BEATS = 27
NOT_NATIVE = [syntax for syntax in Syntax if syntax is not Syntax.EXPLICIT]
DCMTK = {
    Syntax.IMPLICIT: "dcmconv",
    Syntax.DEFLATED: "dcmconv",
    Syntax.RLE: "dcmdrle",
    Syntax.JPEG_LS: "dcmdjpls",
    Syntax.JPEG_LOSSLESS: "dcmdjpeg",
}
"""Which program of dcmtk makes explicit little endian of it; it has none for JPEG 2000."""


def images(folder: Path, vendor: Vendor, form: Form = Form.CLASSIC) -> list[FileDataset]:
    """Return the perfusion series of a small exam of two slices, as files."""
    dialect = Dialect(vendor=vendor, form=form)
    files = write_small_exam(folder, n_slices=2, dialect=dialect)
    return [dcmread(path) for path in series(files, 12)]


def frames_of(dataset: Dataset) -> Iterator[Dataset]:
    yield from dataset.PerFrameFunctionalGroupsSequence


def times_s() -> np.ndarray:
    """Return the times of the phantom. Shape `(time, slice)`."""
    return torch.stack([item.time_s for item in small_exam("stress", 2).slices], dim=1).numpy()


def test_philips_shares_the_time_of_a_dynamic_and_shuffles_numbers(tmp_path: Path) -> None:
    files = images(tmp_path, Vendor.PHILIPS)
    assert len({image.AcquisitionTime for image in files}) == N_BEATS
    assert all(len(image.AcquisitionTime) == len("hhmmss.ff") for image in files)
    by_place = sorted(files, key=lambda image: float(image.private_block(*PHILIPS_MR)[0xA0].value))
    assert [image.InstanceNumber for image in by_place] != list(range(1, 2 * N_BEATS + 1))
    begun = [float(image.private_block(*PHILIPS_MR)[0xA0].value) for image in by_place]
    delays = [float(image.TriggerTime) / 1e3 for image in by_place]
    np.testing.assert_allclose(np.sort(times_s().ravel()), np.add(begun, delays), atol=1e-5)


PHILIPS_MR = (0x2005, "Philips MR Imaging DD 001")


def test_philips_tells_the_signal_by_two_slopes(tmp_path: Path) -> None:
    phantom = small_exam("stress", 2).slices
    largest = set()
    for image in images(tmp_path, Vendor.PHILIPS):
        scale = float(image.private_block(*PHILIPS_MR)[0x0E].value)
        slope, intercept = float(image.RescaleSlope), float(image.RescaleIntercept)
        signal = (image.pixel_array * slope + intercept) / (slope * scale)
        stack = int(image.private_block(0x2001, "Philips Imaging DD 001")[0x0A].value) - 1
        frame = phantom[stack].frames[image.TemporalPositionIdentifier - 1].numpy()
        np.testing.assert_allclose(signal, frame, rtol=1e-6, atol=0.5 / scale + 1e-3)
        largest.add(round(slope, 6))
    assert len(largest) > N_BEATS  # a slope of its own for every frame


def test_philips_keeps_a_frame_in_a_private_sequence(tmp_path: Path) -> None:
    (whole,) = images(tmp_path, Vendor.PHILIPS, Form.ENHANCED)
    for group in frames_of(whole):
        (own,) = group.private_block(0x2005, "Philips MR Imaging DD 005")[0x0F].value
        assert own.private_block(*PHILIPS_MR)[0x0E].VR == "FL"
        public = np.array(group.PlanePositionSequence[0].ImagePositionPatient, dtype=float)
        apart = np.array(own.ImagePositionPatient, dtype=float) - public
        assert np.linalg.norm(apart) == pytest.approx(np.hypot(3.0, 3.0))  # half a pixel of 6 mm
    assert "InversionTimes" not in str(whole)
    delay = own.private_block(0x2001, "Philips Imaging DD 001")[0x1B].value
    assert delay == pytest.approx(110.0)


def test_ge_has_one_acquisition_time_and_trigger_times_that_add_up(tmp_path: Path) -> None:
    files = images(tmp_path, Vendor.GE)
    assert {image.AcquisitionTime for image in files} == {"102000"}
    assert {str(image.MagneticFieldStrength) for image in files} == {"30000"}
    assert {image.PixelRepresentation for image in files} == {1}
    triggers = np.array([float(image.TriggerTime) for image in files]) / 1e3
    timers = [float(i.private_block(0x0021, "GEMS_RELA_01")[0x5E].value) for i in files]
    by_slice = times_s().T.ravel()  # numbered slice after slice
    order = np.argsort([image.InstanceNumber for image in files])
    np.testing.assert_allclose(triggers[order], by_slice, atol=6e-5)
    np.testing.assert_allclose(np.array(timers)[order], by_slice, atol=6e-5)


def test_canon_leaves_out_what_others_tell(tmp_path: Path) -> None:
    for image in images(tmp_path / "classic", Vendor.CANON):
        assert not {"NominalInterval", "InversionTime", "SliceLocation"} & set(image.dir())
        assert image["TriggerTime"].is_empty
        assert image.private_block(0x700D, "CANON_MEC_MR3^10")[0x1B].value == 110
    (whole,) = images(tmp_path / "enhanced", Vendor.CANON, Form.ENHANCED)
    contents = [group.FrameContentSequence[0] for group in frames_of(whole)]
    assert {content.TemporalPositionIndex for content in contents} == {1}
    assert len({content.FrameAcquisitionDateTime for content in contents}) == 2 * N_BEATS
    assert list(whole.ImageType) == ["ORIGINAL", "PRIMARY", "STRESS", "NONE"]


def test_united_imaging_says_all_in_public(tmp_path: Path) -> None:
    files = images(tmp_path, Vendor.UIH)
    assert len({image.AcquisitionTime for image in files}) == 2 * N_BEATS
    counts = [int(i.private_block(0x0065, "Image Private Header")[0x2C].value) for i in files]
    assert sorted(counts) == sorted(2 * list(range(N_BEATS)))


def test_siemens_x_writes_one_object_per_frame(tmp_path: Path) -> None:
    files = images(tmp_path, Vendor.SIEMENS, Form.ENHANCED)
    assert len(files) == 2 * N_BEATS
    assert {whole.NumberOfFrames for whole in files} == {1}
    assert len({whole.SOPInstanceUID for whole in files}) == len(files)
    started = []
    for whole in files:
        group = whole.PerFrameFunctionalGroupsSequence[0]
        (own,) = group.private_block(0x0021, "SIEMENS MR SDI 02")[0xFE].value
        started.append(float(own.private_block(0x0021, "SIEMENS MR SDI 02")[0x04].value))
    np.testing.assert_allclose(started, times_s().ravel(), atol=1e-6)


@pytest.mark.parametrize("form", [Form.ENHANCED, Form.LEGACY])
@pytest.mark.parametrize("vendor", Vendor)
def test_multi_frame_objects_are_valid(
    vendor: Vendor, form: Form, program: Callable[[str], str], tmp_path: Path
) -> None:
    files = write_small_exam(tmp_path, n_slices=1, dialect=Dialect(vendor=vendor, form=form))
    name = "EnhancedMRImage" if form is Form.ENHANCED else "LegacyConvertedEnhancedMRImage"
    for path in (series(files, 11)[0], series(files, 12)[0]):
        command = [program("dciodvfy"), "-new", str(path)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        lines = (run.stdout + run.stderr).splitlines()
        assert any(line.startswith(name) for line in lines), lines
        assert [line for line in lines if "error" in line.lower()] == []


@pytest.mark.parametrize("syntax", NOT_NATIVE)
def test_programs_of_others_find_the_same_pixels(
    syntax: Syntax, program: Callable[[str], str], tmp_path: Path
) -> None:
    """Signed and unsigned ones, one frame and many."""
    for vendor, form in ((Vendor.GE, Form.CLASSIC), (Vendor.UIH, Form.ENHANCED)):
        plain = Dialect(vendor=vendor, form=form)
        native = write_small_exam(tmp_path / "native", n_slices=1, dialect=plain)[-1]
        dialect = Dialect(vendor=vendor, form=form, syntax=syntax)
        path = write_small_exam(tmp_path / syntax, n_slices=1, dialect=dialect)[-1]
        dataset = dcmread(path)
        assert dataset.file_meta.TransferSyntaxUID != dcmread(native).file_meta.TransferSyntaxUID
        if syntax in DCMTK:
            result = tmp_path / "result.dcm"
            subprocess.run([program(DCMTK[syntax]), "+te", str(path), str(result)], check=True)
            pixels = dcmread(result).PixelData
        else:
            pixels = b"".join(decoded_by_pillow(dataset))
        assert pixels == dcmread(native).PixelData


def decoded_by_pillow(dataset: Dataset) -> Iterator[bytes]:
    count = int(dataset.get("NumberOfFrames", 1))
    # Pillow lifts signed values and fills all 16 bits.
    zero, shift = 0x8000 * dataset.PixelRepresentation, 16 - dataset.BitsStored
    for stream in generate_frames(dataset.PixelData, number_of_frames=count):
        grey = np.asarray(Image.open(BytesIO(stream))).astype(np.int32)
        yield ((grey - zero) >> shift).astype("<u2").tobytes()


@pytest.mark.parametrize("form", Form)
def test_order_changes_but_not_what_there_is(form: Form, tmp_path: Path) -> None:
    plain = Dialect(vendor=Vendor.UIH, form=form)
    shuffled = Dialect(vendor=Vendor.UIH, form=form, is_shuffled=True)
    first = [dcmread(path) for path in write_small_exam(tmp_path / "a", n_slices=1, dialect=plain)]
    second = [
        dcmread(path) for path in write_small_exam(tmp_path / "b", n_slices=1, dialect=shuffled)
    ]
    assert {item.SOPInstanceUID for item in first} == {item.SOPInstanceUID for item in second}
    if form is Form.CLASSIC:
        numbers = [item.InstanceNumber for item in second if item.SeriesNumber == 12]
        assert numbers != sorted(numbers)
    if form is Form.ENHANCED:
        other = next(item for item in second if item.SeriesNumber == 12)
        times = [g.FrameContentSequence[0].FrameAcquisitionDateTime for g in frames_of(other)]
        assert times != sorted(times)


@pytest.mark.parametrize("form", Form)
def test_equal_dialects_are_written_as_equal_bytes(form: Form, tmp_path: Path) -> None:
    dialect = Dialect(vendor=Vendor.PHILIPS, form=form, syntax=Syntax.RLE)
    first = write_small_exam(tmp_path / "a", n_slices=1, dialect=dialect)
    second = write_exam(small_exam("stress", 1), tmp_path / "b", dialect=dialect)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_proton_density_may_be_series_of_their_own(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, dialect=Dialect(has_proton_density_series=True))
    assert [len(series(files, number)) for number in (11, 12, 13, 14)] == [24, 72, 3, 9]
    image = dcmread(series(files, 14)[0])
    assert image.SeriesDescription == "stress_perf_tfl_sr_sax_PD"
    assert float(image.FlipAngle) == 5
    assert "InversionTime" not in image


def test_the_command_offers_every_dialect() -> None:
    assert get_args(simulate.VendorName) == tuple(Vendor)
    assert get_args(simulate.FormName) == tuple(Form)
    assert get_args(simulate.SyntaxName) == tuple(Syntax)
