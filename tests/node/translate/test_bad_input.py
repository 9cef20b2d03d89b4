"""Input that is wrong ends in a clear text and a reason code, never in a stack trace."""

import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
import torch
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    CTImageStorage,
    EnhancedMRImageStorage,
    ImplicitVRLittleEndian,
    RawDataStorage,
    SecondaryCaptureImageStorage,
)

from node.errors import NotDicomError, TransientError, UnusableStudyError
from node.scanner import VirtualPatient
from node.settings import DEFAULT_ACQUISITION, AcquisitionRule, ResultsSettings
from node.translate import (
    DecodedStudy,
    decode_study,
    encode_failure_page,
    find_reference,
    to_bytes,
)
from node.translate.account import Origin
from node.translate.encode_series import encode_corrected
from node.translate.headers import read_headers
from pipeline.findings import Code, Grade
from pipeline.types import PatientState
from tests.fakes.decoded import noticed
from tests.fakes.exams import PAGE, STAMP, edit, series, unmoved, write_small_exam


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return write_small_exam(tmp_path)


def decode(files: list[Path]) -> DecodedStudy:
    return decode_study(files, rules=DEFAULT_ACQUISITION)


def refusal(files: list[Path]) -> UnusableStudyError:
    with pytest.raises(UnusableStudyError) as caught:
        decode(files)
    return caught.value


@pytest.mark.parametrize("content", [b"", b"hello", b"\0" * 128 + b"DICM", b"\xff" * 5000])
def test_what_is_not_dicom_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "junk"
    path.write_bytes(content)
    with pytest.raises(NotDicomError):
        read_headers(path)[0]
    assert refusal([path]).code is Code.NO_PERFUSION_SERIES
    assert find_reference([path]) is None


def test_no_file_at_all_is_refused() -> None:
    assert refusal([]).code is Code.NO_PERFUSION_SERIES


def test_a_missing_file_is_transient(tmp_path: Path) -> None:
    with pytest.raises(TransientError):
        read_headers(tmp_path / "gone.dcm")[0]


def test_every_cut_of_a_file_is_noticed(tmp_path: Path) -> None:
    files = series(write_small_exam(tmp_path, n_slices=1), 12)
    image = files[20]
    whole = image.read_bytes()
    for length in [*range(1, 2600, 260), len(whole) - 1]:
        image.write_bytes(whole[:length])
        try:
            findings = noticed(decode(files))
        except UnusableStudyError as error:
            assert error.code is not Code.NO_PERFUSION_SERIES  # noqa: PT017 - either is right
        else:
            assert findings


def test_junk_beside_an_exam_is_remarked(files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("not an image")
    study = decode([*files, tmp_path / "readme.txt"])
    assert len(study.exams) == 1
    (finding,) = noticed(study)
    assert (finding.code, finding.grade) == (Code.INCOMPLETE_TRANSFER, Grade.REVIEW)
    assert "1 of 109 files" in finding.text


@pytest.mark.parametrize(
    "keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"]
)
def test_missing_identifiers_are_not_dicom(keyword: str, files: list[Path]) -> None:
    edit(files[:1], lambda dataset: dataset.__delattr__(keyword))
    with pytest.raises(NotDicomError):
        read_headers(files[0])[0]
    assert noticed(decode(files))[0].code is Code.INCOMPLETE_TRANSFER


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.__delattr__("PixelData"),
        lambda data: data.__setattr__("PixelData", b""),
        lambda data: data.__setattr__("PixelData", data.PixelData[:-2]),
    ],
)
def test_missing_pixels_are_counted(damage: Callable[[Dataset], None], files: list[Path]) -> None:
    damaged = series(files, 12)[4:6]
    edit(damaged, damage)
    error = refusal(files)
    assert error.code is Code.INCOMPLETE_TRANSFER
    assert "2 of 108" in error.text


def test_all_pixels_missing_says_so(files: list[Path]) -> None:
    edit(files, lambda dataset: dataset.__delattr__("PixelData"))
    error = refusal(files)
    assert error.code is Code.INCOMPLETE_TRANSFER
    assert "108 of 108" in error.text


def test_file_cut_inside_the_pixels_is_counted(files: list[Path]) -> None:
    path = series(files, 12)[3]
    path.write_bytes(path.read_bytes()[:-500])
    error = refusal(files)
    assert error.code is Code.INCOMPLETE_TRANSFER
    assert "1 of 108" in error.text


@pytest.mark.parametrize(
    "sop_class", [CTImageStorage, RawDataStorage, SecondaryCaptureImageStorage]
)
def test_other_classes_are_passed_over(sop_class: str, files: list[Path]) -> None:
    edit(series(files, 11), lambda dataset: dataset.__setattr__("SOPClassUID", sop_class))
    study = decode(files)
    assert study.exams[0].exam.arterial_input is None
    edit(series(files, 12), lambda dataset: dataset.__setattr__("SOPClassUID", sop_class))
    assert refusal(files).code is Code.NO_PERFUSION_SERIES


