"""The last exam of a study is compared with the one before it in the other state."""

import dataclasses

import pytest

from node.work.pairs import compare
from pipeline.quality import AnalysedExam
from pipeline.types import PatientState
from tests.pipeline.quality.test_stress import analysed

STRESS, REST, UNKNOWN = PatientState.STRESS, PatientState.REST, PatientState.UNKNOWN


def finished(state: PatientState, rate_1_min: float) -> AnalysedExam:
    made = analysed(rate_1_min, None)
    return dataclasses.replace(made, exam=dataclasses.replace(made.exam, state=state))


@pytest.mark.parametrize(
    ("exams", "n_findings"),
    [
        ([(STRESS, 70.0)], 0),
        ([(STRESS, 70.0), (REST, 68.0)], 1),
        ([(REST, 68.0), (STRESS, 70.0)], 1),
        ([(STRESS, 90.0), (REST, 68.0)], 0),
        ([(STRESS, 70.0), (STRESS, 68.0)], 0),
        ([(STRESS, 70.0), (UNKNOWN, 68.0)], 0),
        ([(REST, 68.0), (STRESS, 70.0), (STRESS, 90.0)], 0),
    ],
)
def test_stress_is_compared_with_rest(
    exams: list[tuple[PatientState, float]], n_findings: int
) -> None:
    assert len(compare([finished(*one) for one in exams])) == n_findings
