"""The shape of one heart, drawn once per exam and cut by every slice.

Positions in mm from the centre of the image, rows downwards. Angles are seen on the image:
0 points right (the patient's left), a quarter turn points up (anterior).
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Generator

from models.phantom.heart_parts import (
    Outflow,
    Papillary,
    Position,
    RightVentricle,
    WallChange,
    Waves,
    Wrapping,
    sum_of_waves,
)
from models.phantom.randomness import uniform
from models.phantom.shapes import Plane, ellipse

_SMALLEST_CAVITY_MM = 3.0
_THINNEST_WALL_MM = 2.5
_THICKEST_WALL_MM = 26.0
_MEMBRANE_MM = 2.0
"""Wall of the aortic root: thin, and not myocardium."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heart:
    """Constants of one heart."""

    centre_mm: Position
    tilt_mm: Position
    """How far the left ventricle shifts in the image per mm along the slice normal."""
    handedness: float
    """1 as seen from below, as usual; -1 mirrored."""
    long_axis_mm: float
    """From the basal slice to the tip of the cavity."""
    bluntness: float
    """How near to the tip, over the long axis, a section can be; 1 closes the cavity."""
    outer_axis_mm: float | None
    """From the basal slice to the tip of the epicardium; None keeps the wall of the base."""
    right_ventricle: RightVentricle
    cavity_radius_mm: float
    wall_mm: float
    wall_asymmetry: float
    wall_angle_rad: float
    wall_changes: tuple[WallChange, ...]
    """Sectors that are thicker or thinner than the rest."""
    outflow: Outflow | None
    harmonics: Waves
    """Order, relative amplitude and phase of the undulations of both outlines."""
    trabeculae: Waves
    """The same of the muscle bundles that line the cavity and, like the papillary muscles, are
    said to belong to it."""
    papillaries: tuple[Papillary, ...]
    papillary_taper: tuple[float, float]
    """Between which tapers the papillary muscles are seen; not near base and apex."""
    wrapping: Wrapping

    @property
    def right_ventricle_angle_rad(self) -> float:
        """Where the right ventricle lies, seen from the left."""
        return self.right_ventricle.angle_rad


