"""Place frames without contrast agent among those with it.

Proton-density frames and those before the bolus are alike within their group, and pair voting
puts each group together well; what is uncertain is where the group as a whole lies. Its mean has
little noise. It is shifted to where it can best be written as a mixture of the leading component
images of the enhanced frames: tissues that shine alike there should shine alike here, whatever
their brightness (a many-channel correlation ratio, Roche 1998, doi 10.1007/BFb0056301). The
search is exhaustive, so it cannot run away downhill as a free match does, and where the evidence
is weak the group stays where it was acquired.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.motion.compose import warp

N_COMPONENTS = 8
REACH_MM = 8.0
STEP_MM = 1.0
WORTH_MOVING = 0.87
"""The place voted for is taken only when it leaves less than this share of what staying leaves."""
WORTH_SEARCHING = 0.7
MIN_GAIN = 0.05
"""The place searched for must leave less than this share, and gain that much of the variance:
below that noise decides, and the simpler answer is better."""


def place_group(
    group: Float[Tensor, "time row column"],
    enhanced: Float[Tensor, "enhanced row column"],
    weight: Float[Tensor, "row column"],
    *,
    home: Float[Tensor, " axis"],
    spacing_mm: float,
) -> Float[Tensor, " axis"]:
    """Return the shift of a whole group of frames, px.

    Parameters
    ----------
    group
        Frames of one contrast, aligned with each other and placed by voting. Shape
        `(time, row, column)`.
    enhanced
        Registered frames with contrast agent.
    weight
        Heart window, 0-1.
    home
        Shift that takes the group back to where it was acquired, px.
    spacing_mm
        Pixel size, mm.

    """
    n_steps = round(REACH_MM / STEP_MM)
    steps = torch.arange(-n_steps, n_steps + 1, dtype=group.dtype, device=group.device)
    steps_px = steps * (STEP_MM / spacing_mm)
    shifts = torch.cat([home[None], torch.cartesian_prod(steps_px, steps_px)])
    mean = group.mean(dim=0).expand(len(shifts), -1, -1)
    field = shifts[:, :, None, None].expand(-1, -1, *group.shape[1:])
    rest = _unexplained(warp(mean, field), enhanced, weight)
    at_home, searched = rest[0], rest[1:].reshape(len(steps), len(steps))
    voted = searched[n_steps, n_steps]
    chosen, left = torch.zeros_like(home), voted
    if voted > WORTH_MOVING * at_home:
        chosen, left = home, at_home
    if searched.min() < WORTH_SEARCHING * left and left - searched.min() > MIN_GAIN:
        return _lowest(searched, steps_px)
    return chosen


def _unexplained(
    images: Float[Tensor, "time row column"],
    enhanced: Float[Tensor, "enhanced row column"],
    weight: Float[Tensor, "row column"],
) -> Float[Tensor, " time"]:
    """Return the fraction of the variance of each image that no mixture of components explains."""
    root = weight.flatten().sqrt()
    rows = (enhanced - enhanced.mean(dim=(1, 2), keepdim=True)).flatten(1)
    vectors = torch.linalg.eigh(((rows * root) @ (rows * root).T).double()).eigenvectors
    components = vectors[:, -N_COMPONENTS:].T.to(rows.dtype) @ rows
    basis = torch.cat([components, torch.ones_like(rows[:1])]) * root
    orthogonal: Tensor = torch.linalg.qr(basis.T.double()).Q
    share = (weight / weight.sum()).flatten()
    pixels = images.flatten(1)
    pixels = ((pixels - (pixels @ share)[:, None]) * root).double()
    total = pixels.square().sum(dim=1).clamp_min(1e-30)
    explained = (pixels @ orthogonal).square().sum(dim=1)
    return (1 - explained / total).to(images.dtype)


def _lowest(
    cost: Float[Tensor, "side side"], steps_px: Float[Tensor, " side"]
) -> Float[Tensor, " axis"]:
    """Return the place of the lowest cost, refined by a parabola along each axis."""
    place = int(cost.argmin())
    centre = (place // len(steps_px), place % len(steps_px))
    parts = [
        _refined(cost[:, centre[1]], centre[0], steps_px),
        _refined(cost[centre[0]], centre[1], steps_px),
    ]
    return torch.stack(parts)


def _refined(
    profile: Float[Tensor, " side"], at: int, steps_px: Float[Tensor, " side"]
) -> Float[Tensor, ""]:
    if not 0 < at < len(profile) - 1:
        return steps_px[at]
    before, middle, after = profile[at - 1], profile[at], profile[at + 1]
    bend = (before + after - 2 * middle).clamp_min(1e-12)
    part = (0.5 * (before - after) / bend).clamp(-0.5, 0.5)
    return steps_px[at] + part * (steps_px[1] - steps_px[0])