def test_a_multi_frame_object_without_groups_reads_like_a_classic_one(files: list[Path]) -> None:
    expected = decode(files).exams[0].exam.arterial_input
    assert expected is not None
    edit(
        series(files, 11),
        lambda dataset: dataset.__setattr__("SOPClassUID", EnhancedMRImageStorage),
    )
    study = decode(files)
    assert noticed(study) == ()
    assert study.exams[0].exam.arterial_input is not None
    assert torch.equal(study.exams[0].exam.arterial_input.frames, expected.frames)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("PatientID", "OTHER"), ("PatientName", "Somebody^Else"), ("PatientBirthDate", "19700101")],
)
def test_two_patients_under_one_study_are_refused(
    keyword: str, value: str, files: list[Path]
) -> None:
    edit(files[5:9], lambda dataset: dataset.__setattr__(keyword, value))
    error = refusal(files)
    assert error.code is Code.TECHNICAL_ERROR
    assert "two patients" in error.text
    assert value not in str(error)


def test_the_same_name_written_differently_is_one_patient(files: list[Path]) -> None:
    edit(files[5:9], lambda dataset: dataset.__setattr__("PatientName", "PHANTOM^PERFUSION^^"))
    assert len(decode(files).exams) == 1


def test_two_studies_are_refused(tmp_path: Path, files: list[Path]) -> None:
    others = write_small_exam(tmp_path / "other", patient=VirtualPatient.from_seed(77))
    assert "more than one study" in refusal([*files, *others]).text


def turn(dataset: Dataset) -> None:
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]


def coarsen(dataset: Dataset) -> None:
    dataset.PixelSpacing = [5, 5]


def shrink(dataset: Dataset) -> None:
    dataset.Rows = 40


@pytest.mark.parametrize("change", [turn, coarsen, shrink])
def test_mixed_geometry_is_refused(change: Callable[[Dataset], None], files: list[Path]) -> None:
    edit(series(files, 12)[10:40], change)
    error = refusal(files)
    assert error.code is Code.FEW_SLICES
    assert "mixes image geometries" in error.text


@pytest.mark.parametrize("change", [turn, coarsen, lambda data: data.__setattr__("Rows", 4000)])
def test_a_few_images_of_another_geometry_are_left_out(
    change: Callable[[Dataset], None], files: list[Path]
) -> None:
    edit(series(files, 12)[10:14], change)
    study = decode(files)
    assert sorted(len(item) for item in study.exams[0].sources.slices) == [25, 26, 26]
    (finding,) = noticed(study)
    assert (finding.code, finding.grade) == (Code.INCOMPLETE_TRANSFER, Grade.REVIEW)
    assert "4 images of series 12" in finding.text


def test_a_run_of_mixed_geometry_does_not_stop_the_other(tmp_path: Path, files: list[Path]) -> None:
    rest = write_small_exam(tmp_path, "rest")
    edit(series(rest, 22)[10:40], turn)
    study = decode([*files, *rest])
    assert [item.exam.state for item in study.exams] == [PatientState.STRESS]
    (finding,) = noticed(study)
    assert (finding.code, finding.grade) == (Code.FEW_SLICES, Grade.FAIL)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("ImagePositionPatient", None),
        ("ImageOrientationPatient", [1, 0, 0, 1, 0, 0]),
        ("PixelSpacing", [0, 6]),
    ],
)
def test_unreadable_geometry_is_refused(keyword: str, value: object, files: list[Path]) -> None:
    edit(files, lambda dataset: dataset.__setattr__(keyword, value))
    assert "position" in refusal(files).text


def test_a_single_slice_is_an_exam(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path / "single", n_slices=1)
    (item,) = decode(files).exams
    assert len(item.exam.slices) == 1
    assert item.exam.arterial_input is not None


def test_slices_without_arterial_input_are_an_exam(files: list[Path]) -> None:
    (item,) = decode(series(files, 12)).exams
    assert len(item.exam.slices) == 3
    assert item.exam.arterial_input is None


def test_an_arterial_input_alone_is_none(files: list[Path]) -> None:
    error = refusal(series(files, 11))
    assert error.code is Code.NO_PERFUSION_SERIES
    assert "arterial-input" in error.text


def test_too_few_beats_are_refused(files: list[Path]) -> None:
    error = refusal(series(files, 12)[:45])
    assert error.code is Code.BOLUS_NOT_COVERED
    assert "15 images" in error.text


def test_a_slice_with_missing_images_is_left_out(files: list[Path]) -> None:
    third = [path for path in series(files, 12) if int(path.stem[4:]) % 3 == 0]
    study = decode([path for path in files if path not in third[10:]])
    assert len(study.exams[0].exam.slices) == 2
    (finding,) = noticed(study)
    assert finding.code is Code.INCOMPLETE_TRANSFER
    assert "only 10 images" in finding.text


def test_some_missing_images_are_remarked(files: list[Path]) -> None:
    third = [path for path in series(files, 12) if int(path.stem[4:]) % 3 == 0]
    study = decode([path for path in files if path not in third[12:16]])
    assert [len(item) for item in study.exams[0].sources.slices] == [27, 27, 23]
    (finding,) = noticed(study)
    assert "between 23 and 27" in finding.text


