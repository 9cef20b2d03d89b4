"""Whether the registration helped, what it could not mend, and whether its field is believable."""

from collections.abc import Iterator

from pipeline.findings import Code, Finding, Grade, series_finding
from pipeline.types import MotionCorrection

_WORSE_FACTOR = 1.05
"""Roughness after correction over roughness before that means it did harm."""
_VISIBLE = 0.01
"""Change of roughness that can be seen in a curve, as a part of its range; less is noise."""
_ROUGH = 0.25
"""Beat-to-beat roughness of regional curves, relative to their range, that motion explains."""
_FOLDED_FRACTION = 0.001
_FAR_MM = 15.0
_MANY_UNLIKE = 0.1
"""Fraction of the beats that do not fit the others; more spoils the curves."""


def check_motion(
    motion: MotionCorrection, *, spacing_mm: tuple[float, float], index: int | None = None
) -> tuple[Finding, ...]:
    """Return findings on residual motion, marked beats, and fields that cannot be anatomy.

    Parameters
    ----------
    motion
        A registered series.
    spacing_mm
        Row and column spacing, mm.
    index
        Which slice it is; None for the arterial-input series.

    """
    return tuple(
        series_finding(Code.RESIDUAL_MOTION, grade, text, index)
        for grade, text in (
            *_complaints(motion, spacing_mm),
            *_count_unlike(motion),
            *_tell_choice(motion),
        )
    )


def _complaints(
    motion: MotionCorrection, spacing_mm: tuple[float, float]
) -> Iterator[tuple[Grade, str]]:
    quality = motion.quality
    added = quality.roughness_after - quality.roughness_before
    if added > max((_WORSE_FACTOR - 1) * quality.roughness_before, _VISIBLE):
        yield Grade.REVIEW, "curves are rougher after motion correction than before."
    elif quality.roughness_after > _ROUGH:
        yield Grade.REVIEW, "curves stay rough after motion correction."
    if quality.folded_fraction > _FOLDED_FRACTION:
        folded = f"{quality.folded_fraction:.1%}"
        yield Grade.REVIEW, f"the motion field folds in {folded} of the pixels."
    moved_mm = quality.mean_displacement_px * max(spacing_mm)
    if moved_mm > _FAR_MM:
        yield Grade.REVIEW, f"the heart was moved by {moved_mm:.0f} mm on average."


def _count_unlike(motion: MotionCorrection) -> Iterator[tuple[Grade, str]]:
    n_marked, n_all = int(motion.is_unlike.sum()), len(motion.is_unlike)
    if n_marked:
        grade = Grade.REVIEW if n_marked > _MANY_UNLIKE * n_all else Grade.NOTE
        verb = "does" if n_marked == 1 else "do"
        yield (
            grade,
            f"{n_marked} of {n_all} beats {verb} not fit the others (spoiled, or another slice).",
        )


def _tell_choice(motion: MotionCorrection) -> Iterator[tuple[Grade, str]]:
    """Say where what was tried was not taken."""
    if motion.considered and motion.method not in {entry.method for entry in motion.considered}:
        yield Grade.NOTE, "no correction was an improvement; frames are as acquired."
