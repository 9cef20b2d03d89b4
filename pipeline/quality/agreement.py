"""Checks across the series of one exam: places, arrival of blood, resolution, segments."""

from collections.abc import Sequence

from pipeline.findings import Finding
from pipeline.quality.blood_place import check_blood_place
from pipeline.quality.geometry import check_geometry
from pipeline.quality.resolution import check_resolution
from pipeline.quality.segments import check_segments
from pipeline.types import ArterialInput, Exam, MotionCorrection, SliceAnalysis


def check_agreement(
    exam: Exam,
    results: Sequence[SliceAnalysis],
    *,
    arterial_input: ArterialInput | None,
    arterial_motion: MotionCorrection | None,
) -> tuple[Finding, ...]:
    """Return findings on results that do not fit each other.

    Parameters
    ----------
    exam
        The exam.
    results
        Its slices.
    arterial_input, arterial_motion
        The arterial input and the registered series it was read from, where there are any.

    """
    masks = [result.masks for result in results]
    findings = [
        *check_geometry(exam, masks),
        *(found for series in exam.slices[:1] for found in check_resolution(series)),
    ]
    if arterial_input is not None and arterial_motion is not None:
        hearts = [(result.motion, result.masks) for result in results]
        findings += check_blood_place(exam, arterial_input, arterial_motion, hearts)
    for index, result in enumerate(results):
        if result.flow is not None and result.sectors is not None:
            findings += check_segments(result.flow, sectors=result.sectors, index=index)
    return tuple(findings)