def test_a_protocol_without_rule_has_no_sequence(files: list[Path]) -> None:
    rule = AcquisitionRule(
        pattern="another protocol",
        role="perfusion",
        pulse_spacing_ms=2.0,
        pulses_before_centre=24,
        inversion_time="to_centre",
        proton_density_flip_angle_deg=5,
    )
    study = decode_study(files, rules=[rule])
    assert all(item.sequence is None for item in study.exams[0].exam.slices)
    (finding,) = noticed(study)
    assert (finding.code, finding.grade) == (Code.UNSUPPORTED_SEQUENCE, Grade.FAIL)


def test_without_field_strength_there_are_images_but_no_sequence(files: list[Path]) -> None:
    def forget(dataset: Dataset) -> None:
        del dataset.MagneticFieldStrength
        del dataset.ImagingFrequency

    edit(files, forget)
    study = decode(files)
    exam = study.exams[0].exam
    assert exam.arterial_input is not None
    assert all(item.sequence is None for item in (*exam.slices, exam.arterial_input))
    (finding,) = noticed(study)
    assert (finding.code, finding.grade) == (Code.UNSUPPORTED_SEQUENCE, Grade.FAIL)
    assert "field strength" in finding.text
    assert study.exams[0].account.facts[0].origin is Origin.MISSING


def test_one_bad_run_does_not_stop_the_other(tmp_path: Path, files: list[Path]) -> None:
    rest = write_small_exam(tmp_path, "rest")
    edit(rest[3:5], lambda dataset: dataset.__delattr__("PixelData"))
    study = decode([*files, *rest])
    assert len(study.exams) == 1
    assert [(item.code, item.grade) for item in noticed(study)] == [
        (Code.INCOMPLETE_TRANSFER, Grade.FAIL)
    ]


def test_a_localizer_is_no_perfusion_series(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, with_localizer=True)
    assert refusal(series(files, 1)).code is Code.NO_PERFUSION_SERIES


KINDS = frozenset({"DS", "IS", "DA", "TM", "CS", "UI", "LO", "SH", "PN", "US", "AS", "LT"})


def garble(path: Path, keyword: str) -> None:
    """Write nonsense of an element's own kind: without declared kinds a reader must believe it."""
    dataset = dcmread(path)
    tag = dataset[keyword].tag
    dataset.add_new(tag, "LO", "~ nonsense \\ x")
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.save_as(path)


def keywords(path: Path) -> list[str]:
    return [item.keyword for item in dcmread(path) if item.keyword and item.VR in KINDS]


def test_nonsense_in_one_header_is_a_refusal_at_worst(tmp_path: Path) -> None:
    files = series(write_small_exam(tmp_path, n_slices=1), 12)
    original = files[20].read_bytes()
    for keyword in keywords(files[20]):
        files[20].write_bytes(original)
        garble(files[20], keyword)
        with suppress(UnusableStudyError):
            decode(files)


def test_nonsense_in_a_header_does_not_stop_its_result(tmp_path: Path) -> None:
    files = series(write_small_exam(tmp_path, n_slices=1), 12)
    images = decode(files).exams[0].exam.slices[0]
    one = replace(images, frames=images.frames[:1], time_s=images.time_s[:1], n_proton_density=0)
    motion = unmoved(one)
    original = files[0].read_bytes()
    for keyword in keywords(files[0]):
        files[0].write_bytes(original)
        garble(files[0], keyword)
        reference = find_reference(files[:1])
        if reference is None:
            continue
        settings = ResultsSettings()
        (result,) = encode_corrected(
            [reference], motion, offset=1, key="k", run=STAMP, settings=settings
        )
        page = encode_failure_page(reference, PAGE, reason="P05 none", run=STAMP, settings=settings)
        for item in (result, page):
            again = dcmread(BytesIO(to_bytes(item)))
            assert again.StudyInstanceUID == reference.StudyInstanceUID


def test_find_reference_gives_a_header_without_pixels(files: list[Path]) -> None:
    reference = find_reference(files)
    assert reference is not None
    assert "PixelData" not in reference


def test_frames_without_proton_density_have_none(files: list[Path]) -> None:
    late = [path for path in series(files, 12) if int(path.stem[4:]) > 9]
    late += [path for path in series(files, 11) if int(path.stem[4:]) > 3]
    (item,) = decode(late).exams
    assert item.exam.slices[0].n_proton_density == 0
    assert item.exam.slices[0].proton_density is None
    assert torch.isfinite(item.exam.slices[0].frames).all()


def test_no_cut_of_a_header_is_taken_for_a_whole_one(files: list[Path]) -> None:
    whole = files[0].read_bytes()
    n_header = len(whole) - dcmread(files[0])["PixelData"].value.__len__()
    expected = read_headers(files[0])[0]
    for length in range(0, n_header - 16, 5):
        files[0].write_bytes(whole[:length])
        try:
            header = read_headers(files[0])[0]
        except NotDicomError:
            continue
        assert header.series_uid == expected.series_uid
        assert header.study_uid == expected.study_uid
