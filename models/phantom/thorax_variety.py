"""Chests of every build and orientation, with organs and other round things anywhere."""

import math

from torch import Generator

from models.phantom.heart import Heart
from models.phantom.heart_parts import Position
from models.phantom.randomness import chance, log_uniform, uniform
from models.phantom.thorax import Distractor, Oval, Pose, Thorax, draw_ribs
from models.phantom.tissues import Tissue

_DISTRACTORS = (Tissue.MASS, Tissue.OTHER_MASS, Tissue.LUNG_VESSEL, Tissue.AORTA)
_NOWHERE = Oval(centre_mm=(2000.0, 2000.0), half_axes_mm=(1.0, 1.0))
"""An organ that the slice does not cut."""


def draw_wide_thorax(generator: Generator, heart: Heart, *, beyond: bool = False) -> Thorax:
    """Draw a chest of the wide range that the heart fits into.

    Parameters
    ----------
    generator
        Source of randomness.
    heart
        The chest is placed around it.
    beyond
        Much fluid, and the heart on either side.

    """
    fat_mm = log_uniform(generator, 2.0, 35.0)
    muscle_mm = uniform(generator, 6.0, 20.0)
    half_axes = (uniform(generator, 85.0, 115.0), uniform(generator, 115.0, 155.0))
    cavity = Oval(centre_mm=(0.0, 0.0), half_axes_mm=half_axes)
    wall_mm = fat_mm + muscle_mm
    outline = Oval(
        centre_mm=(0.0, 0.0), half_axes_mm=(half_axes[0] + wall_mm, half_axes[1] + wall_mm)
    )
    bottom = half_axes[0]
    aside = uniform(generator, -0.3, 0.3) * half_axes[1]
    return Thorax(
        pose=_draw_pose(generator, heart, cavity, beyond=beyond),
        tissues=tuple(Tissue),
        texture_fraction=uniform(generator, 0.0, 0.1),
        blood_texture_share=0.2,
        outline=outline,
        undulation=(
            uniform(generator, 0.0, math.tau),
            uniform(generator, 0.0, math.tau),
            uniform(generator, 0.0, math.tau),
        ),
        fat_mm=fat_mm,
        muscle_mm=muscle_mm,
        liver=_draw_organ(generator, cavity, (28.0, 48.0), (45.0, 95.0)),
        stomach=_draw_organ(generator, cavity, (15.0, 30.0), (22.0, 50.0)),
        spleen=_draw_organ(generator, cavity, (12.0, 24.0), (22.0, 45.0)),
        spine=Oval(
            centre_mm=(bottom - uniform(generator, 5.0, 25.0), aside),
            half_axes_mm=(uniform(generator, 13.0, 20.0), uniform(generator, 15.0, 24.0)),
        ),
        aorta=_draw_aorta(generator, bottom, aside),
        ribs=draw_ribs(generator, outline, fat_mm + 0.5 * muscle_mm),
        lung_vessels=tuple(
            _draw_vessel(generator, cavity) for _ in range(int(uniform(generator, 10.0, 80.0)))
        ),
        pleural_fluid=_draw_pleural_fluid(generator, cavity, beyond=beyond),
        distractors=tuple(
            _draw_distractor(generator, cavity) for _ in range(int(uniform(generator, 0.0, 5.0)))
        ),
    )


def _draw_pose(generator: Generator, heart: Heart, cavity: Oval, *, beyond: bool) -> Pose:
    """Place the chest so that the heart lies free in it, at the front more often than not."""
    turn = uniform(generator, -0.7, 0.7) if chance(generator, 0.6) else uniform(generator, 0.0, 6.3)
    handedness = 1.0 if chance(generator, 0.5) else -1.0
    middle, reach_mm = _enclosing_disc(heart)
    room = [max(half - reach_mm - 4.0, 0.0) for half in cavity.half_axes_mm]
    forward = uniform(generator, -1.0, 0.2)
    sideways = uniform(generator, -0.3, 0.9) * math.sqrt(max(1.0 - forward**2, 0.1))
    if beyond and chance(generator, 0.5):
        sideways = -sideways
    down, right = room[0] * forward, room[1] * sideways * handedness
    cosine, sine = math.cos(turn), math.sin(turn)
    return Pose(
        turn_rad=turn,
        handedness=handedness,
        shift_mm=(
            middle[0] - cosine * down + sine * right,
            middle[1] - sine * down - cosine * right,
        ),
    )


