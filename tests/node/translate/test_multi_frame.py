"""A frame of a multi-frame object reads like the header of a classic image."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from highdicom.legacy import LegacyConvertedEnhancedMRImage
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_sequence

from node.errors import NotDicomError, UnusableStudyError
from node.scanner.dialect import Dialect, Form, Syntax, Vendor
from node.settings import DEFAULT_ACQUISITION
from node.translate import DecodedStudy, decode_study
from node.translate.headers import FrameHeader, read_headers
from node.translate.multi_frame import MAX_FRAMES
from node.translate.pixels import read_pixels
from node.translate.values import numbers_of, text_of
from node.translate.vendors import Meaning, private_number
from pipeline.findings import Code
from tests.fakes.exams import edit, series, write_small_exam

ENHANCED = Dialect(vendor=Vendor.UIH, form=Form.ENHANCED)
PHILIPS = Dialect(vendor=Vendor.PHILIPS, form=Form.ENHANCED)
CLASSIC_KEYWORDS = (
    "PatientID", "SeriesNumber", "Manufacturer", "StationName", "ProtocolName",
    "Rows", "Columns", "ImagePositionPatient",
    "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "AcquisitionDate",
    "AcquisitionTime", "EchoTime", "RepetitionTime", "FlipAngle", "MagneticFieldStrength",
    "ImagedNucleus", "ImagingFrequency", "MRAcquisitionType", "ScanningSequence",
)  # fmt: skip


def decode(files: Sequence[Path]) -> DecodedStudy:
    return decode_study(files, rules=DEFAULT_ACQUISITION)


def by_time(files: Sequence[Path]) -> list[FrameHeader]:
    found = [header for path in files for header in read_headers(path)]
    return sorted(
        found,
        key=lambda header: (
            text_of(header.dataset, "AcquisitionTime"),
            numbers_of(header.dataset, "ImagePositionPatient", 3) or (),
        ),
    )


def value(header: FrameHeader, keyword: str) -> object:
    """Numbers as they count, texts as they are written."""
    text = text_of(header.dataset, keyword)
    try:
        return [round(float(part), 4) for part in text.split()]
    except ValueError:
        return text


@pytest.mark.parametrize("form", [Form.ENHANCED, Form.LEGACY])
def test_frames_read_like_classic_images(form: Form, tmp_path: Path) -> None:
    one = write_small_exam(tmp_path / "a", dialect=Dialect(vendor=Vendor.UIH))
    other = write_small_exam(tmp_path / "b", dialect=Dialect(vendor=Vendor.UIH, form=form))
    classic = by_time(series(one, 12))
    frames = by_time(series(other, 12))
    assert len(frames) == len(classic)
    for keyword in CLASSIC_KEYWORDS:
        mine = [value(header, keyword) for header in frames]
        assert mine == [value(header, keyword) for header in classic], keyword


def test_every_frame_has_a_name_and_a_number_of_its_own(tmp_path: Path) -> None:
    (path,) = series(write_small_exam(tmp_path, dialect=ENHANCED), 12)
    headers = read_headers(path)
    assert [header.frame_number for header in headers] == list(range(1, 82))
    assert len({header.key for header in headers}) == 81
    assert [header.dataset.InstanceNumber for header in headers] == list(range(1, 82))
    assert {header.dataset.ReferencedFrameNumber for header in headers} == set(range(1, 82))
    assert len({header.dataset.AcquisitionTime for header in headers}) == 81


def test_frames_of_two_objects_of_a_series_have_different_numbers(tmp_path: Path) -> None:
    files = [*series(write_small_exam(tmp_path, dialect=ENHANCED), 12)]
    edit(files, lambda dataset: dataset.__setattr__("InstanceNumber", 2))
    numbers = [header.dataset.InstanceNumber for header in read_headers(files[0])]
    assert min(numbers) > 81
    assert all(second == first + 1 for first, second in pairwise(numbers))
    edit(files, lambda dataset: dataset.__setattr__("ConcatenationFrameOffsetNumber", 81))
    later = [header.dataset.InstanceNumber for header in read_headers(files[0])]
    assert not set(numbers) & set(later)


def test_one_frame_per_file_keeps_its_own_number(tmp_path: Path) -> None:
    dialect = Dialect(vendor=Vendor.SIEMENS, form=Form.ENHANCED)
    files = series(write_small_exam(tmp_path, dialect=dialect), 11)
    headers = [header for path in files for header in read_headers(path)]
    assert {header.frame_number for header in headers} == {None}
    assert len({header.dataset.InstanceNumber for header in headers}) == len(files)
    assert all("ReferencedFrameNumber" not in header.dataset for header in headers)


def test_objects_that_another_program_converted_are_the_same_exam(tmp_path: Path) -> None:
    """highdicom knows nothing of this node."""
    files = write_small_exam(tmp_path)
    converted = []
    for number in (11, 12):
        sources = [dcmread(path) for path in series(files, number)]
        whole = LegacyConvertedEnhancedMRImage(
            legacy_datasets=sources,
            series_instance_uid=sources[0].SeriesInstanceUID,
            series_number=number,
            sop_instance_uid=f"1.2.3.{number}",
            instance_number=1,
        )
        converted.append(tmp_path / f"{number}_whole.dcm")
        whole.save_as(converted[-1])
    one, other = decode(files).exams[0].exam, decode(converted).exams[0].exam
    assert other.arterial_input is not None
    assert one.arterial_input is not None
    pairs = zip(
        (*one.slices, one.arterial_input), (*other.slices, other.arterial_input), strict=True
    )
    for first, second in pairs:
        assert torch.equal(first.frames, second.frames)
        assert torch.equal(first.time_s, second.time_s)
        assert first.sequence == second.sequence


def test_a_file_is_read_once_for_all_its_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = series(write_small_exam(tmp_path, dialect=ENHANCED), 12)
    headers = read_headers(path)
    opened = []
    genuine = Path.open

    def count(self: Path, *args: str, **kwargs: str) -> object:
        opened.append(self)
        return genuine(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", count)
    backwards = read_pixels(headers[::-1])
    assert opened == [path]
    pixels = dcmread(path).pixel_array.astype(np.float32)
    for plane, frame in zip(backwards, pixels[::-1], strict=True):
        assert plane is not None
        assert np.array_equal(plane, frame)


def as_bytes(items: Sequence[Dataset]) -> bytes:
    stream = DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = True, True
    element = Dataset()
    element.add_new(0x00081140, "SQ", list(items))
    write_sequence(stream, element[0x00081140], ["iso8859"])
    return stream.getvalue()


def forget_private_kinds(dataset: Dataset) -> None:
    """Write private sequences of the frames as an archive keeps what it does not know."""
    for group in dataset.PerFrameFunctionalGroupsSequence:
        for element in list(group):
            if element.tag.is_private and element.VR == "SQ":
                group.add_new(element.tag, "UN", as_bytes(element.value))


def test_private_sequences_survive_an_archive_that_does_not_know_them(tmp_path: Path) -> None:
    files = series(write_small_exam(tmp_path, dialect=PHILIPS), 12)
    before = read_headers(files[0])
    edit(files, forget_private_kinds)
    after = read_headers(files[0])
    for meaning in (Meaning.SCALE_SLOPE, Meaning.DYNAMIC_BEGIN):
        expected = [private_number(header.dataset, meaning) for header in before]
        assert None not in expected
        assert [private_number(header.dataset, meaning) for header in after] == expected
    assert [value(header, "RescaleSlope") for header in after] == [
        value(header, "RescaleSlope") for header in before
    ]


def refusal(files: Sequence[Path]) -> UnusableStudyError:
    with pytest.raises(UnusableStudyError) as caught:
        decode(files)
    return caught.value


def lose_a_group(dataset: Dataset) -> None:
    del dataset.PerFrameFunctionalGroupsSequence[40]


def declare(count: int) -> Callable[[Dataset], None]:
    return lambda dataset: dataset.__setattr__("NumberOfFrames", count)


def lose_a_frame(dataset: Dataset) -> None:
    size = dataset.Rows * dataset.Columns * 2
    dataset.PixelData = dataset.PixelData[:-size]


def repeat_a_frame(dataset: Dataset) -> None:
    size = dataset.Rows * dataset.Columns * 2
    dataset.PixelData = dataset.PixelData[:size] + dataset.PixelData


def lose_a_fragment(dataset: Dataset) -> None:
    frames = list(generate_frames(dataset.PixelData, number_of_frames=81))
    del frames[40]
    dataset.PixelData = encapsulate(frames)


def repeat_a_fragment(dataset: Dataset) -> None:
    frames = list(generate_frames(dataset.PixelData, number_of_frames=81))
    dataset.PixelData = encapsulate([frames[0], *frames])


@pytest.mark.parametrize(
    "change", [lose_a_group, declare(80), declare(82), lose_a_frame, repeat_a_frame]
)
def test_wrong_frame_counts_are_an_incomplete_transfer(
    change: Callable[[Dataset], None], tmp_path: Path
) -> None:
    files = write_small_exam(tmp_path, dialect=ENHANCED)
    edit(series(files, 12), change)
    assert refusal(files).code is Code.INCOMPLETE_TRANSFER


@pytest.mark.parametrize("change", [lose_a_fragment, repeat_a_fragment, declare(80)])
@pytest.mark.parametrize("syntax", [Syntax.RLE, Syntax.JPEG_LS])
def test_wrong_counts_of_compressed_frames_are_an_incomplete_transfer(
    syntax: Syntax, change: Callable[[Dataset], None], tmp_path: Path
) -> None:
    """No frame is taken for its neighbour: none of the object is read."""
    dialect = Dialect(vendor=Vendor.UIH, form=Form.ENHANCED, syntax=syntax)
    files = write_small_exam(tmp_path, dialect=dialect)
    edit(series(files, 12), change)
    error = refusal(files)
    assert error.code is Code.INCOMPLETE_TRANSFER
    assert "81 of 108" in error.text


def test_an_absurd_number_of_frames_is_no_image(tmp_path: Path) -> None:
    files = series(write_small_exam(tmp_path, dialect=ENHANCED), 12)
    edit(files, declare(MAX_FRAMES + 1))
    with pytest.raises(NotDicomError):
        read_headers(files[0])


def test_a_frame_without_groups_has_no_place(tmp_path: Path) -> None:
    files = series(write_small_exam(tmp_path, dialect=ENHANCED), 12)
    edit(files, lose_a_group)
    *_, last = read_headers(files[0])
    assert last.frame_number == 81
    assert last.geometry is None
