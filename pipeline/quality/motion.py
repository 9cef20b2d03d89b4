"""Whether the registration helped and its field is believable."""

from collections.abc import Iterator

from pipeline.findings import Code, Finding, Grade
from pipeline.types import MotionCorrection

_WORSE_FACTOR = 1.05
"""Roughness after correction over roughness before that means it did harm."""
_ROUGH = 0.25
"""Beat-to-beat roughness of regional curves, relative to their range, that motion explains."""
_FOLDED_FRACTION = 0.001
_FAR_MM = 15.0


def check_motion(
    motion: MotionCorrection,
    *,
    name: str,
    spacing_mm: tuple[float, float],
    index: int | None = None,
) -> tuple[Finding, ...]:
    """Return findings on residual motion and on fields that cannot be anatomy.

    Parameters
    ----------
    motion
        A registered series.
    name
        What to call the series in the text.
    spacing_mm
        Row and column spacing, mm.
    index
        Which slice it is; None for the arterial-input series.

    """
    return tuple(
        Finding(code=Code.RESIDUAL_MOTION, grade=Grade.REVIEW, text=text, slice_index=index)
        for text in _complaints(motion, name, spacing_mm)
    )


def _complaints(
    motion: MotionCorrection, name: str, spacing_mm: tuple[float, float]
) -> Iterator[str]:
    quality = motion.quality
    if quality.roughness_after > _WORSE_FACTOR * quality.roughness_before:
        yield f"{name}: curves are rougher after motion correction than before."
    elif quality.roughness_after > _ROUGH:
        yield f"{name}: curves stay rough after motion correction."
    if quality.folded_fraction > _FOLDED_FRACTION:
        yield f"{name}: the motion field folds in {quality.folded_fraction:.1%} of the pixels."
    moved_mm = quality.mean_displacement_px * max(spacing_mm)
    if moved_mm > _FAR_MM:
        yield f"{name}: the heart was moved by {moved_mm:.0f} mm on average."
