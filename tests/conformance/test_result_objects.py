"""Every result object under dciodvfy and dcmdump, two validators that are not ours."""

import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from node.settings import DEFAULT_ACQUISITION, ResultsSettings
from node.translate import decode_study, encode_failure_page, to_bytes
from tests.fakes.encoding import encode_plain
from tests.fakes.exams import PAGE, STAMP, edit, unmoved_analysis, write_small_exam

KINDS = ["moco", "flow", "quality", "page", "failure"]
RESCALE_WARNINGS = 6
"""Per map: the three rescale attributes are not in the MR Image IOD, but viewers need them."""


def write_results(folder: Path, change: Callable[[Dataset], None] | None = None) -> Path:
    files = write_small_exam(folder / "source")
    if change is not None:
        edit(files, change)
    settings = ResultsSettings(institution="Node Hospital")
    decoded = decode_study(files, rules=DEFAULT_ACQUISITION).exams[0]
    analysis = unmoved_analysis(decoded.exam)
    results = [
        *encode_plain(decoded, analysis, settings=settings),
        encode_failure_page(
            decoded.sources.slices[0][0], PAGE, reason="P05 none", run=STAMP, settings=settings
        ),
    ]
    for index, result in enumerate(results):
        path = folder / result.kind / f"{index:04d}.dcm"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(to_bytes(result))
    return folder


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_results(tmp_path_factory.mktemp("results"))


def validate(dciodvfy: str, path: Path) -> list[str]:
    """Return the remarks. The exit status says nothing, so lines are told apart by their text."""
    run = subprocess.run([dciodvfy, str(path)], capture_output=True, text=True, check=False)
    return (run.stdout + run.stderr).splitlines()


def remarks(dciodvfy: str, folder: Path) -> tuple[Counter[str], Counter[str]]:
    errors: Counter[str] = Counter()
    warnings: Counter[str] = Counter()
    for path in sorted(folder.glob("*.dcm")):
        lines = validate(dciodvfy, path)
        assert any(line in {"MRImage", "SCImage"} for line in lines), lines
        errors.update(line for line in lines if "error" in line.lower())
        warnings.update(line for line in lines if "warning" in line.lower())
    return errors, warnings


@pytest.mark.parametrize("kind", KINDS)
def test_no_errors(kind: str, results: Path, program: Callable[[str], str]) -> None:
    errors, warnings = remarks(program("dciodvfy"), results / kind)
    n_objects = len(list((results / kind).glob("*.dcm")))
    print(f"{kind}: {n_objects} objects, 0 errors, {warnings.total()} warnings")
    for line, count in warnings.items():
        print(f"  {count} x {line}")
    assert errors == Counter()
    expected = RESCALE_WARNINGS * n_objects if kind in {"flow", "quality"} else 0
    assert warnings.total() == expected
    assert all("Rescale" in line or "Standard Extended" in line for line in warnings)


def test_acquisition_is_complete(results: Path) -> None:
    """What a valid source says of the acquisition comes back whole."""
    source = dcmread(min((results / "source").glob("012_*.dcm")), stop_before_pixels=True)
    result = dcmread(min((results / "moco").glob("*.dcm")), stop_before_pixels=True)
    dropped = {element.keyword for element in source if element.keyword} - set(result.dir())
    assert dropped == {"InversionTime", "StationName"}  # the station is contributing equipment


def bare(dataset: Dataset) -> None:
    """Leave only what a scanner cannot leave out."""
    for keyword in (
        "ScanOptions", "SequenceName", "PatientAge", "PatientWeight", "StudyID", "StudyTime",
        "AccessionNumber", "ReferringPhysicianName", "EchoTrainLength", "BodyPartExamined",
        "ScanningSequence", "SequenceVariant", "FrameOfReferenceUID", "PositionReferenceIndicator",
        "RequestAttributesSequence", "SpecificCharacterSet", "AcquisitionNumber", "SeriesNumber",
        "MRAcquisitionType", "TriggerTime", "PatientSex", "InstanceNumber", "SliceThickness",
    ):  # fmt: skip
        if keyword in dataset:
            delattr(dataset, keyword)


@pytest.mark.parametrize("kind", KINDS)
def test_no_errors_from_a_bare_source(
    kind: str, bare_results: Path, program: Callable[[str], str]
) -> None:
    errors, _ = remarks(program("dciodvfy"), bare_results / kind)
    assert errors == Counter()


@pytest.fixture(scope="module")
def bare_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_results(tmp_path_factory.mktemp("bare"), bare)


def test_dcmdump_reads_every_object(results: Path, program: Callable[[str], str]) -> None:
    paths = sorted(str(path) for kind in KINDS for path in (results / kind).glob("*.dcm"))
    run = subprocess.run(
        [program("dcmdump"), "-q", "+P", "SOPInstanceUID", *paths],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0
    assert run.stderr == ""
    assert run.stdout.count("SOPInstanceUID") >= len(paths)


def test_objects_of_one_study_agree(results: Path, program: Callable[[str], str]) -> None:
    paths = [str(path) for kind in KINDS for path in (results / kind).glob("*.dcm")]
    run = subprocess.run([program("dcentvfy"), *paths], capture_output=True, text=True, check=False)
    assert "error" not in (run.stdout + run.stderr).lower()


def test_source_images_have_only_the_remark_of_their_vendor(
    results: Path, program: Callable[[str], str]
) -> None:
    errors, _ = remarks(program("dciodvfy"), results / "source")
    assert len(errors) == 1
    assert "InversionTime" in next(iter(errors))
