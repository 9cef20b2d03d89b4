"""The chest around the heart: wall, lungs and their vessels, organs below, spine and aorta.

Positions in mm from the centre of the image, rows downwards.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Generator

from models.phantom.randomness import uniform
from models.phantom.shapes import Plane, ellipse
from models.phantom.tissues import USUAL_TISSUES, Tissue

Position = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Oval:
    """An ellipse."""

    centre_mm: Position
    half_axes_mm: Position
    angle_rad: float = 0.0
    slant: Position = (0.0, 0.0)
    """Shift of the centre per mm along the slice normal."""

    def at(self, offset_mm: float) -> "Oval":
        """Return the outline in another plane."""
        row, column = self.centre_mm
        down, right = self.slant
        return replace(self, centre_mm=(row + offset_mm * down, column + offset_mm * right))

    def distance(self, rows: Plane, columns: Plane) -> Plane:
        """Return the signed distance to the outline, mm."""
        return ellipse(rows, columns, self.centre_mm, self.half_axes_mm, self.angle_rad)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """How the image is oriented and centred on the chest."""

    turn_rad: float
    handedness: float
    """-1 swaps left and right."""
    shift_mm: Position
    """Where the middle of an upright image lies in this one."""

    def local(self, rows: Plane, columns: Plane) -> tuple[Plane, Plane]:
        """Return where the points of the image lie in an upright one."""
        down, right = rows - self.shift_mm[0], columns - self.shift_mm[1]
        cosine, sine = math.cos(self.turn_rad), math.sin(self.turn_rad)
        return cosine * down + sine * right, self.handedness * (cosine * right - sine * down)

    def in_image(self, local_mm: Position) -> Position:
        """Return where a point of the upright image lies in this one."""
        down, right = local_mm[0], self.handedness * local_mm[1]
        cosine, sine = math.cos(self.turn_rad), math.sin(self.turn_rad)
        return (
            cosine * down - sine * right + self.shift_mm[0],
            sine * down + cosine * right + self.shift_mm[1],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Distractor:
    """Something round in the background."""

    tissue: Tissue
    oval: Oval


@dataclass(frozen=True, slots=True, kw_only=True)
class Thorax:
    """Constants of one chest."""

    pose: Pose | None
    """None stands for upright and centred."""
    tissues: tuple[Tissue, ...]
    """What there is to be seen, heart included."""
    texture_fraction: float
    """Smooth relative variation of proton density."""
    blood_texture_share: float
    """Variation of blood over that of tissue."""
    outline: Oval
    undulation: tuple[float, float, float]
    """Phases of the uneven thickness of the fat under the skin."""
    fat_mm: float
    muscle_mm: float
    liver: Oval
    stomach: Oval
    spleen: Oval
    spine: Oval
    aorta: Oval
    ribs: tuple[Oval, ...]
    lung_vessels: tuple[Oval, ...]
    pleural_fluid: Oval | None
    distractors: tuple[Distractor, ...]

    def at(self, offset_mm: float) -> "Thorax":
        """Return the chest in another plane: vessels and organs lie slanted."""
        return replace(
            self,
            liver=self.liver.at(offset_mm),
            stomach=self.stomach.at(offset_mm),
            spleen=self.spleen.at(offset_mm),
            lung_vessels=tuple(vessel.at(offset_mm) for vessel in self.lung_vessels),
            distractors=tuple(
                replace(distractor, oval=distractor.oval.at(offset_mm))
                for distractor in self.distractors
            ),
        )

    def local(self, rows: Plane, columns: Plane) -> tuple[Plane, Plane]:
        """Return positions in the upright image, which all outlines are given in."""
        return (rows, columns) if self.pose is None else self.pose.local(rows, columns)

    def in_image(self, local_mm: Position) -> Position:
        """Return where a point of the upright image lies in this one."""
        return local_mm if self.pose is None else self.pose.in_image(local_mm)

    def skin(self, rows: Plane, columns: Plane) -> Plane:
        """Return the signed distance to the skin, mm; the fat below is unevenly thick."""
        angle = torch.atan2(rows - self.outline.centre_mm[0], columns - self.outline.centre_mm[1])
        waves = [
            share * torch.cos(order * angle + phase)
            for order, share, phase in zip((2, 3, 5), (0.3, 0.2, 0.1), self.undulation, strict=True)
        ]
        uneven = self.fat_mm * torch.stack(waves).sum(0)
        return self.outline.distance(rows, columns) - uneven

    def muscle(self, rows: Plane, columns: Plane) -> Plane:
        """Return the signed distance to the outside of the muscle, mm."""
        return self.outline.distance(rows, columns) + self.fat_mm

    def cavity(self, rows: Plane, columns: Plane) -> Plane:
        """Return the signed distance to the inner chest wall, mm."""
        return self.outline.distance(rows, columns) + self.fat_mm + self.muscle_mm


def draw_thorax(generator: Generator) -> Thorax:
    """Draw one chest."""
    fat, muscle = uniform(generator, 9.0, 18.0), uniform(generator, 11.0, 15.0)
    half_axes = (uniform(generator, 120.0, 130.0), uniform(generator, 158.0, 178.0))
    inner_top = uniform(generator, -65.0, -57.0)
    centre = (inner_top - fat - muscle + half_axes[0], uniform(generator, -16.0, 0.0))
    bottom = centre[0] + half_axes[0] - fat - muscle
    outline = Oval(centre_mm=centre, half_axes_mm=half_axes)
    return Thorax(
        pose=None,
        tissues=USUAL_TISSUES,
        texture_fraction=0.03,
        blood_texture_share=1.0,
        outline=outline,
        undulation=(_turn(generator), _turn(generator), _turn(generator)),
        fat_mm=fat,
        muscle_mm=muscle,
        liver=Oval(
            centre_mm=(uniform(generator, 76.0, 84.0), uniform(generator, -78.0, -60.0)),
            half_axes_mm=(uniform(generator, 30.0, 36.0), 82.0),
            angle_rad=uniform(generator, -0.25, 0.0),
        ),
        stomach=Oval(
            centre_mm=(uniform(generator, 70.0, 78.0), uniform(generator, 50.0, 66.0)),
            half_axes_mm=(uniform(generator, 20.0, 26.0), uniform(generator, 34.0, 42.0)),
            angle_rad=uniform(generator, 0.1, 0.5),
        ),
        spleen=Oval(
            centre_mm=(uniform(generator, 88.0, 98.0), 108.0),
            half_axes_mm=(36.0, 18.0),
            angle_rad=-0.4,
        ),
        spine=Oval(centre_mm=(bottom - 16.0, centre[1] - 14.0), half_axes_mm=(16.0, 21.0)),
        aorta=_round((bottom - 46.0, centre[1] + 12.0), uniform(generator, 10.0, 12.5)),
        ribs=draw_ribs(generator, outline, fat + 0.5 * muscle),
        lung_vessels=tuple(_draw_vessel(generator) for _ in range(60)),
        pleural_fluid=None,
        distractors=(),
    )


def _turn(generator: Generator) -> float:
    return uniform(generator, 0.0, math.tau)


def _round(centre_mm: Position, radius_mm: float) -> Oval:
    return Oval(centre_mm=centre_mm, half_axes_mm=(radius_mm, radius_mm))


def draw_ribs(generator: Generator, outline: Oval, inset_mm: float) -> tuple[Oval, ...]:
    """Draw ribs cut obliquely: flat ovals along the wall at uneven distances."""
    ribs = []
    turn = uniform(generator, 0.0, 0.3)
    while turn < math.tau:
        down, right = math.cos(turn), math.sin(turn)
        centre = (
            outline.centre_mm[0] - (outline.half_axes_mm[0] - inset_mm) * down,
            outline.centre_mm[1] + (outline.half_axes_mm[1] - inset_mm) * right,
        )
        flat = (uniform(generator, 3.0, 4.5), uniform(generator, 6.0, 13.0))
        along = math.atan2(outline.half_axes_mm[0] * right, outline.half_axes_mm[1] * down)
        ribs.append(Oval(centre_mm=centre, half_axes_mm=flat, angle_rad=along))
        turn += uniform(generator, 0.25, 0.45)
    return tuple(ribs)


def _draw_vessel(generator: Generator) -> Oval:
    """Draw a lung vessel: small, many, cut at any angle."""
    thickness = 1.0 + 2.2 * uniform(generator, 0.0, 1.0) ** 2
    return Oval(
        centre_mm=(uniform(generator, -60.0, 75.0), uniform(generator, -140.0, 140.0)),
        half_axes_mm=(thickness, thickness * uniform(generator, 1.0, 4.0)),
        angle_rad=_turn(generator),
    )