def draw_heart(generator: Generator) -> Heart:
    """Draw one heart."""
    orders = ((2, 0.05), (3, 0.03), (4, 0.015), (7, 0.012))
    right_ventricle = math.pi + uniform(generator, -0.35, 0.25)
    return Heart(
        centre_mm=(uniform(generator, -6.0, 8.0), uniform(generator, 4.0, 18.0)),
        tilt_mm=(uniform(generator, 0.0, 0.10), uniform(generator, 0.05, 0.2)),
        handedness=1.0,
        long_axis_mm=53.0,
        bluntness=0.9,
        outer_axis_mm=None,
        right_ventricle=RightVentricle(
            angle_rad=right_ventricle,
            reach_fraction=0.95,
            half_axes_fraction=(1.22, 1.02),
            wall_mm=3.5,
            bands=(),
        ),
        cavity_radius_mm=uniform(generator, 20.0, 25.0),
        wall_mm=uniform(generator, 8.0, 10.5),
        wall_asymmetry=uniform(generator, 0.03, 0.15),
        wall_angle_rad=right_ventricle + uniform(generator, -0.6, 0.6),
        wall_changes=(),
        outflow=None,
        harmonics=tuple(
            (order, uniform(generator, 0.3, 1.0) * amplitude, uniform(generator, 0.0, math.tau))
            for order, amplitude in orders
        ),
        trabeculae=(),
        papillaries=tuple(
            Papillary(angle_rad=angle, reach_fraction=0.62, radius_fraction=0.19)
            for angle in (
                right_ventricle - math.pi + uniform(generator, 0.5, 0.9),
                right_ventricle - math.pi - uniform(generator, 1.3, 1.8),
            )
        ),
        papillary_taper=(0.8, 0.99),
        wrapping=Wrapping(fat_mm=4.0, fat_swing_mm=2.5, fluid_mm=0.0, fluid_angle_rad=0.0),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartSection:
    """The heart in the plane of one slice."""

    heart: Heart
    offset_mm: float
    """Along the slice normal from the basal slice, positive towards the apex."""

    def beside(self, away_mm: float) -> "HeartSection":
        """Return the section of a parallel plane, its centre held where this one has it."""
        tilt, centre = self.heart.tilt_mm, self.heart.centre_mm
        held = (centre[0] - away_mm * tilt[0], centre[1] - away_mm * tilt[1])
        return HeartSection(
            heart=replace(self.heart, centre_mm=held), offset_mm=self.offset_mm + away_mm
        )

    @property
    def taper(self) -> float:
        """Radius of the section relative to the base: an ellipsoid, a cylinder above the base."""
        reach = min(max(self.offset_mm, 0.0) / self.heart.long_axis_mm, self.heart.bluntness)
        return math.sqrt(1.0 - reach**2)

    @property
    def is_closed(self) -> bool:
        """Whether the section lies beyond the cavity: muscle only."""
        return self.heart.cavity_radius_mm * self.taper < _SMALLEST_CAVITY_MM

    @property
    def centre_mm(self) -> tuple[float, float]:
        """Centre of the left ventricle."""
        return (
            self.heart.centre_mm[0] + self.offset_mm * self.heart.tilt_mm[0],
            self.heart.centre_mm[1] + self.offset_mm * self.heart.tilt_mm[1],
        )

    @property
    def wall_mm(self) -> float:
        """Mean thickness of the wall; an oblique cut near the apex shows more of it."""
        heart = self.heart
        if heart.outer_axis_mm is None:
            return heart.wall_mm
        reach = min(max(self.offset_mm, 0.0) / heart.outer_axis_mm, 0.95)
        outer_mm = (heart.cavity_radius_mm + heart.wall_mm) * math.sqrt(1.0 - reach**2)
        return max(outer_mm - heart.cavity_radius_mm * self.taper, heart.wall_mm)

    @property
    def epicardial_radius_mm(self) -> float:
        """Mean outer radius of the left ventricle."""
        return self.heart.cavity_radius_mm * self.taper + self.wall_mm

    def polar(self, rows: Plane, columns: Plane) -> tuple[Plane, Plane]:
        """Return radius, mm, and angle, rad, around the left ventricle."""
        down, right = rows - self.centre_mm[0], columns - self.centre_mm[1]
        return torch.hypot(down, right), torch.atan2(-down, right)

    def endocardial_radius_mm(self, angle: Plane) -> Plane:
        """Return the radius of the cavity at each angle; negative if the section is closed."""
        heart = self.heart
        if self.is_closed:
            return torch.full_like(angle, -1.0)
        cavity = heart.cavity_radius_mm * self.taper
        radius = cavity * (1.0 + sum_of_waves(heart.harmonics, angle))
        for change in heart.wall_changes:
            radius = radius - change.inward_fraction * self._added_mm(change, angle)
        if heart.wall_changes:
            radius = radius.clamp(min=0.4 * cavity)
        if heart.outflow is not None:
            radius = radius + heart.outflow.bulge_mm * self.opening(angle)
        return radius

    def wall_thickness_mm(self, angle: Plane) -> Plane:
        """Return the thickness of the wall at each angle."""
        heart = self.heart
        swing = heart.wall_asymmetry * torch.cos(angle - heart.wall_angle_rad)
        thickness = self.wall_mm * (1.0 + swing)
        for change in heart.wall_changes:
            thickness = thickness + self._added_mm(change, angle)
        if heart.wall_changes:
            thickness = thickness.clamp(_THINNEST_WALL_MM, _THICKEST_WALL_MM)
        if heart.outflow is not None:
            thickness = thickness * (1.0 - self.opening(angle)) + 1e-3
        return thickness

    def opening(self, angle: Plane) -> Plane:
        """Return how much of the wall is missing at each angle, 0-1: the outflow tract."""
        if self.heart.outflow is None:
            return torch.zeros_like(angle)
        return self.heart.outflow.openness(self.offset_mm) * self.heart.outflow.sector.at(angle)

    def _added_mm(self, change: WallChange, angle: Plane) -> Plane:
        return self.wall_mm * (change.factor - 1.0) * change.sector.at(angle)

    def depth(self, rows: Plane, columns: Plane) -> Plane:
        """Return the transmural position, 0 at the endocardium and 1 at the epicardium."""
        radius, angle = self.polar(rows, columns)
        return (radius - self.endocardial_radius_mm(angle)) / self.wall_thickness_mm(angle)

    def left_cavity(self, rows: Plane, columns: Plane) -> Plane:
        """Return the signed distance to the endocardium, mm."""
        radius, angle = self.polar(rows, columns)
        return radius - self.endocardial_radius_mm(angle)

    def trabeculae(self, rows: Plane, columns: Plane) -> Plane:
        """Return the signed distance to the blood between trabeculae, positive within muscle."""
        radius, angle = self.polar(rows, columns)
        relief = sum_of_waves(self.heart.trabeculae, angle).clamp(min=0.0)
        return radius - self.endocardial_radius_mm(angle) * (1.0 - relief)

    def left_outline(self, rows: Plane, columns: Plane) -> Plane:
        """Return the signed distance to the epicardium of the left ventricle, mm."""
        radius, angle = self.polar(rows, columns)
        return radius - self.endocardial_radius_mm(angle) - self.wall_thickness_mm(angle)

    def membrane_outline(self, rows: Plane, columns: Plane) -> Plane:
        """Return the signed distance to the outside of the thin wall of the outflow tract, mm."""
        _, angle = self.polar(rows, columns)
        return self.left_outline(rows, columns) - _MEMBRANE_MM * self.opening(angle)

    def right_outline(self, rows: Plane, columns: Plane, *, inset_mm: float) -> Plane:
        """Return the signed distance to the right ventricle, shrunk by the wall, mm.

        It is a crescent only once the left ventricle is painted over it.
        """
        right = self.heart.right_ventricle
        angle = right.angle_rad
        size = self.epicardial_radius_mm * max(self.taper, 0.35) ** 0.6
        reach = right.reach_fraction * size
        centre = (
            self.centre_mm[0] - reach * math.sin(angle),
            self.centre_mm[1] + reach * math.cos(angle),
        )
        along, across = right.half_axes_fraction
        half_axes = (max(along * size - inset_mm, 1.0), max(across * size - inset_mm, 1.0))
        return ellipse(rows, columns, centre, half_axes, -angle)

    def right_bands(self) -> tuple[tuple[Position, float], ...]:
        """Return centre and radius of the muscle bundles in the right ventricle."""
        right, size = self.heart.right_ventricle, self.epicardial_radius_mm
        return tuple(
            (
                (
                    self.centre_mm[0] - reach * size * math.sin(right.angle_rad + turn),
                    self.centre_mm[1] + reach * size * math.cos(right.angle_rad + turn),
                ),
                radius_mm,
            )
            for turn, reach, radius_mm in right.bands
        )

    def papillary_muscles(self) -> tuple[tuple[Position, float], ...]:
        """Return centre and radius of each papillary muscle; none near base and apex."""
        lowest, highest = self.heart.papillary_taper
        if not lowest < self.taper < highest:
            return ()
        cavity = self.heart.cavity_radius_mm
        return tuple(
            (
                (
                    self.centre_mm[0]
                    - muscle.reach_fraction * cavity * self.taper * math.sin(muscle.angle_rad),
                    self.centre_mm[1]
                    + muscle.reach_fraction * cavity * self.taper * math.cos(muscle.angle_rad),
                ),
                muscle.radius_fraction * cavity,
            )
            for muscle in self.heart.papillaries
        )

    def fat_outline(self, rows: Plane, columns: Plane) -> Plane:
        """Return the signed distance to the epicardial and mediastinal fat, mm."""
        _, angle = self.polar(rows, columns)
        wrapping = self.heart.wrapping
        from_right = self.heart.handedness * (angle - self.heart.right_ventricle_angle_rad)
        thickness = wrapping.fat_mm + wrapping.fat_swing_mm * torch.cos(2.0 * from_right + 1.0)
        both = torch.minimum(
            self.left_outline(rows, columns), self.right_outline(rows, columns, inset_mm=0.0)
        )
        return both - thickness

    def fluid_outline(self, rows: Plane, columns: Plane) -> Plane:
        """Return the signed distance to the outside of the pericardial fluid, mm."""
        _, angle = self.polar(rows, columns)
        wrapping = self.heart.wrapping
        swing = 0.5 + 0.5 * torch.cos(angle - wrapping.fluid_angle_rad)
        return self.fat_outline(rows, columns) - wrapping.fluid_mm * swing