def _enclosing_disc(heart: Heart) -> tuple[Position, float]:
    """Return centre and radius of a disc around both ventricles at the base, mm."""
    right = heart.right_ventricle
    size = heart.cavity_radius_mm + heart.wall_mm
    outermost = max((right.reach_fraction + right.half_axes_fraction[1]) * size, size)
    along = 0.5 * (outermost - size)
    centre = (
        heart.centre_mm[0] - along * math.sin(right.angle_rad),
        heart.centre_mm[1] + along * math.cos(right.angle_rad),
    )
    return centre, 0.5 * (outermost + size)


def _draw_organ(
    generator: Generator,
    cavity: Oval,
    thickness_mm: tuple[float, float],
    length_mm: tuple[float, float],
) -> Oval:
    """Draw an organ that bulges into the cavity from any side, or is not in the slice."""
    from_centre = uniform(generator, 0.0, math.tau)
    depth = uniform(generator, 0.7, 1.05)
    half_axes = (uniform(generator, *thickness_mm), uniform(generator, *length_mm))
    tangential = from_centre + uniform(generator, -0.4, 0.4)
    slant = _draw_slant(generator, 0.4)
    if chance(generator, 0.2):
        return _NOWHERE
    return Oval(
        centre_mm=(
            -depth * cavity.half_axes_mm[0] * math.cos(from_centre),
            depth * cavity.half_axes_mm[1] * math.sin(from_centre),
        ),
        half_axes_mm=half_axes,
        angle_rad=tangential,
        slant=slant,
    )


def _draw_aorta(generator: Generator, bottom_mm: float, aside_mm: float) -> Oval:
    radius = uniform(generator, 8.0, 16.0)
    return Oval(
        centre_mm=(
            bottom_mm - uniform(generator, 25.0, 50.0),
            aside_mm + uniform(generator, 5.0, 40.0),
        ),
        half_axes_mm=(radius, radius * uniform(generator, 0.9, 1.2)),
    )


def _draw_vessel(generator: Generator, cavity: Oval) -> Oval:
    """Draw a lung vessel: most are small, a few as large as at the hilum."""
    thickness = 0.8 + 6.0 * uniform(generator, 0.0, 1.0) ** 6
    row, column = cavity.half_axes_mm
    return Oval(
        centre_mm=(uniform(generator, -row, row), uniform(generator, -column, column)),
        half_axes_mm=(thickness, thickness * uniform(generator, 1.0, 3.0)),
        angle_rad=uniform(generator, 0.0, math.tau),
        slant=_draw_slant(generator, 1.0),
    )


def _draw_slant(generator: Generator, most: float) -> Position:
    return uniform(generator, -most, most), uniform(generator, -most, most)


def _draw_pleural_fluid(generator: Generator, cavity: Oval, *, beyond: bool) -> Oval | None:
    """Draw fluid that has gathered on one side of the cavity in a few patients."""
    side = -1.0 if chance(generator, 0.5) else 1.0
    row, column = cavity.half_axes_mm
    fluid = Oval(
        centre_mm=(
            uniform(generator, 0.3, 0.9) * row,
            side * uniform(generator, 0.6, 1.0) * column,
        ),
        half_axes_mm=(uniform(generator, 25.0, 60.0), uniform(generator, 20.0, 45.0)),
    )
    return fluid if chance(generator, 0.6 if beyond else 0.12) else None


def _draw_distractor(generator: Generator, cavity: Oval) -> Distractor:
    """Draw an oval of any size somewhere in the chest: a mass, an atrium, a great vessel."""
    tissue = _DISTRACTORS[int(uniform(generator, 0.0, float(len(_DISTRACTORS))))]
    row, column = cavity.half_axes_mm
    size = log_uniform(generator, 5.0, 30.0)
    oval = Oval(
        centre_mm=(uniform(generator, -row, row), uniform(generator, -column, column)),
        half_axes_mm=(size, size * uniform(generator, 0.6, 1.7)),
        angle_rad=uniform(generator, 0.0, math.tau),
        slant=_draw_slant(generator, 0.4),
    )
    return Distractor(tissue=tissue, oval=oval)
