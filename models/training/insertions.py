"""Where the right ventricle is inserted into the left one, read from maps of both.

The outline of the left ventricle is walked around once; the septum is its longest part with blood
of the right ventricle just outside, and the insertions are the two ends of it.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

N_ANGLES = 360
STEP_MM = 0.25
REACH_MM = 60.0
BESIDE_MM = (0.75, 3.0)
"""How far outside the outline blood of the right ventricle is looked for."""
GAP_ANGLES = 8
"""A trabecula as wide as this does not end the septum."""
SHORTEST_ANGLES = 15


def insertion_points(
    left_outer: Float[Tensor, "row column"],
    right: Float[Tensor, "row column"],
    spacing_mm: tuple[float, float],
) -> Float[Tensor, "two axis"] | None:
    """Return row and column of both insertions, px; None where no septum is seen.

    Parameters
    ----------
    left_outer
        Share of left ventricle and myocardium, 0-1.
    right
        Share of blood of the right ventricle, 0-1.
    spacing_mm
        Row and column spacing, mm.

    """
    place = (left_outer > 0.5).nonzero().float()
    if not len(place):
        return None
    scale = torch.tensor(spacing_mm)
    angle = torch.arange(N_ANGLES) * (math.tau / N_ANGLES)
    direction = torch.stack([angle.sin(), angle.cos()], dim=1)
    radius_mm = torch.arange(0.0, REACH_MM, STEP_MM)
    points = place.mean(dim=0) + radius_mm[None, :, None] * direction[:, None] / scale
    outer, blood = _read(torch.stack([left_outer, right]), points)
    edge = (outer > 0.5).float().cumprod(dim=1).sum(dim=1).long()
    first, last = (round(mm / STEP_MM) for mm in BESIDE_MM)
    beside = (edge[:, None] + torch.arange(first, last)).clamp(max=len(radius_mm) - 1)
    ends = _ends(blood.gather(1, beside).amax(dim=1) > 0.5)
    if ends is None:
        return None
    return torch.stack([points[end, edge[end].clamp(max=len(radius_mm) - 1)] for end in ends])


def insertion_map(
    points_px: Float[Tensor, "two axis"] | None,
    size: tuple[int, int],
    *,
    width_px: float,
) -> Float[Tensor, "row column"]:
    """Return 1 at the insertions, falling like a Gaussian around them."""
    if points_px is None:
        return torch.zeros(size)
    rows, columns = torch.arange(size[0]), torch.arange(size[1])
    square = (rows[None, :, None] - points_px[:, 0, None, None]).square() + (
        columns[None, None, :] - points_px[:, 1, None, None]
    ).square()
    return torch.exp(-0.5 * square / width_px**2).amax(dim=0)


def _read(
    images: Float[Tensor, "channel row column"], points_px: Float[Tensor, "angle radius axis"]
) -> Float[Tensor, "channel angle radius"]:
    last = torch.tensor(images.shape[1:]) - 1
    grid = (points_px * (2.0 / last) - 1.0).flip(-1)
    return functional.grid_sample(images[None], grid[None], align_corners=True)[0]


def _ends(is_septum: Bool[Tensor, " angle"]) -> tuple[int, int] | None:
    """Return first and last angle of the longest run on the circle; small gaps do not end it."""
    closed = _grown(_grown(is_septum.float(), GAP_ANGLES), -GAP_ANGLES) > 0.5
    if not bool(closed.any()) or bool(closed.all()):
        return None
    start = int((~closed).nonzero()[0, 0])
    turned = closed.roll(-start)
    edges = functional.pad(turned.int(), (1, 1)).diff()
    first, after = (edges == 1).nonzero()[:, 0], (edges == -1).nonzero()[:, 0]
    longest = int((after - first).argmax())
    if int(after[longest] - first[longest]) < SHORTEST_ANGLES:
        return None
    return (
        (int(first[longest]) + start) % N_ANGLES,
        (int(after[longest]) - 1 + start) % N_ANGLES,
    )


def _grown(flags: Float[Tensor, " angle"], by: int) -> Float[Tensor, " angle"]:
    """Grow what is set along the circle, or shrink it where `by` is negative."""
    width, sign = abs(by), 1.0 if by > 0 else -1.0
    around = torch.cat([flags[-width:], flags, flags[:width]])[None, None]
    return sign * functional.max_pool1d(sign * around, 2 * width + 1, stride=1)[0, 0]
