"""Stress beside rest: what two exams of one study tell of each other."""

from collections.abc import Sequence

from pipeline.findings import Finding
from pipeline.quality import AnalysedExam, check_pair
from pipeline.types import PatientState

_OTHER = {PatientState.STRESS: PatientState.REST, PatientState.REST: PatientState.STRESS}


def compare(exams: Sequence[AnalysedExam]) -> tuple[Finding, ...]:
    """Return findings on the last exam beside the one before it in the other state.

    Parameters
    ----------
    exams
        The exams of a study that are finished, in order of time.

    """
    last = exams[-1]
    wanted = _OTHER.get(last.exam.state)
    other = next((one for one in reversed(exams[:-1]) if one.exam.state is wanted), None)
    if other is None:
        return ()
    if last.exam.state is PatientState.STRESS:
        return check_pair(stress=last, rest=other)
    return check_pair(stress=other, rest=last)
