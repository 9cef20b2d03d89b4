"""Target registration error: how far points of the true contours end up from where they belong.

A field v says `corrected[t, y] = original[t, y + v[t, y]]`. A point of the wall that truth puts at
q[t] in frame t is therefore seen at the y that solves y + v[t, y] = q[t]; a perfect field gives
the same y in all frames.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

N_ITERATIONS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetError:
    """Distance of each frame's contour points from where they belong, mm, mean over points."""

    reference: Float[Tensor, " time"]
    """From their place in the reference frame."""
    consensus: Float[Tensor, " time"]
    """From their median place over all frames; fair to methods without a reference frame."""


def target_error(place_mm: Float[Tensor, "time point axis"], reference: int) -> TargetError:
    """Compare where the same points are seen in the corrected frames.

    Parameters
    ----------
    place_mm
        Place of each point in each corrected frame, mm (see `settle`).
    reference
        Frame whose geometry the corrected series has.

    """
    distance = (place_mm - place_mm[reference]).norm(dim=2)
    scatter = (place_mm - place_mm.median(dim=0).values).norm(dim=2)
    return TargetError(reference=distance.mean(dim=1), consensus=scatter.mean(dim=1))


def carried(
    points_px: Float[Tensor, "point axis"], displacement: Float[Tensor, "time axis row column"]
) -> Float[Tensor, "time point axis"]:
    """Return where the true displacement puts points of the reference position in each frame."""
    everywhere = points_px.float().expand(len(displacement), -1, -1)
    return everywhere + sample_at(displacement.float(), everywhere)


def settle(
    displacement: Float[Tensor, "time axis row column"], goal: Float[Tensor, "time point axis"]
) -> Float[Tensor, "time point axis"]:
    """Solve y + v(y) = goal for y by fixed point, px."""
    place = goal
    for _ in range(N_ITERATIONS):
        place = goal - sample_at(displacement, place)
    return place


def sample_at(
    field: Float[Tensor, "time axis row column"], place: Float[Tensor, "time point axis"]
) -> Float[Tensor, "time point axis"]:
    """Read a field at points between pixels, bilinear; outside counts the border."""
    n_rows, n_columns = field.shape[-2:]
    scale = place.new_tensor([2 / max(n_rows - 1, 1), 2 / max(n_columns - 1, 1)])
    grid = (place * scale - 1).flip(2)[:, :, None]
    values = functional.grid_sample(
        field, grid, mode="bilinear", padding_mode="border", align_corners=True
    )
    return values[..., 0].transpose(1, 2)


def percentile(values: Float[Tensor, " value"], percent: float) -> float:
    """Return a percentile of what is finite; NaN of nothing."""
    known = values[values.isfinite()]
    return float(torch.quantile(known.double(), percent / 100)) if known.numel() else float("nan")
