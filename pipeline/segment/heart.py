"""Find the heart: the place where a bolus of blood comes, is bright, and goes again.

Liver and stomach enhance late and stay; the chest wall flickers with breathing but has no first
pass; lungs and vessels have one, though small ones. So the drop of a smoothed pixel curve from
its early peak to its late level marks the ventricles, and the largest clump of it is the heart.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from models.smoothing import smooth
from pipeline.segment.arrival import arrival_frame, early_and_late

PIXEL_BLUR_MM = 4.0
CLUMP_MM = 18.0
CENTRAL_FRACTION = 0.33
"""Width of the weak preference for the image centre, as a fraction of the field of view."""
RADIUS_MM = 52.0
BLOOD_FRACTION = 0.4
"""First pass of a blood pixel over that of the brightest one."""
LEFT_SHARE = 0.8
MIN_FRAMES = 6
N_PLACES = 5
APART_MM = 40.0
MIN_PASSAGE = 0.01
"""Fullness of a place over that of the fullest one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartRegion:
    """A circle that holds the left ventricle with its wall and part of the right one."""

    centre_row: float
    """Centre, px."""
    centre_column: float
    radius_mm: float
    bolus_contrast: float
    """Largest first-pass drop over the mean signal of the image; near 0 without a bolus."""
    agreement: float = 0.0
    """Of what the network sees there in different orientations, mean Dice 0-1; 0 where the bolus
    alone said where it is, or where no cavity is seen."""
    is_shared: bool = False
    """Whether at least two series of the exam put it there."""


def locate_heart(
    frames: Float[Tensor, "time row column"],
    *,
    spacing_mm: tuple[float, float],
    n_proton_density: int,
) -> HeartRegion:
    """Find the heart in a series that may still move.

    Parameters
    ----------
    frames
        Magnitude images, proton-density frames first. Shape `(time, row, column)`.
    spacing_mm
        Row and column spacing, mm.
    n_proton_density
        How many frames at the start carry no contrast passage.

    Returns
    -------
    HeartRegion
        The image centre with contrast 0 where nothing passes.

    """
    series = frames[n_proton_density:]
    extent_mm = min(frames.shape[1] * spacing_mm[0], frames.shape[2] * spacing_mm[1])
    radius_mm = min(RADIUS_MM, 0.45 * extent_mm)
    rise = _calm_rise(series, spacing_mm)
    passage = _first_pass(rise)
    level = float(series.mean()) if len(series) else 0.0
    if level <= 0 or not bool(passage.amax() > 0):
        return HeartRegion(
            centre_row=(frames.shape[1] - 1) / 2,
            centre_column=(frames.shape[2] - 1) / 2,
            radius_mm=radius_mm,
            bolus_contrast=0.0,
        )
    row, column = _centre(passage, rise, spacing_mm)
    return HeartRegion(
        centre_row=row,
        centre_column=column,
        radius_mm=radius_mm,
        bolus_contrast=float(passage.amax()) / level,
    )


def passage_places(
    frames: Float[Tensor, "time row column"],
    region: HeartRegion,
    *,
    spacing_mm: tuple[float, float],
) -> tuple[tuple[float, float], ...]:
    """Return the places where a bolus passes, px: the region's first, then the fullest ones.

    Parameters
    ----------
    frames
        Saturation-recovery frames. Shape `(time, row, column)`.
    region
        What `locate_heart` found.
    spacing_mm
        Row and column spacing, mm.

    """
    passage = _first_pass(_calm_rise(frames, spacing_mm))
    place = _place_mm(passage, spacing_mm)
    width = (0.5 * CLUMP_MM / spacing_mm[0], 0.5 * CLUMP_MM / spacing_mm[1])
    fullness = smooth(passage.square(), width)
    least = MIN_PASSAGE * float(fullness.amax())
    found = [(region.centre_row, region.centre_column)]
    while True:
        for row, column in found:
            near_mm = torch.hypot(
                place[0] - (row - (passage.shape[0] - 1) / 2) * spacing_mm[0],
                place[1] - (column - (passage.shape[1] - 1) / 2) * spacing_mm[1],
            )
            fullness = torch.where(near_mm < APART_MM, 0.0, fullness)
        if len(found) == N_PLACES or float(fullness.amax()) <= least:
            return tuple(found)
        row, column = divmod(int(fullness.argmax()), passage.shape[1])
        found.append((float(row), float(column)))


