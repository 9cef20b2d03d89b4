"""A registered series without the frames that show nothing."""

from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code
from pipeline.motion.compose import warp
from pipeline.types import ImageSeries, MotionCorrection

_MAX_BROKEN_FRACTION = 0.005
"""Pixels that are no numbers stay alone; a frame with more of them is left out."""


def registered(series: ImageSeries, motion: MotionCorrection) -> ImageSeries:
    """Return the registered series without blank and broken frames.

    In a curve they would look like a drop of the signal; a missing beat is only a longer step.

    Raises
    ------
    CannotQuantifyError
        P13: no frame shows anything.

    """
    return _kept(series, motion.frames, _shown(motion.frames))


def registered_echoes(
    first: ImageSeries, second: ImageSeries, motion: MotionCorrection
) -> tuple[ImageSeries, ImageSeries]:
    """Return both echoes of a series, registered by the displacement of the first.

    Raises
    ------
    CannotQuantifyError
        P13: no frame shows anything in both.

    """
    moved = warp(second.frames, motion.displacement)
    keep = _shows_something(motion.frames) & _shows_something(second.frames)
    if not bool(keep.any()):
        raise CannotQuantifyError(Code.INCOMPLETE_TRANSFER, "no frame shows anything")
    return _kept(first, motion.frames, keep), _kept(second, moved, keep)


def _kept(
    series: ImageSeries, frames: Float[Tensor, "time row column"], keep: Bool[Tensor, " time"]
) -> ImageSeries:
    return replace(
        series,
        frames=_filled(frames[keep]),
        time_s=series.time_s[keep],
        n_proton_density=int(keep[: series.n_proton_density].sum()),
    )


def _filled(frames: Float[Tensor, "time row column"]) -> Float[Tensor, "time row column"]:
    """Return frames with the mean of their neighbours where single pixels are no numbers.

    One of them would spread through every smoothing; that there were some is said by
    `pipeline.quality.frames`.
    """
    known = frames.isfinite()
    if bool(known.all()):
        return frames
    total, weight = (
        avg_pool2d(images[:, None], 3, stride=1, padding=1)[:, 0]
        for images in (torch.where(known, frames, 0.0), known.to(frames.dtype))
    )
    return torch.where(known, frames, total / weight.clamp_min(1e-6))


def _shown(frames: Float[Tensor, "time row column"]) -> Bool[Tensor, " time"]:
    keep = _shows_something(frames)
    if not bool(keep.any()):
        raise CannotQuantifyError(Code.INCOMPLETE_TRANSFER, "no frame shows anything")
    return keep


def _shows_something(frames: Float[Tensor, "time row column"]) -> Bool[Tensor, " time"]:
    """Tell the frames that are not constant and of which nearly all pixels are numbers."""
    pixels = frames.flatten(1)
    if pixels.numel() == 0:
        return torch.zeros(len(pixels), dtype=torch.bool, device=pixels.device)
    known = pixels.isfinite()
    highest = torch.where(known, pixels, -torch.inf).amax(dim=1)
    lowest = torch.where(known, pixels, torch.inf).amin(dim=1)
    return (highest > lowest) & ((~known).double().mean(dim=1) <= _MAX_BROKEN_FRACTION)
