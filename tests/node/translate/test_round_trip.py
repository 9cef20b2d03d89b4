"""Phantom exam -> files -> exam: nothing is lost but the rounding of the scanner."""

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from pydicom.dataset import Dataset

from models.phantom import PhantomExam, PhantomSeries, Protocol, make_exam
from node.scanner import write_exam
from node.scanner.plane import LONG_AXIS, short_axis_plane
from node.settings import DEFAULT_ACQUISITION
from node.translate import DecodedExam, decode_study
from pipeline.types import ImageSeries, PatientState
from tests.fakes.decoded import noticed
from tests.fakes.exams import edit, series, small_exam, write_small_exam


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_small_exam(tmp_path_factory.mktemp("exam"), with_localizer=True)


@pytest.fixture(scope="module")
def decoded(files: list[Path]) -> DecodedExam:
    study = decode_study(files, rules=DEFAULT_ACQUISITION)
    assert noticed(study) == ()
    (exam,) = study.exams
    return exam


def pairs(decoded: DecodedExam) -> list[tuple[ImageSeries, PhantomSeries]]:
    phantom = small_exam()
    assert decoded.exam.arterial_input is not None
    return [
        *zip(decoded.exam.slices, phantom.slices, strict=True),
        (decoded.exam.arterial_input, phantom.arterial_input),
    ]


def test_pixels_are_those_of_the_phantom_rounded_to_12_bits(decoded: DecodedExam) -> None:
    for image, phantom in pairs(decoded):
        assert image.frames.dtype == torch.float32
        assert torch.equal(image.frames, phantom.frames.round().clamp(0, 4095))


def test_times_are_those_of_the_phantom_to_the_microsecond(decoded: DecodedExam) -> None:
    start_s = min(phantom.time_s.min() for _, phantom in pairs(decoded))
    for image, phantom in pairs(decoded):
        torch.testing.assert_close(image.time_s, phantom.time_s - start_s, rtol=0, atol=1.01e-6)


def test_first_frame_of_the_exam_is_at_zero(decoded: DecodedExam) -> None:
    assert min(float(image.time_s[0]) for image, _ in pairs(decoded)) == 0.0


def test_geometry_is_the_plane_of_the_scanner_from_base_to_apex(decoded: DecodedExam) -> None:
    for image, phantom in pairs(decoded):
        shape = (phantom.frames.shape[1], phantom.frames.shape[2])
        plane = short_axis_plane(shape, phantom.spacing_mm, phantom.offset_mm)
        assert image.geometry.spacing_mm == phantom.spacing_mm
        assert image.geometry.thickness_mm == phantom.thickness_mm
        np.testing.assert_allclose(image.geometry.origin_mm, plane.origin_mm, atol=1e-6)
        np.testing.assert_allclose(image.geometry.row_direction, plane.row_direction, atol=1e-8)
        np.testing.assert_allclose(
            image.geometry.column_direction, plane.column_direction, atol=1e-8
        )
    heights = [np.array(item.geometry.origin_mm) @ LONG_AXIS for item in decoded.exam.slices]
    assert heights == sorted(heights)


def test_sequences_are_those_of_the_phantom(decoded: DecodedExam) -> None:
    for image, phantom in pairs(decoded):
        assert image.n_proton_density == phantom.n_proton_density == 3
        assert image.sequence is not None
        assert image.sequence.saturation_delay_s == pytest.approx(
            phantom.sequence.saturation_delay_s
        )
        assert image.sequence.readout == phantom.sequence.readout
        assert image.proton_density == phantom.proton_density


def test_state_and_field_are_found(decoded: DecodedExam) -> None:
    assert decoded.exam.state is PatientState.STRESS
    assert decoded.exam.field_strength_t == 3.0


def test_sources_stand_in_the_order_of_the_frames(decoded: DecodedExam) -> None:
    for sources, image in zip(decoded.sources.slices, decoded.exam.slices, strict=True):
        times = [float(source.AcquisitionTime) for source in sources]
        assert times == sorted(times)
        assert len(times) == image.frames.shape[0]
        assert all("PixelData" not in source for source in sources)
    assert len(decoded.sources.all) == 4 * 27


def test_order_and_repetition_of_the_files_do_not_matter(
    files: list[Path], decoded: DecodedExam, tmp_path: Path
) -> None:
    shuffled = [
        Path(shutil.copy(path, tmp_path / f"{index:05d}"))
        for index, path in enumerate(random.Random(1).sample(files, len(files)))
    ]
    again = decode_study([*shuffled, *files[::-1]], rules=DEFAULT_ACQUISITION)
    (other,) = again.exams
    for image, expected in zip(other.exam.slices, decoded.exam.slices, strict=True):
        assert torch.equal(image.frames, expected.frames)
        assert torch.equal(image.time_s, expected.time_s)
        assert image.geometry == expected.geometry
    assert [source.SOPInstanceUID for source in other.sources.all] == [
        source.SOPInstanceUID for source in decoded.sources.all
    ]