def _calm_rise(
    frames: Float[Tensor, "time row column"], spacing_mm: tuple[float, float]
) -> Float[Tensor, "kept_time row column"]:
    """Return blurred enhancement without single outlying frames; empty when it is too short."""
    if len(frames) < MIN_FRAMES:
        return frames[:0]
    curves = smooth(frames, (PIXEL_BLUR_MM / spacing_mm[0], PIXEL_BLUR_MM / spacing_mm[1]))
    padded = torch.cat([curves[:1], curves, curves[-1:]])
    before, after = padded[:-2], padded[2:]
    low, high = torch.minimum(before, after), torch.maximum(before, after)
    calm = torch.maximum(low, torch.minimum(high, curves))  # the median of three
    return calm - calm[:3].mean(dim=0)


def _first_pass(rise: Float[Tensor, "time row column"]) -> Float[Tensor, "row column"]:
    """Return the smaller of each pixel's rise to its peak and its fall to its late level."""
    if len(rise) == 0:
        return rise.new_zeros(rise.shape[1:])
    peak = rise.amax(dim=0)
    late = rise[-max(2, len(rise) // 4) :].mean(dim=0)
    return torch.minimum(peak, peak - late).clamp_min(0)


def _centre(
    passage: Float[Tensor, "row column"],
    rise: Float[Tensor, "time row column"],
    spacing_mm: tuple[float, float],
) -> tuple[float, float]:
    """Return the centre of the late half of the blood in the largest clump.

    Late blood is the left ventricle. Its place weighs more than that of the whole clump, which
    also holds the right one.
    """
    place = _place_mm(passage, spacing_mm)
    half_side_mm = float(place.abs().amax(dim=(1, 2)).min())
    width_mm = CENTRAL_FRACTION * 2 * max(half_side_mm, min(spacing_mm))  # one row has no width
    central = torch.exp(-0.5 * place.square().sum(dim=0) / width_mm**2)
    strength = passage.square() * central
    whole = _clump(strength, place, spacing_mm)
    near = (place - whole[:, None, None]).norm(dim=0) < RADIUS_MM
    blood = near & (passage > BLOOD_FRACTION * passage[near].amax())
    arrival = arrival_frame(rise)
    parting = early_and_late(arrival[blood], strength[blood])
    centre = whole
    if parting is not None:
        left = _clump(strength * (blood & (arrival > parting)), place, spacing_mm)
        centre = LEFT_SHARE * left + (1 - LEFT_SHARE) * whole
    row = float(centre[0]) / spacing_mm[0] + (passage.shape[0] - 1) / 2
    return row, float(centre[1]) / spacing_mm[1] + (passage.shape[1] - 1) / 2


def _clump(
    strength: Float[Tensor, "row column"],
    place: Float[Tensor, "axis row column"],
    spacing_mm: tuple[float, float],
) -> Float[Tensor, " axis"]:
    """Take the fullest blurred place and walk to the centre of mass around it, mm."""
    fullness = smooth(strength, (CLUMP_MM / spacing_mm[0], CLUMP_MM / spacing_mm[1]))
    centre = place.flatten(1)[:, fullness.argmax()]
    for _ in range(10):
        distance = (place - centre[:, None, None]).square().sum(dim=0)
        near = strength * torch.exp(-0.5 * distance / CLUMP_MM**2)
        centre = (near * place).sum(dim=(1, 2)) / near.sum()
    return centre


def _place_mm(
    like: Float[Tensor, "row column"], spacing_mm: tuple[float, float]
) -> Float[Tensor, "axis row column"]:
    """Return the place of every pixel from the middle of the image, mm."""
    rows = torch.arange(like.shape[0], dtype=like.dtype, device=like.device)
    columns = torch.arange(like.shape[1], dtype=like.dtype, device=like.device)
    row_mm, column_mm = (
        (rows - rows.mean()) * spacing_mm[0],
        (columns - columns.mean()) * spacing_mm[1],
    )
    return torch.stack(torch.meshgrid(row_mm, column_mm, indexing="ij"))
