"""Parts of a heart that differ between patients: sectors of the wall, outflow, fat, fluid."""

from dataclasses import dataclass

import torch

from models.phantom.shapes import Plane, smooth_step

Position = tuple[float, float]
"""Row and column, mm, from the middle of the image."""
Waves = tuple[tuple[int, float, float], ...]
"""Order, amplitude and phase of waves around the heart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sector:
    """A range of angles with soft borders."""

    angle_rad: float
    half_width_rad: float
    edge_rad: float

    def at(self, angle: Plane) -> Plane:
        """Return 1 inside the sector, 0 outside, falling over its edge."""
        away = angle - self.angle_rad
        distance = torch.atan2(torch.sin(away), torch.cos(away)).abs()
        return smooth_step(0.5 - (distance - self.half_width_rad) / self.edge_rad)


@dataclass(frozen=True, slots=True, kw_only=True)
class WallChange:
    """A sector whose wall is thicker (hypertrophy) or thinner (old infarct) than the rest."""

    sector: Sector
    factor: float
    inward_fraction: float
    """Share of the change that the cavity loses or gains; the rest moves the outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Papillary:
    """One papillary muscle, a column along the slice normal."""

    angle_rad: float
    reach_fraction: float
    """Distance from the centre over the radius of the cavity."""
    radius_fraction: float
    """Radius over that of the cavity at the base."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outflow:
    """The outflow tract: at the base the ring of muscle is an open horseshoe."""

    sector: Sector
    bulge_mm: float
    """How far the tract reaches beyond the endocardium."""
    depth_mm: float
    """Along the slice normal from the basal slice to where the ring has closed."""

    def openness(self, offset_mm: float) -> float:
        """Return how open the ring is in a section, 0-1."""
        left = min(max(1.0 - offset_mm / self.depth_mm, 0.0), 1.0)
        return left * left * (3.0 - 2.0 * left)


@dataclass(frozen=True, slots=True, kw_only=True)
class RightVentricle:
    """An ellipse that the left ventricle overlaps; sizes relative to the left epicardium."""

    angle_rad: float
    reach_fraction: float
    half_axes_fraction: tuple[float, float]
    """Along the septum and across it."""
    wall_mm: float
    bands: tuple[tuple[float, float, float], ...]
    """Muscle bundles: angle from the middle of the ventricle, distance from the left ventricle
    over its epicardial radius, radius in mm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapping:
    """What surrounds both ventricles."""

    fat_mm: float
    fat_swing_mm: float
    """Of the thickness of the fat around the heart."""
    fluid_mm: float
    """Thickest place of the pericardial effusion."""
    fluid_angle_rad: float

    def __post_init__(self) -> None:
        if self.fat_mm < 0.0 or self.fluid_mm < 0.0:
            raise ValueError("layers around the heart cannot be negative")

    @property
    def has_effusion(self) -> bool:
        """Whether there is fluid in the pericardium."""
        return self.fluid_mm > 0.0


def sum_of_waves(waves: Waves, angle: Plane) -> Plane:
    """Return the sum of waves of given order, amplitude and phase."""
    parts = [amplitude * torch.cos(order * angle + phase) for order, amplitude, phase in waves]
    return torch.stack(parts).sum(0)
