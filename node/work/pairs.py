"""Stress beside rest: what two exams of one study tell of each other."""

from collections.abc import Sequence

from pipeline.findings import Finding
from pipeline.quality import AnalysedExam, check_pair
from pipeline.types import Analysis, PatientState

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


def find_pair(analyses: Sequence[Analysis]) -> tuple[int, int] | None:
    """Return which exams are stress and rest of the study; the last with flow of each state.

    A run is repeated when something was wrong with the one before it.
    """
    last: dict[PatientState, int] = {
        analysis.state: index for index, analysis in enumerate(analyses) if analysis.is_quantified
    }
    if PatientState.STRESS not in last or PatientState.REST not in last:
        return None
    return last[PatientState.STRESS], last[PatientState.REST]
