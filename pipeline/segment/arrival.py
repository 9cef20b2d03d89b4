"""When the bolus reaches a pixel, and how that tells the right heart from the left."""

import torch
from jaxtyping import Float
from torch import Tensor

MIN_LAG_FRAMES = 1.5
"""Least time between the two ventricles; less means that only one group is there."""


def arrival_frame(rise: Float[Tensor, "time row column"]) -> Float[Tensor, "row column"]:
    """Return when each pixel first passes half of its peak, in frames and their fractions."""
    half = 0.5 * rise.amax(dim=0)
    first = (rise >= half).float().argmax(dim=0).clamp_min(1)
    at = rise.gather(0, first[None])[0]
    before = rise.gather(0, first[None] - 1)[0]
    part = ((half - before) / (at - before).clamp_min(1e-12)).clamp(0, 1)
    return first - 1 + part


def early_and_late(
    arrival: Float[Tensor, " voxel"], strength: Float[Tensor, " voxel"]
) -> float | None:
    """Return the time that parts two groups of arrivals (weighted two-means), if there are two."""
    if len(arrival) < 2:
        return None
    low, high = torch.quantile(arrival, arrival.new_tensor([0.05, 0.95]))
    for _ in range(20):
        is_late = arrival > 0.5 * (low + high)
        if not bool(is_late.any()) or bool(is_late.all()):
            return None
        high = (arrival * strength)[is_late].sum() / strength[is_late].sum()
        low = (arrival * strength)[~is_late].sum() / strength[~is_late].sum()
    return float(0.5 * (low + high)) if float(high - low) > MIN_LAG_FRAMES else None
