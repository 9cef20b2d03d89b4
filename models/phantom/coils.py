"""Shading of the image by receive coils, after whatever the scanner did against it."""

import math
from enum import StrEnum

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from models.phantom.randomness import uniform
from models.phantom.shapes import Plane

Grid = tuple[Plane, Plane]
Point = tuple[float, float]


class CoilShading(StrEnum):
    """The shape of the shading."""

    MILD = "mild"
    """An array in front and behind, as after a normalisation that did not go all the way."""
    FLAT = "flat"
    """Normalised."""
    FRONT = "front"
    """An array in front alone, not normalised."""
    SIDE = "side"
    """Brighter towards one side, which may be any."""
    WAVES = "waves"
    """Smooth hills and valleys."""


def draw_coil(
    generator: Generator, shading: CoilShading, grid: Grid, centre_mm: Point, strength: float
) -> Plane:
    """Return the sensitivity on a grid, 1 at a given point.

    Parameters
    ----------
    generator
        Source of randomness.
    shading
        Its shape.
    grid
        Row and column positions, mm.
    centre_mm
        Where it is 1: the heart.
    strength
        Largest factor between any point and that one, for all shapes but `MILD` and `FLAT`.

    """
    if shading is CoilShading.MILD:
        return coil_sensitivity(generator, grid, centre_mm)
    if shading is CoilShading.FLAT:
        return torch.ones_like(grid[0])
    draw = {
        CoilShading.FRONT: _front,
        CoilShading.SIDE: _side,
        CoilShading.WAVES: _waves,
    }[shading]
    level = draw(generator, grid)
    nearest = (grid[0] - centre_mm[0]).square() + (grid[1] - centre_mm[1]).square()
    level = level - level.flatten()[nearest.argmin()]
    return torch.exp(math.log(strength) * level / level.abs().max().clamp_min(1e-6))


def coil_sensitivity(generator: Generator, grid: Grid, centre_mm: Point) -> Plane:
    """Return a smooth shading, brightest near the anterior coil, 1 at a given point.

    Every element falls off as 1 / (1 + (r/R)^2); anterior elements are stronger, as after a
    normalisation of the scanner that did not go all the way.
    """
    elements = [
        (-150.0 + uniform(generator, -10.0, 10.0), column + uniform(generator, -15.0, 15.0), 1.0)
        for column in (-90.0, 0.0, 90.0)
    ] + [(190.0, column, 0.55) for column in (-70.0, 70.0)]
    reach_mm = uniform(generator, 125.0, 165.0)

    def shading(rows: Tensor, columns: Tensor) -> Tensor:
        distance2 = [(rows - row) ** 2 + (columns - column) ** 2 for row, column, _ in elements]
        parts = [
            strength / (1.0 + d2 / reach_mm**2)
            for d2, (_, _, strength) in zip(distance2, elements, strict=True)
        ]
        return torch.stack(parts).sum(0)

    return shading(*grid) / shading(torch.tensor(centre_mm[0]), torch.tensor(centre_mm[1]))


def _front(generator: Generator, grid: Grid) -> Float[Tensor, "row column"]:
    row, column = uniform(generator, -170.0, -120.0), uniform(generator, -40.0, 40.0)
    reach2 = uniform(generator, 70.0, 130.0) ** 2
    return -torch.log1p(((grid[0] - row).square() + (grid[1] - column).square()) / reach2)


def _side(generator: Generator, grid: Grid) -> Float[Tensor, "row column"]:
    angle = uniform(generator, 0.0, math.tau)
    along = math.cos(angle) * grid[0] + math.sin(angle) * grid[1]
    return torch.tanh(along / uniform(generator, 80.0, 250.0))


def _waves(generator: Generator, grid: Grid) -> Float[Tensor, "row column"]:
    level = torch.zeros_like(grid[0])
    for _ in range(3):
        angle = uniform(generator, 0.0, math.tau)
        wavelength_mm = uniform(generator, 200.0, 500.0)
        along = math.cos(angle) * grid[0] + math.sin(angle) * grid[1]
        level = level + torch.cos(
            math.tau * along / wavelength_mm + uniform(generator, 0.0, math.tau)
        )
    return level
