"""The virtual scanner writes what a Siemens scanner would, and the same every time."""

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import FileDataset

from models.phantom import Protocol, make_exam
from models.physics import (
    BalancedSteadyState,
    EchoPlanarGradientEcho,
    Readout,
    SaturationRecovery,
)
from node.scanner import VirtualPatient, write_exam
from node.scanner.plane import LONG_AXIS, short_axis_plane
from tests.fakes.exams import series, small_exam, write_small_exam


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("scan")
    return write_exam(small_exam(), folder, with_localizer=True)


@pytest.fixture(scope="module")
def images(files: list[Path]) -> list[FileDataset]:
    return [dcmread(path) for path in files]


def test_every_series_is_written(files: list[Path]) -> None:
    assert [len(series(files, number)) for number in (1, 11, 12)] == [3, 27, 81]
    assert all(path.is_file() for path in files)


def test_equal_exams_are_written_as_equal_bytes(files: list[Path], tmp_path: Path) -> None:
    again = write_exam(small_exam(), tmp_path, with_localizer=True)
    assert [path.name for path in again] == [path.name for path in files]
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in files]


def test_identifiers_are_valid_and_distinct(images: list[FileDataset]) -> None:
    assert len({image.SOPInstanceUID for image in images}) == len(images)
    assert len({image.SeriesInstanceUID for image in images}) == 3
    assert len({image.StudyInstanceUID for image in images}) == 1
    for image in images:
        for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
            assert image[keyword].value.is_valid
        assert image.file_meta.MediaStorageSOPInstanceUID == image.SOPInstanceUID


def test_pixels_are_twelve_bit_magnitudes(images: list[FileDataset]) -> None:
    for image in images:
        assert (image.BitsAllocated, image.BitsStored, image.HighBit) == (16, 12, 11)
        assert image.pixel_array.max() <= 4095
    frames = small_exam().slices[1].frames.round().numpy()
    second_slice = [image for image in images if image.SeriesNumber == 12][1::3]
    for image, frame in zip(second_slice, frames, strict=True):
        np.testing.assert_array_equal(image.pixel_array, frame.clip(0, 4095))


def test_the_habits_of_the_vendor_are_there(images: list[FileDataset]) -> None:
    slices = [image for image in images if image.SeriesNumber == 12]
    assert {float(image.InversionTime) for image in slices} == {110.0}
    assert {str(image.ScanningSequence) for image in slices} == {"GR"}
    assert {float(image.RepetitionTime) for image in slices} == {158.0}  # the whole shot
    assert len({float(image.TriggerTime) for image in slices}) == 3  # one per slice
    assert len({image.AcquisitionTime for image in slices}) == 81  # one per image
    assert all(len(image.AcquisitionTime) == 13 for image in slices)  # to the microsecond
    assert not any("NumberOfTemporalPositions" in image for image in slices)
    block = slices[0].private_block(0x0019, "SIEMENS MR HEADER")
    assert float(block[0x16].value) == pytest.approx(float(small_exam().slices[0].time_s[0]))


def test_beats_are_declared_on_demand(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, declares_beats=True)
    images = [dcmread(path, stop_before_pixels=True) for path in series(files, 12)]
    assert {image.NumberOfTemporalPositions for image in images} == {27}
    assert [image.TemporalPositionIdentifier for image in images[::3]] == list(range(1, 28))


def test_the_short_axis_is_oblique_and_seen_from_the_apex() -> None:
    plane = short_axis_plane((10, 20), (2.0, 3.0), 15.0)
    normal = np.cross(plane.row_direction, plane.column_direction)
    np.testing.assert_allclose(normal, -LONG_AXIS, atol=1e-12)
    assert plane.row_direction[0] > 0  # patient's left is on the right of the image
    assert plane.column_direction[2] < 0  # feet are below
    shifted = short_axis_plane((10, 20), (2.0, 3.0), 0.0)
    np.testing.assert_allclose(plane.origin_mm - shifted.origin_mm, 15 * LONG_AXIS, atol=1e-9)


def test_states_of_a_patient_share_the_study_and_nothing_else(tmp_path: Path) -> None:
    stress = [dcmread(path) for path in write_small_exam(tmp_path / "s", "stress")]
    rest = [dcmread(path) for path in write_small_exam(tmp_path / "r", "rest")]
    assert {image.StudyInstanceUID for image in stress} == {
        image.StudyInstanceUID for image in rest
    }
    for keyword in ("SeriesInstanceUID", "SOPInstanceUID", "SeriesNumber"):
        first = {image[keyword].value for image in stress}
        assert first.isdisjoint(image[keyword].value for image in rest)


def test_another_patient_is_another_study(tmp_path: Path) -> None:
    other = VirtualPatient.from_seed(99)
    first = dcmread(write_small_exam(tmp_path / "a", n_slices=1)[0])
    second = dcmread(write_small_exam(tmp_path / "b", n_slices=1, patient=other)[0])
    assert first.StudyInstanceUID != second.StudyInstanceUID
    assert second.PatientID == "PHANTOM-000099"
    assert second.PatientName == "Phantom^Perfusion"


def test_progress_is_told(tmp_path: Path) -> None:
    seen: list[float] = []
    write_exam(small_exam("stress", 1), tmp_path, progress=lambda _, part: seen.append(part))
    assert seen == sorted(seen)
    assert len(seen) == 54


def test_two_echoes_of_a_beat_follow_one_another(tmp_path: Path) -> None:
    protocol = Protocol(
        matrix=(48, 40),
        spacing_mm=6.0,
        arterial_matrix=(16, 20),
        n_saturation_recovery=8,
        n_proton_density=0,
        n_slices=1,
        agent="gadoterate",
        arterial_second_echo_time_s=0.0017,
    )
    images = [
        dcmread(path) for path in series(write_exam(make_exam(3, protocol=protocol), tmp_path), 11)
    ]
    assert [str(image.EchoNumbers) for image in images] == ["1", "2"] * 8
    assert [float(image.EchoTime) for image in images[:2]] == [0.7, 1.7]
    assert images[0].AcquisitionTime == images[1].AcquisitionTime
    assert {image.ContrastBolusAgent for image in images} == {"Gadoterate"}


@pytest.mark.parametrize(
    ("readout", "sequence", "variant"),
    [
        (
            EchoPlanarGradientEcho(
                repetition_time_s=0.0068,
                echo_time_s=0.0031,
                flip_angle_rad=0.4,
                pulses_before_centre=9,
                echo_train_length=4,
                echo_spacing_s=0.0012,
            ),
            ["GR", "EP"],
            ["SP", "MP"],
        ),
        (
            BalancedSteadyState(
                repetition_time_s=0.0028, flip_angle_rad=0.8, pulses_before_centre=18
            ),
            "GR",
            ["SS", "MP"],
        ),
    ],
)
def test_other_readouts_are_named(
    readout: Readout, sequence: str | list[str], variant: list[str], tmp_path: Path
) -> None:
    protocol = Protocol(
        matrix=(48, 40),
        spacing_mm=6.0,
        arterial_matrix=(16, 20),
        n_saturation_recovery=2,
        n_slices=1,
        perfusion=SaturationRecovery(
            saturation_delay_s=0.05, residual_fraction=0.0, readout=readout
        ),
    )
    exam = make_exam(3, protocol=protocol)
    image = dcmread(series(write_exam(exam, tmp_path), 12)[0])
    assert image.ScanningSequence == sequence
    assert image.SequenceVariant == variant
    half_s = exam.slices[0].sequence.saturation_time_s + readout.time_to_centre_s
    assert float(image.RepetitionTime) == pytest.approx(1e3 * half_s)
