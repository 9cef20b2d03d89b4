"""The wall of the left ventricle as two borders around a centre, traced from masks."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.segment.polar import N_ANGLES, STEP_MM, Polar, radii_mm, smooth_contour
from pipeline.types import HeartMasks

_SMOOTHING = 1
"""Rays on either side that a border is averaged with: pixels draw it as stairs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """Radius of both borders on rays at even angles, first ray along increasing column."""

    rays: Polar
    inner_mm: Float[Tensor, " angle"]
    """Endocardium; 0 where the section has no cavity."""
    outer_mm: Float[Tensor, " angle"]
    """Epicardium."""

    def place(self, size: tuple[int, int]) -> "PlaceInWall":
        """Return where the pixels of an image lie in the wall."""
        radius_mm, angle_rad = self.rays.polar(self.outer_mm, size)
        inner_mm = self.rays.at(self.inner_mm, angle_rad)
        outer_mm = self.rays.at(self.outer_mm, angle_rad)
        thickness_mm = (outer_mm - inner_mm).clamp_min(STEP_MM)
        return PlaceInWall(
            angle_rad=angle_rad,
            depth=(radius_mm - inner_mm) / thickness_mm,
            border_mm=torch.minimum(radius_mm - inner_mm, outer_mm - radius_mm),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceInWall:
    """Where each pixel lies in the wall."""

    angle_rad: Float[Tensor, "row column"]
    """atan2(row, column) around the centre, in mm."""
    depth: Float[Tensor, "row column"]
    """0 at the endocardium, 1 at the epicardium."""
    border_mm: Float[Tensor, "row column"]
    """Distance to the nearer border, negative outside the wall."""


def trace_wall(masks: HeartMasks, spacing_mm: tuple[float, float]) -> Wall | None:
    """Trace both borders of the wall.

    Parameters
    ----------
    masks
        Muscle and blood pool of one slice.
    spacing_mm
        Row and column spacing, mm.

    Returns
    -------
    Wall
        Around the centre of the blood pool, or of the muscle where there is no pool. An open ring
        (outflow tract) is closed by interpolation. None without muscle.

    """
    inside = masks.left_ventricle if bool(masks.left_ventricle.any()) else masks.myocardium
    if not bool(masks.myocardium.any()):
        return None
    row, column = inside.nonzero().double().mean(dim=0).tolist()
    rays = Polar(centre_row=row, centre_column=column, spacing_mm=spacing_mm)
    profile = rays.sample(masks.myocardium.float()[None])[0]
    is_crossed = profile.amax(dim=1) >= 0.5
    if not bool(is_crossed.any()):
        return None
    outer_mm = radii_mm(profile)[-1] - _first_crossing_mm(profile.flip(1))
    borders = [_closed(border, is_crossed) for border in (_first_crossing_mm(profile), outer_mm)]
    inner, outer = (smooth_contour(border, width=_SMOOTHING) for border in borders)
    return Wall(rays=rays, inner_mm=inner, outer_mm=outer)


def _first_crossing_mm(profile: Float[Tensor, "angle radius"]) -> Float[Tensor, " angle"]:
    """Return where each profile first rises through one half, to a fraction of a step."""
    first = (profile >= 0.5).float().argmax(dim=1)
    at = profile.gather(1, first[:, None])[:, 0]
    before = profile.gather(1, (first - 1).clamp_min(0)[:, None])[:, 0]
    part = (at - 0.5) / (at - before).clamp_min(1e-6)
    return ((first - part.clamp(0, 1)) * STEP_MM).clamp_min(0)


def _closed(
    border_mm: Float[Tensor, " angle"], is_known: Bool[Tensor, " angle"]
) -> Float[Tensor, " angle"]:
    """Fill unknown angles on the circle linearly between their known neighbours."""
    known = is_known.nonzero()[:, 0]
    around = torch.cat([known - N_ANGLES, known, known + N_ANGLES])
    values = border_mm[known].repeat(3)
    angle = torch.arange(N_ANGLES, device=border_mm.device)
    after = torch.searchsorted(around, angle).clamp(1, len(around) - 1)
    left, right = around[after - 1], around[after]
    part = (angle - left) / (right - left).clamp_min(1)
    return values[after - 1] + part.to(border_mm.dtype) * (values[after] - values[after - 1])
