"""The shape of one heart, drawn once per exam and cut by every slice.

Positions in mm from the centre of the image, rows downwards. Angles are seen on the image:
0 points right (the patient's left), a quarter turn points up (anterior).
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from models.phantom.randomness import uniform
from models.phantom.shapes import Plane, ellipse

_LONG_AXIS_MM = 53.0
"""From the basal slice to the tip of the cavity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heart:
    """Constants of one heart."""

    centre_mm: tuple[float, float]
    tilt_mm: tuple[float, float]
    """How far the left ventricle shifts in the image per mm along the slice normal."""
    right_ventricle_angle_rad: float
    cavity_radius_mm: float
    wall_mm: float
    wall_asymmetry: float
    wall_angle_rad: float
    harmonics: tuple[tuple[int, float, float], ...]
    """Order, relative amplitude and phase of the undulations of the endocardium."""
    papillary_angles_rad: tuple[float, float]


def draw_heart(generator: Generator) -> Heart:
    """Draw one heart."""
    orders = ((2, 0.05), (3, 0.03), (4, 0.015), (7, 0.012))
    right_ventricle = math.pi + uniform(generator, -0.35, 0.25)
    return Heart(
        centre_mm=(uniform(generator, -6.0, 8.0), uniform(generator, 4.0, 18.0)),
        tilt_mm=(uniform(generator, 0.0, 0.10), uniform(generator, 0.05, 0.2)),
        right_ventricle_angle_rad=right_ventricle,
        cavity_radius_mm=uniform(generator, 20.0, 25.0),
        wall_mm=uniform(generator, 8.0, 10.5),
        wall_asymmetry=uniform(generator, 0.03, 0.15),
        wall_angle_rad=right_ventricle + uniform(generator, -0.6, 0.6),
        harmonics=tuple(
            (order, uniform(generator, 0.3, 1.0) * amplitude, uniform(generator, 0.0, math.tau))
            for order, amplitude in orders
        ),
        papillary_angles_rad=(
            right_ventricle - math.pi + uniform(generator, 0.5, 0.9),
            right_ventricle - math.pi - uniform(generator, 1.3, 1.8),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartSection:
    """The heart in the plane of one slice."""

    heart: Heart
    offset_mm: float
    """Along the slice normal from the basal slice, positive towards the apex."""

    @property
    def taper(self) -> float:
        """Radius of the section relative to the base: an ellipsoid."""
        reach = min(self.offset_mm / _LONG_AXIS_MM, 0.9)
        return math.sqrt(1.0 - reach**2)

    @property
    def centre_mm(self) -> tuple[float, float]:
        """Centre of the left ventricle."""
        return (
            self.heart.centre_mm[0] + self.offset_mm * self.heart.tilt_mm[0],
            self.heart.centre_mm[1] + self.offset_mm * self.heart.tilt_mm[1],
        )

    @property
    def epicardial_radius_mm(self) -> float:
        """Mean outer radius of the left ventricle."""
        return self.heart.cavity_radius_mm * self.taper + self.heart.wall_mm

    def polar(self, rows: Plane, columns: Plane) -> tuple[Plane, Plane]:
        """Return radius, mm, and angle, rad, around the left ventricle."""
        down, right = rows - self.centre_mm[0], columns - self.centre_mm[1]
        return torch.hypot(down, right), torch.atan2(-down, right)

    def endocardial_radius_mm(self, angle: Plane) -> Plane:
        """Return the radius of the cavity at each angle."""
        waves = [
            amplitude * torch.cos(order * angle + phase)
            for order, amplitude, phase in self.heart.harmonics
        ]
        return self.heart.cavity_radius_mm * self.taper * (1.0 + torch.stack(waves).sum(0))

    def wall_thickness_mm(self, angle: Plane) -> Plane:
        """Return the thickness of the wall at each angle."""
        swing = self.heart.wall_asymmetry * torch.cos(angle - self.heart.wall_angle_rad)
        return self.heart.wall_mm * (1.0 + swing)

    def depth(self, rows: Plane, columns: Plane) -> Plane:
        """Return the transmural position, 0 at the endocardium and 1 at the epicardium."""
        radius, angle = self.polar(rows, columns)
        return (radius - self.endocardial_radius_mm(angle)) / self.wall_thickness_mm(angle)

    def left_cavity(self, rows: Plane, columns: Plane) -> Plane:
        """Return the signed distance to the endocardium, mm."""
        radius, angle = self.polar(rows, columns)
        return radius - self.endocardial_radius_mm(angle)

    def left_outline(self, rows: Plane, columns: Plane) -> Plane:
        """Return the signed distance to the epicardium of the left ventricle, mm."""
        radius, angle = self.polar(rows, columns)
        return radius - self.endocardial_radius_mm(angle) - self.wall_thickness_mm(angle)

    def right_outline(self, rows: Plane, columns: Plane, *, inset_mm: float) -> Plane:
        """Return the signed distance to the right ventricle, shrunk by the wall, mm.

        It is a crescent only once the left ventricle is painted over it.
        """
        epicardium = self.epicardial_radius_mm
        angle = self.heart.right_ventricle_angle_rad
        size = epicardium * self.taper**0.6
        reach = 0.95 * size
        centre = (
            self.centre_mm[0] - reach * math.sin(angle),
            self.centre_mm[1] + reach * math.cos(angle),
        )
        half_axes = (
            1.22 * size - inset_mm,
            1.02 * size - inset_mm,
        )
        return ellipse(rows, columns, centre, half_axes, -angle)

    def papillary_muscles(self) -> tuple[tuple[tuple[float, float], float], ...]:
        """Return centre and radius of each papillary muscle; none near base and apex."""
        if not 0.8 < self.taper < 0.99:
            return ()
        reach = 0.62 * self.heart.cavity_radius_mm * self.taper
        radius = 0.19 * self.heart.cavity_radius_mm
        return tuple(
            (
                (
                    self.centre_mm[0] - reach * math.sin(angle),
                    self.centre_mm[1] + reach * math.cos(angle),
                ),
                radius,
            )
            for angle in self.heart.papillary_angles_rad
        )

    def fat_outline(self, rows: Plane, columns: Plane) -> Plane:
        """Return the signed distance to the epicardial and mediastinal fat, mm."""
        _, angle = self.polar(rows, columns)
        thickness = 4.0 + 2.5 * torch.cos(
            2.0 * (angle - self.heart.right_ventricle_angle_rad) + 1.0
        )
        both = torch.minimum(
            self.left_outline(rows, columns), self.right_outline(rows, columns, inset_mm=0.0)
        )
        return both - thickness


def sample_flow_coordinates(
    section: HeartSection, rows: Plane, columns: Plane
) -> tuple[Float[Tensor, "row column"], Float[Tensor, "row column"]]:
    """Return angle relative to the right ventricle, rad in -pi..pi, and transmural depth 0-1."""
    _, angle = section.polar(rows, columns)
    relative = angle - section.heart.right_ventricle_angle_rad
    wrapped = torch.atan2(torch.sin(relative), torch.cos(relative))
    return wrapped, section.depth(rows, columns).clamp(0.0, 1.0)
