"""The two blood pools, told apart by when the bolus reaches them: right first, then left."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from models.smoothing import smooth
from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code
from pipeline.segment.arrival import arrival_frame, early_and_late
from pipeline.segment.heart import HeartRegion

BLUR_MM = 1.5
BRIGHT_FRACTION = 0.5
"""Blood enhances to at least this fraction of the brightest blood."""
CLUMP_MM = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BloodPools:
    """Core pixels of the pools and their mean enhancement over time."""

    left: Bool[Tensor, "row column"]
    right: Bool[Tensor, "row column"] | None
    left_curve: Float[Tensor, " time"]
    right_curve: Float[Tensor, " time"] | None


def enhancement(
    frames: Float[Tensor, "time row column"], spacing_mm: tuple[float, float]
) -> Float[Tensor, "time row column"]:
    """Return the signal above the first frames, slightly blurred in space and time."""
    blurred = smooth(frames, (BLUR_MM / spacing_mm[0], BLUR_MM / spacing_mm[1]))
    padded = torch.cat([blurred[:1], blurred, blurred[-1:]])
    calm = 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]
    return calm - calm[:3].mean(dim=0)


def find_blood(
    rise: Float[Tensor, "time row column"],
    region: HeartRegion,
    spacing_mm: tuple[float, float],
) -> BloodPools:
    """Find both ventricles.

    Parameters
    ----------
    rise
        Enhancement of the corrected saturation-recovery frames. Shape `(time, row, column)`.
    region
        Where the heart is.
    spacing_mm
        Row and column spacing, mm.

    Raises
    ------
    CannotQuantifyError
        P04 without a passage of contrast, P10 without a plausible left ventricle.

    """
    nearness = _nearness(rise[0], region, spacing_mm)
    peak = rise.amax(dim=0)
    brightest = float((peak * (nearness > 0)).flatten().sort().values[-20:].mean())
    drop = peak - rise[-max(2, len(rise) // 4) :].mean(dim=0)
    is_blood = (peak > BRIGHT_FRACTION * brightest) & (drop > 0.25 * peak) & (nearness > 0)
    if brightest <= 0 or int(is_blood.sum()) < 10:
        raise CannotQuantifyError(Code.BOLUS_NOT_COVERED, "no passage of contrast in the heart")
    arrival = arrival_frame(rise)
    boundary = early_and_late(arrival[is_blood], peak[is_blood])
    late = is_blood if boundary is None else is_blood & (arrival > boundary)
    left = _main_clump(late, peak * nearness, spacing_mm)
    right = None if boundary is None else is_blood & (arrival <= boundary)
    right = None if right is None else _main_clump(right, peak * nearness, spacing_mm)
    return BloodPools(
        left=left,
        right=right,
        left_curve=rise[:, left].mean(dim=1),
        right_curve=None if right is None else rise[:, right].mean(dim=1),
    )


def _nearness(
    like: Float[Tensor, "row column"], region: HeartRegion, spacing_mm: tuple[float, float]
) -> Float[Tensor, "row column"]:
    """Fall from 1 at the centre of the heart region to 0 at its edge."""
    rows = torch.arange(like.shape[0], dtype=like.dtype, device=like.device) - region.centre_row
    columns = (
        torch.arange(like.shape[1], dtype=like.dtype, device=like.device) - region.centre_column
    )
    distance = torch.hypot(rows[:, None] * spacing_mm[0], columns[None, :] * spacing_mm[1])
    return (1 - (distance / region.radius_mm).square()).clamp_min(0)


def _main_clump(
    mask: Bool[Tensor, "row column"],
    strength: Float[Tensor, "row column"],
    spacing_mm: tuple[float, float],
) -> Bool[Tensor, "row column"]:
    """Keep the connected part of a mask around its fullest place."""
    widths = (CLUMP_MM / spacing_mm[0], CLUMP_MM / spacing_mm[1])
    fullness = smooth(mask * strength, widths) * mask
    part = torch.zeros_like(fullness)
    part.view(-1)[fullness.argmax()] = 1.0
    size = 0.0
    while float(part.sum()) > size:
        size = float(part.sum())
        for _ in range(8):
            grown = functional.max_pool2d(part[None, None], 3, stride=1, padding=1)[0, 0]
            part = grown * mask
    return part > 0
