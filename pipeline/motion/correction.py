"""The one call that the analysis makes: a series in, a registered series out, never an error."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.motion.compose import warp
from pipeline.motion.crop import HeartCrop
from pipeline.motion.gate import choose
from pipeline.motion.iterative import Candidate, candidates
from pipeline.motion.quality import Figures, figures, motion_quality
from pipeline.segment import locate_heart
from pipeline.types import MotionCorrection, Progress

MIN_FRAMES = 4
MIN_SIDE = 16
COARSE_MM = 3.5
"""Larger pixels (arterial input series) show too little detail for a non-rigid step."""


def correct(
    frames: Float[Tensor, "time row column"],
    *,
    spacing_mm: tuple[float, float],
    n_proton_density: int = 0,
    networks: None = None,
    progress: Progress | None = None,
) -> MotionCorrection:
    """Register all frames of one series to one of them.

    Frames that are blank, constant or not finite stay as they are. When nothing helps, the
    method is `identity` and the frames are the original ones.

    Parameters
    ----------
    frames
        Magnitude images in any unit, proton-density frames first. Shape `(time, row, column)`.
    spacing_mm
        Row and column spacing, mm.
    n_proton_density
        How many frames at the start are proton-density weighted.
    networks
        Place of the trained networks; None is the iterative method.
    progress
        Called with stage and fraction of this correction, 0-1.

    """
    del networks
    series = _prepare(frames, spacing_mm, n_proton_density)
    if len(series.usable) < MIN_FRAMES or min(frames.shape[1:]) < MIN_SIDE:
        return _still(series)
    crop = series.crop
    found = candidates(
        crop.cut(series.usable) / series.usable.amax(),
        crop.weight(series.usable),
        n_proton_density=series.n_proton_density,
        spacing_mm=crop.spacing_mm,
        is_fine=max(spacing_mm) < COARSE_MM,
        progress=progress or _silent,
    )
    applied = [_apply(series, candidate) for candidate in found]
    return choose(applied, _still(series))


def identity(
    frames: Float[Tensor, "time row column"],
    *,
    spacing_mm: tuple[float, float],
    n_proton_density: int = 0,
) -> MotionCorrection:
    """Leave every frame where it is.

    Parameters
    ----------
    frames
        Magnitude images. Shape `(time, row, column)`.
    spacing_mm
        Row and column spacing, mm.
    n_proton_density
        How many frames at the start are proton-density weighted.

    """
    return _still(_prepare(frames, spacing_mm, n_proton_density))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """A series with what is needed to judge any correction of it."""

    frames: Float[Tensor, "time row column"]
    is_usable: Bool[Tensor, " time"]
    usable: Float[Tensor, "usable row column"]
    n_proton_density: int
    """Among the usable frames."""
    crop: HeartCrop
    before: Figures


def _prepare(
    frames: Float[Tensor, "time row column"],
    spacing_mm: tuple[float, float],
    n_proton_density: int,
) -> _Series:
    is_usable = _usable(frames)
    usable = frames[is_usable].float()
    n_proton = int(is_usable[:n_proton_density].sum())
    region = locate_heart(usable, spacing_mm=spacing_mm, n_proton_density=n_proton)
    size = (frames.shape[1], frames.shape[2])
    crop = HeartCrop.around(region, spacing_mm=spacing_mm, image_size=size)
    return _Series(
        frames=frames,
        is_usable=is_usable,
        usable=usable,
        n_proton_density=n_proton,
        crop=crop,
        before=figures(crop.cut(usable), crop.weight(usable), n_proton),
    )


def _usable(frames: Float[Tensor, "time row column"]) -> Bool[Tensor, " time"]:
    """Tell the frames that show anything: finite and not constant."""
    pixels = frames.flatten(1)
    if pixels.shape[1] == 0:
        return torch.zeros(len(frames), dtype=torch.bool, device=frames.device)
    finite = pixels.isfinite().all(dim=1)
    return finite & (pixels.amax(dim=1) > pixels.amin(dim=1))


def _still(series: _Series) -> MotionCorrection:
    field = series.frames.new_zeros(
        len(series.frames), 2, *series.frames.shape[1:], dtype=torch.float32
    )
    return MotionCorrection(
        frames=series.frames.clone(),
        displacement=field,
        reference=0,
        method="identity",
        quality=motion_quality(series.before, series.before, field),
    )


def _apply(series: _Series, candidate: Candidate) -> MotionCorrection:
    """Resample the original frames once, at full resolution, and measure the result."""
    field = series.crop.spread(candidate.field)
    moved = _resample(series.usable, field)
    displacement = _still(series).displacement
    displacement[series.is_usable] = field
    corrected = series.frames.clone()
    corrected[series.is_usable] = moved.to(corrected.dtype)
    after = figures(series.crop.cut(moved), series.crop.weight(moved), series.n_proton_density)
    return MotionCorrection(
        frames=corrected,
        displacement=displacement,
        reference=int(series.is_usable.nonzero()[candidate.reference, 0]),
        method="iterative",
        quality=motion_quality(series.before, after, displacement),
    )


def _resample(
    frames: Float[Tensor, "time row column"], field: Float[Tensor, "time axis row column"]
) -> Float[Tensor, "time row column"]:
    """Resample with cubic interpolation, without its overshoot beyond the range of the frame.

    Linear interpolation blurs by an amount that changes with the shift, so it leaves an error
    that changes from beat to beat, about twice as large in the myocardium.
    """
    sharp = warp(frames, field, interpolation="bicubic")
    lowest = frames.amin(dim=(1, 2), keepdim=True)
    highest = frames.amax(dim=(1, 2), keepdim=True)
    return torch.minimum(torch.maximum(sharp, lowest), highest)


def _silent(stage: str, fraction: float) -> None:
    """Report to nobody."""
