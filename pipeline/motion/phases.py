"""Which frames carry contrast, and which of them is the reference."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.smoothing import smooth
from pipeline.motion.likeness import standardise

ARRIVAL_FRACTION = 0.12
"""Change of the heart region, as a fraction of the largest, that tells that the bolus is there."""
MIN_CHANGE = 0.05
"""Largest change over the signal before contrast; a bolus changes it severalfold."""
N_BASELINE = 3
BLUR_PX = 2.0


def enhanced(
    frames: Float[Tensor, "time row column"],
    weight: Float[Tensor, "row column"],
    n_proton_density: int,
) -> Bool[Tensor, " time"]:
    """Tell the frames from arrival of the bolus on; none is when nothing changes.

    Parameters
    ----------
    frames
        Heart region, roughly aligned. Shape `(time, row, column)`.
    weight
        How much each pixel counts.
    n_proton_density
        Frames at the start without saturation pulse; never enhanced.

    """
    series = smooth(frames[n_proton_density:], BLUR_PX)
    flags = torch.zeros(len(frames), dtype=torch.bool, device=frames.device)
    if len(series) <= N_BASELINE:
        return flags
    baseline = series[:N_BASELINE].mean(dim=0)
    change = ((series - baseline).square() * weight).sum(dim=(1, 2)).sqrt()
    signal = (baseline.square() * weight).sum().sqrt()
    above = (change > ARRIVAL_FRACTION * change.max()).nonzero()
    if len(above) and bool(change.max() > MIN_CHANGE * signal):
        flags[n_proton_density + int(above[0]) :] = True
    return flags


def choose_reference(
    frames: Float[Tensor, "time row column"],
    weight: Float[Tensor, "row column"],
    is_enhanced: Bool[Tensor, " time"],
    field: Float[Tensor, "time axis row column"] | None = None,
) -> int:
    """Return the frame after the brightest one that is most like all others after it.

    There contrast changes little, so likeness means position. Without enough late frames all
    frames take part.

    Parameters
    ----------
    frames
        Heart region, roughly aligned. Shape `(time, row, column)`.
    weight
        How much each pixel counts.
    is_enhanced
        Frames with contrast agent.
    field
        Displacement that was found for each frame. Where it is given, the frame should also lie
        near where most do (the sum of both ranks decides): what moved little was corrected best.

    """
    level = (frames * weight).sum(dim=(1, 2)) * is_enhanced
    candidates = torch.arange(len(frames), device=frames.device)
    if bool(is_enhanced.any()):
        late = candidates[int(level.argmax()) + 1 :]
        candidates = late if len(late) >= N_BASELINE else candidates[is_enhanced]
    rows = (standardise(frames[candidates], weight) * weight.sqrt()).flatten(1)
    unlikeness = -(rows @ rows.T).mean(dim=1)
    if field is None:
        return int(candidates[unlikeness.argmin()])
    near = field[candidates] - field[candidates].median(dim=0).values
    distance = (near.norm(dim=1) * weight).sum(dim=(1, 2))
    return int(candidates[(_rank(unlikeness) + _rank(distance)).argmin()])


def _rank(values: Float[Tensor, " value"]) -> Float[Tensor, " value"]:
    """Return the place of each value in rising order."""
    return values.argsort(stable=True).argsort().to(values.dtype)
