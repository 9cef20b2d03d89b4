"""What is told of a study is what is in it; nothing of it names anybody."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from rich.console import Console
from typer.testing import CliRunner

from node.cli.explain import to_json
from node.cli.explain_tables import print_explanation
from node.cli.main import app
from node.configuration import save_settings
from node.scanner import Dialect, Form, Vendor
from node.settings import DEFAULT_ACQUISITION, NodeSettings, Settings, StateRule
from node.translate.account import Origin, SeriesRole
from node.translate.explain import Explanation, explain_study
from node.translate.survey import survey_study
from pipeline.types import PatientState
from storage.catalogue import Catalogue
from tests.fakes.exams import edit, series, write_small_exam
from tests.fakes.received_files import receive

RUN = CliRunner()
CANARY = "HUBER^Vida 19500312 MRN4711"
SECRETS = ("huber", "vida", "1950", "4711", "mrn")
SHORT_CANARY = "HUBER 4711"
TEXT_KINDS = {"PN", "LO", "LT", "ST", "UT", "UC"}
SHORT_KINDS = {"SH", "AE"}
FREE_CODES = {"ImageType", "FrameType", "ScanOptions", "BodyPartExamined", "SequenceVariant"}
"""Coded text that scanners fill as they like; without the rest an image is no image."""


def explained(files: list[Path], *rules: StateRule) -> Explanation:
    return explain_study(files, rules=DEFAULT_ACQUISITION, states=rules)


def printed(explanation: Explanation) -> str:
    page = StringIO()
    print_explanation(Console(file=page, width=100), "study 1", explanation)
    return page.getvalue()


def set_value(dataset: Dataset, tag: BaseTag | str, kind: str, value: object) -> None:
    """Set a value that breaks the rules of its kind, as real ones do."""
    dataset[tag] = DataElement(tag, kind, value, validation_mode=IGNORE)


def plant(dataset: Dataset) -> None:
    """Put an identity into every text and date of a header, and of its sequences."""
    for element in list(dataset):
        planted = value_with_identity(element)
        if planted is not None:
            set_value(dataset, element.tag, element.VR, planted)
        for item in element.value or () if element.VR == "SQ" else ():
            plant(item)


def value_with_identity(element: DataElement) -> object:
    """Return what an element says together with an identity; None where it cannot hold one."""
    if element.tag.is_private_creator or element.keyword == "SpecificCharacterSet":
        return None
    if element.VR in SHORT_KINDS:
        return SHORT_CANARY
    if element.VR in TEXT_KINDS:
        return f"{element.value or ''} {CANARY}".strip()
    if element.keyword in FREE_CODES:
        values = [element.value] if element.VM == 1 else list(element.value or [])
        return [*values, "HUBER"]
    return "19500312" if element.VR in {"DA", "DT"} else None


def plant_everywhere(dataset: Dataset) -> None:
    """Put an identity also where the scanner wrote nothing."""
    plant(dataset)
    for keyword in (
        "OtherPatientIDs", "PatientComments", "ImageComments", "OperatorsName", "StationName",
        "RequestingPhysician", "StudyDescription", "SequenceName", "ReceiveCoilName",
        "ScanOptions", "PartialFourier",
    ):  # fmt: skip
        kind = dictionary_VR(keyword)
        if keyword not in dataset:
            planted = {"CS": "HUBER", "SH": SHORT_CANARY}.get(kind, CANARY)
            set_value(dataset, keyword, kind, planted)
    code = Dataset()
    for keyword, value in (("CodeValue", "4711"), ("CodingSchemeDesignator", "SCT")):
        setattr(code, keyword, value)
    code.CodeMeaning = CANARY
    dataset.ProcedureCodeSequence = Sequence([code])
    dataset.private_block(0x0029, "HUBER 4711", create=True).add_new(0x10, "LO", CANARY)
    siemens = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    siemens.add_new(0x11, "LO", CANARY)
    siemens.add_new(0x12, "IS", "4711")
    siemens.add_new(0x13, "OB", CANARY.encode() + b"\0")


def find_secrets(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text.lower()]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_small_exam(tmp_path_factory.mktemp("exam"), with_localizer=True)


@pytest.fixture(scope="module")
def explanation(files: list[Path]) -> Explanation:
    return explained(files)


def test_series_roles_state_and_clock(explanation: Explanation) -> None:
    roles = {item.number: item.role for item in explanation.account.series}
    assert (roles[11], roles[12]) == (SeriesRole.ARTERIAL_INPUT, SeriesRole.PERFUSION)
    assert SeriesRole.SCOUT in roles.values()
    (exam,) = explanation.account.exams
    assert exam.state is PatientState.STRESS
    assert exam.clock == "acquisition time"
    used = {clock.source: clock.counts_beats for clock in explanation.clocks}
    assert used["acquisition time"]
    assert not used["cumulative trigger time"]


def test_words_of_the_names_are_shown(explanation: Explanation) -> None:
    words = dict(
        zip((item.number for item in explanation.account.series), explanation.words, strict=True)
    )
    assert "stress" in words[12]
    assert "aif" in words[11]


def test_the_printed_page_fits_and_holds_the_grid(explanation: Explanation) -> None:
    text = printed(explanation)
    assert max(map(len, text.splitlines())) <= 100
    for expected in (
        "Bolus run 1: STRESS (name: 'stress' in the series description)",
        "Clock: acquisition time",
        "slice 3         PPP■■■■",
        "arterial input  PPP■■■■",
        "saturation delay",
        "assumed: shipped entry",
        "Nothing here stands against computing flow.",
    ):
        assert expected in text


def test_beats_that_are_missing_are_drawn(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, n_slices=2)
    slices = series(files, 12)
    times = sorted({dcmread(path).AcquisitionTime for path in series(files, 11)})
    lost = [path for path in slices if dcmread(path).InstanceNumber == 22]
    for path in lost:
        path.unlink()
    remaining = [path for path in files if path not in lost]
    text = printed(explained(remaining))
    assert len(lost) == 1
    assert len(times) > 20
    assert text.count("○") == 2, "once in the grid, once in its legend"


def test_what_flow_would_have_to_do_without_is_said(files: list[Path]) -> None:
    text = printed(explained(series(files, 12)))
    assert "An arterial input series is missing" in text
    assert "Not known: partial Fourier." in text


def test_a_rule_of_the_site_is_named(files: list[Path]) -> None:
    rule = StateRule(pattern="perf", state="rest")
    (exam,) = explained(files, rule).account.exams
    assert exam.state is PatientState.REST
    assert exam.state_origin.origin is Origin.CONFIGURATION
    assert "'perf'" in exam.state_origin.detail


def without_pixels(dataset: Dataset) -> None:
    del dataset.PixelData


def of_another_patient(dataset: Dataset) -> None:
    dataset.PatientID = "ELSE"


def without_times(dataset: Dataset) -> None:
    for keyword in ("AcquisitionTime", "ContentTime", "TriggerTime"):
        del dataset[keyword]
    dataset.remove_private_tags()


@pytest.mark.parametrize(
    ("change", "code"),
    [(without_pixels, "P13"), (of_another_patient, "P14"), (without_times, "P07")],
)
def test_a_study_that_cannot_be_used_is_explained_too(
    tmp_path: Path, change: Callable[[Dataset], None], code: str
) -> None:
    files = write_small_exam(tmp_path, n_slices=1)
    edit(files[: len(files) // 2] if code == "P14" else files, change)
    found = explained(files)
    assert found.problem is not None
    assert found.problem.code == code
    assert [item.number for item in found.account.series] == [11, 12]
    assert f"No exam can be made of this study: {code}." in printed(found)


def test_a_folder_without_images_is_explained(tmp_path: Path) -> None:
    (path := tmp_path / "notes.txt").write_text("nothing")
    found = explained([path])
    assert found.problem is not None
    assert found.problem.code == "P01"


@pytest.mark.parametrize(
    ("vendor", "form"),
    [
        (Vendor.SIEMENS, Form.CLASSIC),
        (Vendor.PHILIPS, Form.ENHANCED),
        (Vendor.GE, Form.LEGACY),
    ],
)
def test_nothing_that_is_told_names_anybody(tmp_path: Path, vendor: Vendor, form: Form) -> None:
    folder = tmp_path / "HUBER 4711"
    files = write_small_exam(folder, n_slices=1, dialect=Dialect(vendor=vendor, form=form))
    edit(files, plant_everywhere)
    study = explained(files)
    assert study.account.exams, "an identity in every field does not hide the study"
    told = printed(study) + to_json({"study 1": study})
    told += "".join(map(repr, survey_study(files)))
    assert find_secrets(told) == []
    headers = [dcmread(path, stop_before_pixels=True) for path in files]
    for header in headers:
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            assert str(header[keyword].value) not in told


def test_the_canary_is_found_where_it_is(tmp_path: Path) -> None:
    """The test above can fail: the headers are full of what it looks for."""
    files = write_small_exam(tmp_path, n_slices=1)
    edit(files, plant_everywhere)
    text = str(dcmread(files[0], stop_before_pixels=True))
    assert find_secrets(text) == list(SECRETS)


def test_commands_take_a_folder_and_print_no_path(tmp_path: Path) -> None:
    folder = tmp_path / "HUBER 4711"
    write_small_exam(folder, n_slices=1)
    (folder / "HUBER.txt").write_text("not DICOM")
    told = RUN.invoke(app, ["study", "explain", str(folder)])
    assert told.exit_code == 0, told.stderr
    assert find_secrets(told.stdout + told.stderr) == []
    found = json.loads(RUN.invoke(app, ["study", "explain", str(folder), "--json"]).stdout)
    assert found["studies"][0]["exams"][0]["state"] == "stress"
    surveyed = json.loads(RUN.invoke(app, ["survey", str(folder)]).stdout)
    assert [item["n_images"] for item in surveyed["studies"][0]["series"]] == [27, 27]


def test_a_received_study_is_explained_by_its_reference(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    receive(catalogue, tmp_path, write_small_exam(tmp_path / "scanner", n_slices=1))
    config = tmp_path / "config.yaml"
    save_settings(Settings(node=NodeSettings(data=tmp_path)), config)
    reference = catalogue.studies()[0].reference
    told = RUN.invoke(app, ["study", "explain", reference, "--config", str(config)])
    assert told.exit_code == 0, told.stderr
    assert told.stdout.startswith(reference)
    assert "Bolus run 1: STRESS" in told.stdout
    unknown = RUN.invoke(app, ["study", "explain", "S-nobody", "--config", str(config)])
    assert unknown.exit_code == 1
    assert "neither a folder nor a study reference" in " ".join(unknown.stderr.split())


@pytest.mark.parametrize("command", [["study", "explain"], ["survey"]])
def test_nothing_to_tell_of_is_refused(tmp_path: Path, command: list[str]) -> None:
    done = RUN.invoke(app, [*command, str(tmp_path)])
    assert done.exit_code == 1
    assert "no DICOM study" in done.stderr
