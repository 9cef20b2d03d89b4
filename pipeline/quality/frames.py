"""Frames that show nothing, and frames whose brightest pixels were cut off."""

from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.findings import Code, Finding, Grade, series_finding
from pipeline.types import ImageSeries

_CUT_OFF_FRACTION = 0.002
"""Share of the pixels of a frame at the largest value of the series that noise never reaches."""


def check_frames(series: ImageSeries, *, index: int | None = None) -> tuple[Finding, ...]:
    """Return findings on blank, broken and cut-off frames.

    Parameters
    ----------
    series
        A slice or the arterial-input series as it was received.
    index
        Which slice it is; None for the arterial-input series.

    """
    return tuple(_findings(series, index))


def _findings(series: ImageSeries, index: int | None) -> Iterator[Finding]:
    pixels = series.frames.flatten(1)
    shows = _shows_something(pixels)
    n_empty = int((~shows).sum())
    if n_empty:
        text = f"{n_empty} of {len(pixels)} frames are blank or broken."
        yield series_finding(Code.INCOMPLETE_TRANSFER, Grade.REVIEW, text, index)
    n_cut = _count_cut_off(pixels[shows])
    if n_cut:
        code = Code.ARTERIAL_INPUT_SATURATED if index is None else Code.MAP_IMPLAUSIBLE
        text = f"{n_cut} of {len(pixels)} frames are cut off at the largest value."
        yield series_finding(code, Grade.REVIEW, text, index)


def _shows_something(pixels: Float[Tensor, "time voxel"]) -> Bool[Tensor, " time"]:
    if pixels.shape[1] == 0:
        return torch.zeros(len(pixels), dtype=torch.bool, device=pixels.device)
    finite = pixels.isfinite().all(dim=1)
    return finite & (pixels.amax(dim=1) > pixels.amin(dim=1))


def _count_cut_off(pixels: Float[Tensor, "time voxel"]) -> int:
    """Count frames in which many pixels share the largest value of the whole series."""
    if pixels.numel() == 0:
        return 0
    share = (pixels == pixels.amax()).double().mean(dim=1)
    # At least two pixels: in a tiny image a single one is a large share.
    return int((share > max(_CUT_OFF_FRACTION, 1.5 / pixels.shape[1])).sum())
