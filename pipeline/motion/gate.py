"""Do no harm: a correction is taken only where label-free figures say that it helped."""

from pipeline.types import MotionQuality

MIN_GAIN = 0.02
"""Smallest relative gain of the groupwise metric that is worth resampling for."""
CLEAR_GAIN = 0.06
"""Noise alone can be fitted to a small gain; from here on it is motion."""
SMOOTHER, HARDLY_SHARPER = 0.93, 1.015
"""A small gain counts when the curves get smoother, to this fraction of their roughness, and the
mean image is a little sharper: noise that is fitted does not sharpen it."""
NOT_ROUGHER = 1.02
KNOWN_NOT_ROUGHER = 1.15
KNOWN_TOLERATED_LOSS = 0.03
"""What is known from a finer series of the same beats may look a little worse in a coarse one: its
figures are mostly noise."""
TOLERATED_BLUR = 0.95
SHARPER = 1.02
"""The mean image gets sharper, by this factor, only when edges of many frames come to lie on each
other: the surest sign that motion was undone, where curves jerk for other reasons (a gain that
flickers, missed triggers)."""
SHARPER_NOT_ROUGHER = 1.3


def score(quality: MotionQuality) -> float:
    """Return the groupwise metric relative to the original series; lower is better."""
    before = quality.pca_metric_before
    return quality.pca_metric_after / before if before > 0 else 1.0


def helps(quality: MotionQuality, *, is_known: bool = False) -> bool:
    """Tell whether the series is better aligned and smoother, without folds and not blurred.

    Parameters
    ----------
    quality
        Figures before and after.
    is_known
        The motion was seen in another series of the same beats, in more detail than this one has.
        Then it is enough that nothing speaks against it.

    """
    gain = 1 - score(quality)
    change = quality.roughness_after / max(quality.roughness_before, 1e-12)
    sharper = quality.sharpness_after / max(quality.sharpness_before, 1e-12)
    is_aligned = gain > CLEAR_GAIN and change <= NOT_ROUGHER
    is_smoother = gain > MIN_GAIN and change <= SMOOTHER and sharper >= HARDLY_SHARPER
    is_confirmed = is_known and gain > -KNOWN_TOLERATED_LOSS and change <= KNOWN_NOT_ROUGHER
    is_sharper = sharper >= SHARPER and gain > CLEAR_GAIN and change <= SHARPER_NOT_ROUGHER
    is_better = is_aligned or is_smoother or is_confirmed or is_sharper
    return is_better and sharper >= TOLERATED_BLUR and quality.folded_fraction == 0