def test_instance_numbers_do_not_matter(tmp_path: Path, decoded: DecodedExam) -> None:
    files = write_small_exam(tmp_path)
    numbers = iter(random.Random(2).sample(range(1, 1000), len(files)))

    def renumber(dataset: Dataset) -> None:
        dataset.InstanceNumber = next(numbers)
        del dataset.SliceLocation

    edit(files, renumber)
    (other,) = decode_study(files, rules=DEFAULT_ACQUISITION).exams
    for image, expected in zip(other.exam.slices, decoded.exam.slices, strict=True):
        assert torch.equal(image.frames, expected.frames)


def test_stress_and_rest_of_one_study_are_two_exams(tmp_path: Path) -> None:
    files = [*write_small_exam(tmp_path, "rest"), *write_small_exam(tmp_path, "stress")]
    study = decode_study(files, rules=DEFAULT_ACQUISITION)
    assert [item.exam.state for item in study.exams] == [PatientState.STRESS, PatientState.REST]
    for item in study.exams:
        assert len(item.exam.slices) == 3
        assert item.exam.arterial_input is not None


def test_rescale_is_applied_image_by_image(tmp_path: Path, decoded: DecodedExam) -> None:
    files = write_small_exam(tmp_path)

    def rescale(dataset: Dataset) -> None:
        dataset.RescaleSlope = "0.5" if dataset.InstanceNumber % 2 else "2"
        dataset.RescaleIntercept = "-3"

    edit(files, rescale)
    (other,) = decode_study(files, rules=DEFAULT_ACQUISITION).exams
    sources, images = other.sources.slices[1], other.exam.slices[1].frames
    expected = decoded.exam.slices[1].frames
    for source, image, stored in zip(sources, images, expected, strict=True):
        slope = 0.5 if source.InstanceNumber % 2 else 2.0
        assert torch.equal(image, stored * slope - 3)


def test_progress_runs_from_nothing_to_all(files: list[Path]) -> None:
    seen: list[tuple[str, float]] = []
    decode_study(
        files,
        rules=DEFAULT_ACQUISITION,
        progress=lambda stage, fraction: seen.append((stage, fraction)),
    )
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions)
    assert fractions[0] >= 0
    assert fractions[-1] < 1
    assert {stage for stage, _ in seen} == {"reading headers", "reading images"}


def test_a_slice_series_per_slice_is_the_same_exam(tmp_path: Path, decoded: DecodedExam) -> None:
    files = write_small_exam(tmp_path)

    def split(dataset: Dataset) -> None:
        part = int(dataset.InstanceNumber) % 3
        dataset.SeriesInstanceUID = f"{dataset.SeriesInstanceUID[:60]}.{part}"
        dataset.SeriesNumber = 30 + part

    edit(series(files, 12), split)
    (other,) = decode_study(files, rules=DEFAULT_ACQUISITION).exams
    for image, expected in zip(other.exam.slices, decoded.exam.slices, strict=True):
        assert torch.equal(image.frames, expected.frames)


def two_echoes() -> PhantomExam:
    protocol = Protocol(
        matrix=(48, 40),
        spacing_mm=6.0,
        arterial_matrix=(16, 20),
        n_saturation_recovery=24,
        n_slices=1,
        arterial_second_echo_time_s=0.0017,
    )
    return make_exam(3, protocol=protocol)


@pytest.mark.parametrize("is_split", [False, True], ids=["one series", "two series"])
def test_a_second_echo_of_the_arterial_input_is_kept_apart(tmp_path: Path, is_split: bool) -> None:
    phantom = two_echoes()
    files = write_exam(phantom, tmp_path)

    def split(dataset: Dataset) -> None:
        if str(dataset.EchoNumbers) == "2":
            dataset.SeriesInstanceUID = f"{dataset.SeriesInstanceUID[:60]}.2"
            dataset.SeriesNumber = 40

    if is_split:
        edit(series(files, 11), split)
    study = decode_study(files, rules=DEFAULT_ACQUISITION)
    assert noticed(study) == ()
    (item,) = study.exams
    first, second = item.exam.arterial_input, item.exam.arterial_second_echo
    later = phantom.arterial_input_second_echo
    assert first is not None
    assert second is not None
    assert later is not None
    assert torch.equal(first.frames, phantom.arterial_input.frames.round().clamp(0, 4095))
    assert torch.equal(second.frames, later.frames.round().clamp(0, 4095))
    assert torch.equal(first.time_s, second.time_s)
    assert second.n_proton_density == first.n_proton_density == 3
    assert second.sequence is not None
    assert second.sequence.readout == later.sequence.readout
    assert [float(source.EchoTime) for source in item.sources.second_echo] == [1.7] * 27
    assert len(item.sources.all) == 3 * 27


def test_an_echo_of_other_beats_is_no_second_echo(tmp_path: Path) -> None:
    files = write_exam(two_echoes(), tmp_path)
    lost = series(files, 11)[1:5:2]
    kept = [path for path in files if path not in lost]
    (item,) = decode_study(kept, rules=DEFAULT_ACQUISITION).exams
    assert item.exam.arterial_input is not None
    assert item.exam.arterial_second_echo is None
