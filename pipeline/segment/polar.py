"""Closed contours around a centre, found as the cheapest way once around."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

N_ANGLES = 72
STEP_MM = 0.5
MAX_RADIUS_MM = 60.0
MAX_CLIMB = 2
CLIMB_COST = 0.02
"""Largest change of radius between neighbouring angles, in steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Polar:
    """Rays from a centre: where they run in the image."""

    centre_row: float
    centre_column: float
    spacing_mm: tuple[float, float]

    def sample(
        self, images: Float[Tensor, "channel row column"]
    ) -> Float[Tensor, "channel angle radius"]:
        """Read images along all rays, bilinear; beyond the image counts the border."""
        angle = torch.arange(N_ANGLES, dtype=images.dtype, device=images.device)
        angle = (angle * (2 * torch.pi / N_ANGLES))[:, None]
        radius_mm = radii_mm(images)[None, :]
        row = self.centre_row + radius_mm * torch.sin(angle) / self.spacing_mm[0]
        column = self.centre_column + radius_mm * torch.cos(angle) / self.spacing_mm[1]
        n_rows, n_columns = images.shape[-2:]
        grid = torch.stack(
            [column * (2 / max(n_columns - 1, 1)) - 1, row * (2 / max(n_rows - 1, 1)) - 1], dim=-1
        )
        return functional.grid_sample(
            images[None], grid[None], padding_mode="border", align_corners=True
        )[0]

    def inside(
        self, contour_mm: Float[Tensor, " angle"], size: tuple[int, int]
    ) -> Bool[Tensor, "row column"]:
        """Return the pixels whose centre lies within a contour given by its radius per angle."""
        radius_mm, angle_rad = self.polar(contour_mm, size)
        return radius_mm < self.at(contour_mm, angle_rad)

    def polar(
        self, like: Float[Tensor, "*shape"], size: tuple[int, int]
    ) -> tuple[Float[Tensor, "row column"], Float[Tensor, "row column"]]:
        """Return distance from the centre, mm, and angle, rad, of all pixels of an image."""
        rows = torch.arange(size[0], dtype=like.dtype, device=like.device) - self.centre_row
        columns = torch.arange(size[1], dtype=like.dtype, device=like.device) - self.centre_column
        y, x = torch.meshgrid(
            rows * self.spacing_mm[0], columns * self.spacing_mm[1], indexing="ij"
        )
        return torch.hypot(y, x), torch.atan2(y, x)

    @staticmethod
    def at(
        contour_mm: Float[Tensor, " angle"], angle_rad: Float[Tensor, "*shape"]
    ) -> Float[Tensor, "*shape"]:
        """Read the radius of a contour at any angle, linear between rays."""
        turn = angle_rad.remainder(2 * torch.pi) * (N_ANGLES / (2 * torch.pi))
        before = turn.floor().long() % N_ANGLES
        part = turn - turn.floor()
        return contour_mm[before] * (1 - part) + contour_mm[(before + 1) % N_ANGLES] * part


def radii_mm(like: Float[Tensor, "*shape"]) -> Float[Tensor, " radius"]:
    """Return the distances from the centre at which rays are read, mm."""
    n_radii = int(MAX_RADIUS_MM / STEP_MM)
    return torch.arange(n_radii, dtype=like.dtype, device=like.device) * STEP_MM


def outward_slope(
    profile: Float[Tensor, "angle radius"], *, width_mm: float
) -> Float[Tensor, "angle radius"]:
    """Return mean outside minus mean inside within `width_mm` of each radius."""
    half = max(1, round(width_mm / STEP_MM))
    total = functional.pad(profile, (half, half), mode="replicate").cumsum(dim=1)
    total = functional.pad(total, (1, 0))
    n_radii = profile.shape[1]
    inner = total[:, half : half + n_radii] - total[:, :n_radii]
    outer = total[:, 2 * half : 2 * half + n_radii] - total[:, half : half + n_radii]
    return (outer - inner) / half


def cheapest_contour(cost: Float[Tensor, "angle radius"]) -> Float[Tensor, " angle"]:
    """Return the radius per angle, mm, of the closed contour with the least sum of cost.

    Dynamic programming over three turns; the middle one is taken, where both ends have settled.
    """
    n_angles, n_radii = cost.shape
    turns = cost.repeat(3, 1)
    total = turns[0]
    choices: list[Int[Tensor, " radius"]] = []
    for row in turns[1:]:
        padded = functional.pad(total, (MAX_CLIMB, MAX_CLIMB), value=float("inf"))
        options = torch.stack([padded[k : k + n_radii] for k in range(2 * MAX_CLIMB + 1)])
        penalty = (torch.arange(2 * MAX_CLIMB + 1, device=cost.device) - MAX_CLIMB).abs()
        best = (options + CLIMB_COST * penalty[:, None]).min(dim=0)
        choices.append(best.indices - MAX_CLIMB)
        total = best.values + row
    place = int(total.argmin())
    path = [place]
    for choice in reversed(choices):
        place += int(choice[place])
        path.append(place)
    middle = path[::-1][n_angles : 2 * n_angles]
    return torch.tensor(middle, dtype=cost.dtype, device=cost.device) * STEP_MM


def smooth_contour(contour_mm: Float[Tensor, " angle"], width: int = 2) -> Float[Tensor, " angle"]:
    """Average each radius with its neighbours on the circle."""
    offsets = range(-width, width + 1)
    return torch.stack([contour_mm.roll(offset) for offset in offsets]).mean(dim=0)
