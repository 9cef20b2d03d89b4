"""Analysed exams become all objects that were asked for, the urgent ones first, and no others."""

import dataclasses
import subprocess
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread

from node.settings import DEFAULT_ACQUISITION, ResultsSettings, Settings
from node.translate import DecodedExam, decode_study, to_bytes
from node.work.deliver import make_results
from node.work.outcome import Outcome
from node.work.pairs import find_pair
from pipeline.findings import Code, Finding, Grade
from pipeline.types import Analysis, PatientState
from tests.fakes.exams import STAMP, unmoved_analysis, write_small_exam

EVERYTHING = Settings(
    results=ResultsSettings(objects=(*ResultsSettings().objects, "document")),
)
PLAIN = Settings(results=ResultsSettings(objects=("flow", "page")))


@pytest.fixture(scope="module")
def decoded(tmp_path_factory: pytest.TempPathFactory) -> tuple[DecodedExam, ...]:
    folder = tmp_path_factory.mktemp("exam")
    files = [path for state in ("stress", "rest") for path in write_small_exam(folder, state)]
    return decode_study(files, rules=DEFAULT_ACQUISITION).exams


def deliver(decoded: tuple[DecodedExam, ...], settings: Settings) -> Outcome:
    exams = [(one, unmoved_analysis(one.exam)) for one in decoded]
    return make_results(exams, settings=settings, stamp=STAMP, reference="S-1")


@pytest.fixture(scope="module")
def everything(decoded: tuple[DecodedExam, ...]) -> Outcome:
    return deliver(decoded, EVERYTHING)


def kinds(outcome: Outcome) -> Counter[str]:
    return Counter(result.kind for result in outcome.results)


def test_stress_and_rest_give_the_full_set(everything: Outcome) -> None:
    counts = kinds(everything)
    reserve = counts.pop("reserve")
    assert 1 <= reserve <= 3
    assert counts == {
        "moco": 2 * 4 * 27,
        "flow": 6,
        "quality": 6,
        "colour": 6 + reserve,
        "page": 3,
        "movie": 2,
        "parametric": 2,
        "segmentation": 4,
        "report": 3,
        "document": 2,
    }
    assert everything.failure is None
    assert everything.pair_page is not None


def test_maps_and_pages_go_first_and_movies_last(everything: Outcome) -> None:
    order = list(dict.fromkeys(result.kind for result in everything.results))
    assert order[:3] == ["flow", "reserve", "page"]
    assert order[-2:] == ["moco", "movie"]


def test_identifiers_are_distinct_and_series_have_one_number(everything: Outcome) -> None:
    datasets = [result.dataset for result in everything.results]
    assert len({one.SOPInstanceUID for one in datasets}) == len(datasets)
    numbers = {(one.SeriesInstanceUID, int(one.SeriesNumber)) for one in datasets}
    series = {one.SeriesInstanceUID for one in datasets}
    assert len(numbers) == len(series) == len({number for _, number in numbers})


def test_a_repeated_delivery_writes_the_same_bytes(
    decoded: tuple[DecodedExam, ...], everything: Outcome
) -> None:
    again = deliver(decoded, EVERYTHING)
    assert [to_bytes(one) for one in again.results] == [to_bytes(one) for one in everything.results]


def test_every_kind_of_object_is_without_errors(
    everything: Outcome, tmp_path: Path, program: Callable[[str], str]
) -> None:
    one_of_each = {result.dataset.SeriesInstanceUID: result for result in everything.results}
    for number, result in enumerate(one_of_each.values()):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(to_bytes(result))
        run = subprocess.run(
            [program("dciodvfy"), str(path)], capture_output=True, text=True, check=False
        )
        errors = [line for line in run.stderr.splitlines() if line.startswith("Error")]
        assert errors == [], result.kind


def test_what_is_not_asked_for_is_not_made(decoded: tuple[DecodedExam, ...]) -> None:
    assert kinds(deliver(decoded[:1], PLAIN)) == {"flow": 3, "page": 1}


def test_each_reason_why_there_is_no_flow_has_its_page(decoded: tuple[DecodedExam, ...]) -> None:
    def failed(one: DecodedExam, code: Code) -> tuple[DecodedExam, Analysis]:
        finding = Finding(code=code, grade=Grade.FAIL, text="Nothing there.")
        analysis = unmoved_analysis(one.exam, has_flow=False)
        return one, dataclasses.replace(analysis, findings=(finding,))

    exams = [
        failed(one, code)
        for one, code in zip(decoded, (Code.BOLUS_NOT_COVERED, Code.NO_ARTERIAL_INPUT), strict=True)
    ]
    outcome = make_results(exams, settings=PLAIN, stamp=STAMP, reference="S-1")
    assert kinds(outcome) == {"page": 2, "failure": 2}
    assert outcome.failure is not None
    assert outcome.failure.code == Code.BOLUS_NOT_COVERED
    assert outcome.reserve is None


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([("stress", True), ("rest", True)], (0, 1)),
        ([("rest", True), ("stress", True), ("stress", True)], (2, 0)),
        ([("stress", True), ("stress", False), ("rest", True)], (0, 2)),
        ([("stress", True), ("unknown", True)], None),
        ([("stress", True)], None),
    ],
)
def test_the_last_run_with_flow_of_each_state_is_compared(
    decoded: tuple[DecodedExam, ...],
    states: list[tuple[str, bool]],
    expected: tuple[int, int] | None,
) -> None:
    analyses = [
        dataclasses.replace(
            unmoved_analysis(decoded[0].exam, has_flow=has_flow), state=PatientState(state)
        )
        for state, has_flow in states
    ]
    assert find_pair(analyses) == expected


def test_every_object_is_of_the_patient_and_study_of_its_source(
    decoded: tuple[DecodedExam, ...], everything: Outcome
) -> None:
    source = decoded[0].sources.all[0]
    for result in everything.results:
        read = dcmread(BytesIO(to_bytes(result)), stop_before_pixels=True)
        for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "AccessionNumber"):
            assert read[keyword].value == source[keyword].value, (result.kind, keyword)
