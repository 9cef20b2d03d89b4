"""Hearts of every size, direction and disease that a network or a gate should have seen."""

import math
from dataclasses import dataclass

from torch import Generator

from models.phantom.heart import Heart
from models.phantom.heart_parts import (
    Outflow,
    Papillary,
    Position,
    RightVentricle,
    Sector,
    WallChange,
    Waves,
    Wrapping,
)
from models.phantom.randomness import chance, uniform

_MARGIN_MM = 10.0
"""Of the left ventricle from the border of the image, at least."""
_UNDULATIONS = ((2, 0.12), (3, 0.05), (4, 0.025), (5, 0.02), (7, 0.015))
_TRABECULAE = ((8, 0.03), (9, 0.03), (11, 0.03), (13, 0.03), (14, 0.025), (17, 0.025), (21, 0.02))
"""Orders of waves with their largest amplitude over the radius of the cavity."""
_LARGEST_WALL_SHARE = 0.75
"""Of the epicardial radius; the rest is cavity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Size:
    epicardium_mm: float
    wall_mm: float


def draw_wide_heart(
    generator: Generator, *, field_of_view_mm: Position, beyond: bool = False
) -> Heart:
    """Draw one heart of the wide range.

    Parameters
    ----------
    generator
        Source of randomness.
    field_of_view_mm
        Height and width of the image; the left ventricle stays inside.
    beyond
        Draw sizes, fluid and position outside the usual range.

    """
    size = _draw_size(generator, beyond=beyond)
    towards_right = uniform(generator, -math.pi, math.pi)
    handedness = 1.0 if chance(generator, 0.5) else -1.0
    long_axis_mm = uniform(generator, 36.0, 66.0)
    return Heart(
        centre_mm=_draw_centre(generator, size.epicardium_mm, field_of_view_mm, beyond=beyond),
        tilt_mm=(uniform(generator, -0.2, 0.2), uniform(generator, -0.2, 0.2)),
        handedness=handedness,
        long_axis_mm=long_axis_mm,
        bluntness=1.0,
        outer_axis_mm=long_axis_mm + size.wall_mm * uniform(generator, 0.8, 1.6),
        right_ventricle=_draw_right(generator, towards_right, size),
        cavity_radius_mm=size.epicardium_mm - size.wall_mm,
        wall_mm=size.wall_mm,
        wall_asymmetry=uniform(generator, 0.0, 0.2),
        wall_angle_rad=uniform(generator, -math.pi, math.pi),
        wall_changes=_draw_wall_changes(generator, towards_right),
        outflow=_draw_outflow(generator, towards_right, handedness, size.wall_mm),
        harmonics=_draw_waves(generator, _UNDULATIONS, 1.0),
        trabeculae=_draw_waves(generator, _TRABECULAE, 1.4 * uniform(generator, 0.0, 1.0) ** 2),
        papillaries=_draw_papillaries(generator, towards_right, handedness),
        papillary_taper=(0.5, uniform(generator, 0.985, 1.001)),
        wrapping=_draw_wrapping(generator, beyond=beyond),
    )


def _draw_size(generator: Generator, *, beyond: bool) -> _Size:
    """Draw small to dilated ventricles with thin, usual or thick walls."""
    kind = uniform(generator, 0.0, 1.0)
    if kind < 0.5:
        wall_mm = uniform(generator, 7.5, 11.0)
    else:
        wall_mm = uniform(generator, 4.0, 8.0) if kind < 0.7 else uniform(generator, 10.0, 20.0)
    epicardium_mm = uniform(generator, 24.0, 42.0)
    if beyond:
        is_small = chance(generator, 0.5)
        epicardium_mm = uniform(generator, *((18.0, 24.0) if is_small else (42.0, 48.0)))
    widest = _LARGEST_WALL_SHARE * epicardium_mm
    return _Size(epicardium_mm=epicardium_mm, wall_mm=min(wall_mm, widest))


def _draw_centre(
    generator: Generator, epicardium_mm: float, field_of_view_mm: Position, *, beyond: bool
) -> Position:
    """Draw the place of the heart: near the middle, now and then far off."""
    is_far = beyond or chance(generator, 0.2)
    reach_mm = 80.0 if is_far else 22.0
    place = [uniform(generator, -reach_mm, reach_mm) for _ in range(2)]
    room = [max(size / 2.0 - epicardium_mm - _MARGIN_MM, 0.0) for size in field_of_view_mm]
    row, column = (min(max(value, -most), most) for value, most in zip(place, room, strict=True))
    return row, column


def _draw_right(generator: Generator, angle_rad: float, size: _Size) -> RightVentricle:
    """Draw a right ventricle that is small, usual or dilated, its wall thin or thick."""
    across_mm = uniform(generator, 16.0, 40.0)
    along_mm = uniform(generator, max(0.8 * size.epicardium_mm, 0.9 * across_mm), 48.0)
    return RightVentricle(
        angle_rad=angle_rad,
        reach_fraction=uniform(generator, 0.75, 1.05),
        half_axes_fraction=(along_mm / size.epicardium_mm, across_mm / size.epicardium_mm),
        wall_mm=uniform(generator, 1.5, 3.5)
        if chance(generator, 0.75)
        else uniform(generator, 3.5, 7.0),
        bands=tuple(
            (
                uniform(generator, -0.8, 0.8),
                uniform(generator, 1.1, 1.6),
                uniform(generator, 1.2, 3.5),
            )
            for _ in range(int(uniform(generator, 0.0, 4.0)))
        ),
    )


def _draw_wall_changes(generator: Generator, towards_right_rad: float) -> tuple[WallChange, ...]:
    """Draw none, a thick septum, or a thin sector anywhere."""
    kind = uniform(generator, 0.0, 1.0)
    if kind < 0.5:
        return ()
    is_thick = kind < 0.75
    angle = towards_right_rad + uniform(generator, -0.7, 0.7)
    anywhere = uniform(generator, -math.pi, math.pi)
    sector = Sector(
        angle_rad=angle if is_thick else anywhere,
        half_width_rad=uniform(generator, 0.4, 1.0),
        edge_rad=uniform(generator, 0.4, 0.9),
    )
    factor = uniform(generator, 1.3, 2.2) if is_thick else uniform(generator, 0.35, 0.7)
    inward = uniform(generator, 0.2, 0.8)
    return (WallChange(sector=sector, factor=factor, inward_fraction=inward),)


def _draw_outflow(
    generator: Generator, towards_right_rad: float, handedness: float, wall_mm: float
) -> Outflow | None:
    """Draw an outflow tract between septum and anterior wall, or none in the basal slice."""
    is_open = chance(generator, 0.45)
    angle = towards_right_rad - handedness * uniform(generator, 0.1, 1.4)
    sector = Sector(
        angle_rad=angle,
        half_width_rad=uniform(generator, 0.35, 0.9),
        edge_rad=uniform(generator, 0.15, 0.4),
    )
    bulge_mm = min(wall_mm, 12.0) * uniform(generator, 0.4, 1.3)
    depth_mm = uniform(generator, 8.0, 17.0)
    return Outflow(sector=sector, bulge_mm=bulge_mm, depth_mm=depth_mm) if is_open else None


def _draw_waves(
    generator: Generator, largest: tuple[tuple[int, float], ...], strength: float
) -> Waves:
    """Draw order, amplitude and phase of waves up to the largest amplitudes."""
    return tuple(
        (
            order,
            strength * uniform(generator, 0.1, 1.0) * amplitude,
            uniform(generator, 0.0, math.tau),
        )
        for order, amplitude in largest
    )


def _draw_papillaries(
    generator: Generator, towards_right_rad: float, handedness: float
) -> tuple[Papillary, ...]:
    """Draw the two groups of papillary muscles, each of one or two heads, or hardly any."""
    groups = []
    for usual in (0.7, -1.5):
        middle = towards_right_rad - math.pi + handedness * (usual + uniform(generator, -0.4, 0.4))
        radius = uniform(generator, 0.08, 0.24)
        reach = uniform(generator, 0.5, 0.85)
        n_heads = 2 if chance(generator, 0.4) else 1
        for head in range(n_heads):
            apart = (head - 0.5 * (n_heads - 1)) * uniform(generator, 0.3, 0.6)
            groups.append(
                Papillary(
                    angle_rad=middle + apart,
                    reach_fraction=reach * uniform(generator, 0.9, 1.0),
                    radius_fraction=radius / n_heads**0.5,
                )
            )
    return tuple(groups)


def _draw_wrapping(generator: Generator, *, beyond: bool) -> Wrapping:
    """Draw the fat around the heart and, in a few, an effusion."""
    fat_mm = uniform(generator, 0.0, 7.0)
    has_fluid = beyond or chance(generator, 0.15)
    deepest_mm = uniform(generator, 14.0, 20.0) if beyond else uniform(generator, 3.0, 12.0)
    return Wrapping(
        fat_mm=fat_mm,
        fat_swing_mm=uniform(generator, 0.2, 1.3) * min(fat_mm, 4.0),
        fluid_mm=deepest_mm if has_fluid else 0.0,
        fluid_angle_rad=uniform(generator, -math.pi, math.pi),
    )
