"""Do no harm: a correction is taken only where label-free figures say that it helped."""

from collections.abc import Sequence

from pipeline.types import MotionCorrection, MotionQuality

MIN_GAIN = 0.02
"""Smallest relative gain of the groupwise metric that is worth resampling for."""
CLEAR_GAIN = 0.05
"""Noise alone can be fitted to a small gain; from here on it is motion."""
SMOOTHER = 0.95
"""A small gain counts when the curves get smoother, to this fraction of their roughness."""
NOT_ROUGHER = 1.02
TOLERATED_BLUR = 0.95


DRAW = 0.01
"""Scores that differ by less than this fraction are equal, and the finer correction is taken."""


def choose(found: Sequence[MotionCorrection], still: MotionCorrection) -> MotionCorrection:
    """Return the best of the corrections that help, or the original series.

    Parameters
    ----------
    found
        Corrections from coarse to fine.
    still
        The series as it was acquired.

    """
    helpful = [correction for correction in found if helps(correction.quality)]
    if not helpful:
        return still
    best = min(score(correction.quality) for correction in helpful)
    return [entry for entry in helpful if score(entry.quality) <= best * (1 + DRAW)][-1]


def score(quality: MotionQuality) -> float:
    """Return the groupwise metric relative to the original series; lower is better."""
    before = quality.pca_metric_before
    return quality.pca_metric_after / before if before > 0 else 1.0


def helps(quality: MotionQuality) -> bool:
    """Tell whether the series is better aligned and smoother, without folds and not blurred."""
    gain = 1 - score(quality)
    change = quality.roughness_after / max(quality.roughness_before, 1e-12)
    is_aligned = (gain > MIN_GAIN and change <= SMOOTHER) or (
        gain > CLEAR_GAIN and change <= NOT_ROUGHER
    )
    is_sharp = quality.sharpness_after >= TOLERATED_BLUR * quality.sharpness_before
    return is_aligned and is_sharp and quality.folded_fraction == 0
