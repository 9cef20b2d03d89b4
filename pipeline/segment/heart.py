"""Find the heart: the place where a bolus of blood comes, is bright, and goes again.

Liver and stomach enhance late and stay; the chest wall flickers with breathing but has no first
pass; lungs and vessels have one, though small ones. So the drop of a smoothed pixel curve from
its early peak to its late level marks the ventricles, and the largest clump of it is the heart.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.smoothing import smooth

PIXEL_BLUR_MM = 4.0
CLUMP_MM = 18.0
CENTRAL_FRACTION = 0.33
"""Width of the weak preference for the image centre, as a fraction of the field of view."""
RADIUS_MM = 52.0
MIN_FRAMES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartRegion:
    """A circle that holds the left ventricle with its wall and part of the right one."""

    centre_row: float
    """Centre, px."""
    centre_column: float
    radius_mm: float
    bolus_contrast: float
    """Largest first-pass drop over the mean signal of the image; near 0 without a bolus."""


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
    passage = first_pass(frames[n_proton_density:], spacing_mm=spacing_mm)
    extent_mm = min(frames.shape[1] * spacing_mm[0], frames.shape[2] * spacing_mm[1])
    radius_mm = min(RADIUS_MM, 0.45 * extent_mm)
    level = float(frames[n_proton_density:].mean()) if len(frames) > n_proton_density else 0.0
    if level <= 0 or not bool(passage.amax() > 0):
        return HeartRegion(
            centre_row=(frames.shape[1] - 1) / 2,
            centre_column=(frames.shape[2] - 1) / 2,
            radius_mm=radius_mm,
            bolus_contrast=0.0,
        )
    row, column = _clump_centre(passage, spacing_mm)
    return HeartRegion(
        centre_row=row,
        centre_column=column,
        radius_mm=radius_mm,
        bolus_contrast=float(passage.amax()) / level,
    )


def first_pass(
    frames: Float[Tensor, "time row column"], *, spacing_mm: tuple[float, float]
) -> Float[Tensor, "row column"]:
    """Return how far each smoothed pixel falls from its peak to its late level, if it rose before.

    The smaller of rise and fall counts; zero for series too short for a passage.
    """
    if len(frames) < MIN_FRAMES:
        return torch.zeros_like(frames[0]) if len(frames) else frames.new_zeros(frames.shape[1:])
    widths = (PIXEL_BLUR_MM / spacing_mm[0], PIXEL_BLUR_MM / spacing_mm[1])
    curves = _median_of_three(smooth(frames, widths))
    peak = curves.amax(dim=0)
    n_late = max(2, len(curves) // 4)
    late = curves[-n_late:].mean(dim=0)
    early = curves[:3].mean(dim=0)
    return torch.minimum(peak - early, peak - late).clamp_min(0)


def _median_of_three(frames: Float[Tensor, "time row column"]) -> Float[Tensor, "time row column"]:
    """Drop single outlying frames of every pixel."""
    padded = torch.cat([frames[:1], frames, frames[-1:]])
    return torch.stack([padded[:-2], padded[1:-1], padded[2:]]).median(dim=0).values


def _clump_centre(
    passage: Float[Tensor, "row column"], spacing_mm: tuple[float, float]
) -> tuple[float, float]:
    """Take the fullest blurred place as start and walk to the centre of mass around it."""
    rows = torch.arange(passage.shape[0], dtype=passage.dtype, device=passage.device)
    columns = torch.arange(passage.shape[1], dtype=passage.dtype, device=passage.device)
    row_mm = ((rows - rows.mean()) * spacing_mm[0])[:, None]
    column_mm = ((columns - columns.mean()) * spacing_mm[1])[None, :]
    width_mm = CENTRAL_FRACTION * min(
        passage.shape[0] * spacing_mm[0], passage.shape[1] * spacing_mm[1]
    )
    central = torch.exp(-0.5 * (row_mm.square() + column_mm.square()) / width_mm**2)
    strength = (passage.square() * central).clamp_min(0)
    fullness = smooth(strength, (CLUMP_MM / spacing_mm[0], CLUMP_MM / spacing_mm[1]))
    place = int(fullness.argmax())
    row = row_mm[place // passage.shape[1], 0]
    column = column_mm[0, place % passage.shape[1]]
    for _ in range(10):
        distance = (row_mm - row).square() + (column_mm - column).square()
        near = strength * torch.exp(-0.5 * distance / CLUMP_MM**2)
        row = (near * row_mm).sum() / near.sum()
        column = (near * column_mm).sum() / near.sum()
    return (
        float(row / spacing_mm[0] + rows.mean()),
        float(column / spacing_mm[1] + columns.mean()),
    )
