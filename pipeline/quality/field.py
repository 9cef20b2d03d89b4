"""Over-registration: a field that stretches or squeezes the heart, or takes contrast away."""

from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.smoothing import smooth
from pipeline.findings import Code, Finding, Grade, series_finding
from pipeline.motion.compose import jacobian_determinant
from pipeline.types import HeartMasks, ImageSeries, MotionCorrection

_AREA_RANGE = (0.5, 2.0)
"""Change of area between two beats gated to the same phase. Motion between them is that of
breathing, which moves the heart and changes the area of a cut by a fifth at most; halving or
doubling is the contrast that was moved."""
_TOUCHED_FRACTION = 0.01
"""Share of pixels of the heart in all frames that may exceed it."""
_SQUEEZED_FRAME = 0.1
"""Share of pixels of the heart in one frame that may exceed it."""
_PEAK_LOSS = 0.15
"""Share of the brightest blood that is lost; resampling alone loses a few per cent."""
_BRIGHT_QUANTILE = 0.95
_BLUR_PX = 1.0


def check_field(
    motion: MotionCorrection, *, series: ImageSeries, masks: HeartMasks, index: int
) -> tuple[Finding, ...]:
    """Return findings on a correction that changed the heart more than breathing can.

    Parameters
    ----------
    motion
        The registered slice.
    series
        The slice as it was acquired.
    masks
        Its heart.
    index
        Which slice it is.

    """
    heart = masks.myocardium | masks.left_ventricle
    if motion.method == "identity" or not bool(heart.any()):
        return ()
    texts = (*_area(motion, heart), *_lost_peak(motion, series, heart))
    return tuple(series_finding(Code.RESIDUAL_MOTION, Grade.REVIEW, text, index) for text in texts)


def touched_fraction(
    motion: MotionCorrection, heart: Bool[Tensor, "row column"]
) -> Float[Tensor, " time"]:
    """Return the share of the heart in each frame whose area was halved or doubled."""
    area = jacobian_determinant(motion.displacement)[:, heart]
    return ((area < _AREA_RANGE[0]) | (area > _AREA_RANGE[1])).double().mean(dim=1)


def lost_peak_fraction(
    frames: Float[Tensor, "time row column"],
    original: Float[Tensor, "time row column"],
    heart: Bool[Tensor, "row column"],
) -> float:
    """Return how much dimmer the brightest blood of the heart is than in the original frames.

    Both are blurred alike first, so that the blur of resampling is not taken for a loss.
    """
    after, before = (
        torch.quantile(smooth(images.nan_to_num(), _BLUR_PX)[:, heart], _BRIGHT_QUANTILE, dim=1)
        for images in (frames, original)
    )
    n_top = max(1, len(before) // 20)
    highest = before.topk(n_top).values.mean().clamp_min(1e-12)
    return 1 - float(after.topk(n_top).values.mean() / highest)


def _area(motion: MotionCorrection, heart: Bool[Tensor, "row column"]) -> Iterator[str]:
    touched = touched_fraction(motion, heart)
    n_squeezed = int((touched > _SQUEEZED_FRAME).sum())
    if n_squeezed:
        yield f"the motion field squeezes or stretches the heart in {n_squeezed} frames."
    elif float(touched.mean()) > _TOUCHED_FRACTION:
        yield f"the motion field halves or doubles {float(touched.mean()):.1%} of the heart."


def _lost_peak(
    motion: MotionCorrection, series: ImageSeries, heart: Bool[Tensor, "row column"]
) -> Iterator[str]:
    n_before = series.n_proton_density
    loss = lost_peak_fraction(motion.frames[n_before:], series.frames[n_before:], heart)
    if loss > _PEAK_LOSS:
        yield f"motion correction lost {loss:.0%} of the peak signal of blood."
