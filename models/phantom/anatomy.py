"""Painting one slice: which tissue fills how much of every point of a fine grid."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from models.phantom.heart import HeartSection, sample_flow_coordinates
from models.phantom.perfusion import FlowPattern, MyocardialCurves
from models.phantom.randomness import normals, uniform
from models.phantom.shapes import Plane, coverage, disc, ellipse
from models.phantom.tissues import Tissue

Position = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thorax:
    """Constants of the chest around the heart, mm from the centre of the image."""

    centre_mm: Position
    half_axes_mm: Position
    fat_mm: float
    muscle_mm: float
    liver: tuple[Position, Position, float]
    """Centre, half axes, angle."""
    stomach: tuple[Position, Position, float]
    spleen: tuple[Position, Position, float]
    spine: tuple[Position, float]
    aorta: tuple[Position, float]
    ribs: tuple[Position, ...]
    lung_vessels: tuple[tuple[Position, float], ...]

    def wall(self, rows: Plane, columns: Plane, *, inset_mm: float) -> Plane:
        """Return the signed distance to the skin, moved inwards."""
        half_axes = (self.half_axes_mm[0] - inset_mm, self.half_axes_mm[1] - inset_mm)
        return ellipse(rows, columns, self.centre_mm, half_axes)

    @property
    def cavity_inset_mm(self) -> float:
        """From the skin to the lung."""
        return self.fat_mm + self.muscle_mm


def draw_thorax(generator: Generator) -> Thorax:
    """Draw one chest."""
    centre = (38.0 + uniform(generator, -4.0, 4.0), -12.0 + uniform(generator, -6.0, 6.0))
    half_axes = (uniform(generator, 116.0, 126.0), uniform(generator, 150.0, 168.0))
    fat, muscle = uniform(generator, 9.0, 18.0), uniform(generator, 12.0, 16.0)
    ring = [half - fat - 0.45 * muscle for half in half_axes]
    turns = [0.28 * k + 0.1 * uniform(generator, -1.0, 1.0) for k in range(23)]
    return Thorax(
        centre_mm=centre,
        half_axes_mm=half_axes,
        fat_mm=fat,
        muscle_mm=muscle,
        liver=((uniform(generator, 84.0, 92.0), -62.0), (40.0, 78.0), uniform(generator, -0.3, -0.1)),
        stomach=((uniform(generator, 80.0, 90.0), 58.0), (26.0, 38.0), uniform(generator, 0.1, 0.5)),
        spleen=((uniform(generator, 92.0, 100.0), 108.0), (32.0, 17.0), -0.3),
        spine=((centre[0] + half_axes[0] - 46.0, -38.0), 19.0),
        aorta=((centre[0] + half_axes[0] - 68.0, -8.0), uniform(generator, 10.0, 12.5)),
        ribs=tuple(
            (centre[0] - ring[0] * math.cos(turn), centre[1] + ring[1] * math.sin(turn))
            for turn in turns
        ),
        lung_vessels=tuple(
            (
                (uniform(generator, -75.0, 75.0), uniform(generator, -140.0, 140.0)),
                uniform(generator, 1.2, 3.8),
            )
            for _ in range(70)
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicePicture:
    """How much of each point of the fine grid is filled by each class, in reference position."""

    tissues: tuple[Tissue, ...]
    """Classes of the leading weights; the rest are the flow levels of the myocardium."""
    weights: Float[Tensor, "class row column"]
    myocardium: Plane
    left_ventricle: Plane
    """Everything inside the endocardium, papillary muscles included."""
    right_ventricle: Plane
    papillary: Plane

    @property
    def left_blood(self) -> int:
        """Index of the class of arterial blood."""
        return self.tissues.index(Tissue.LEFT_BLOOD)


def paint_slice(
    section: HeartSection,
    thorax: Thorax,
    pattern: FlowPattern,
    curves: MyocardialCurves,
    *,
    slice_index: int,
    grid: tuple[Plane, Plane],
    generator: Generator,
) -> SlicePicture:
    """Paint the chest, then the heart over it, then split the myocardium into flow levels."""
    canvas = _Canvas(grid)
    _paint_chest(canvas, thorax)
    canvas.paint(Tissue.FAT, section.fat_outline(*grid))
    canvas.paint(Tissue.RIGHT_WALL, section.right_outline(*grid, inset_mm=0.0))
    canvas.paint(Tissue.RIGHT_BLOOD, section.right_outline(*grid, inset_mm=3.5))
    right_ventricle = canvas.filled[Tissue.RIGHT_BLOOD]
    outer = coverage(section.left_outline(*grid), canvas.edge_mm)
    inner = coverage(section.left_cavity(*grid), canvas.edge_mm)
    canvas.clear(outer)
    muscle = outer * (1.0 - inner)
    papillary = inner * _papillary_coverage(section, grid, canvas.edge_mm)
    canvas.add(Tissue.LEFT_BLOOD, inner - papillary)
    angle, depth = sample_flow_coordinates(section, *grid)
    flow = pattern.flow_ml_min_g(slice_index, angle, depth)
    levels = curves.hats(flow) * (muscle + papillary)
    return SlicePicture(
        tissues=tuple(canvas.filled),
        weights=torch.cat([torch.stack(list(canvas.filled.values())), levels])
        * _texture(generator, muscle.shape),
        myocardium=muscle,
        left_ventricle=inner,
        right_ventricle=right_ventricle * (1.0 - outer),
        papillary=papillary,
    )


class _Canvas:
    """Weights of all tissues so far; later paint covers earlier paint."""

    def __init__(self, grid: tuple[Plane, Plane]) -> None:
        self.grid = grid
        self.edge_mm = float(grid[0][1, 0] - grid[0][0, 0])
        self.filled = {tissue: torch.zeros_like(grid[0]) for tissue in Tissue}

    def paint(self, tissue: Tissue, distance: Plane) -> None:
        """Cover everything inside an outline with one tissue."""
        inside = coverage(distance, self.edge_mm)
        self.clear(inside)
        self.add(tissue, inside)

    def clear(self, inside: Plane) -> None:
        for tissue, filled in self.filled.items():
            self.filled[tissue] = filled * (1.0 - inside)

    def add(self, tissue: Tissue, amount: Plane) -> None:
        self.filled[tissue] = self.filled[tissue] + amount


def _paint_chest(canvas: _Canvas, thorax: Thorax) -> None:
    grid = canvas.grid
    canvas.paint(Tissue.FAT, thorax.wall(*grid, inset_mm=0.0))
    canvas.paint(Tissue.MUSCLE, thorax.wall(*grid, inset_mm=thorax.fat_mm))
    for centre in thorax.ribs:
        canvas.paint(Tissue.BONE, disc(*grid, centre, 4.5))
    cavity = thorax.wall(*grid, inset_mm=thorax.cavity_inset_mm)
    canvas.paint(Tissue.LUNG, cavity)
    for centre, radius in thorax.lung_vessels:
        canvas.paint(Tissue.LUNG_VESSEL, torch.maximum(disc(*grid, centre, radius), cavity + 4.0))
    organs = (
        (Tissue.LIVER, thorax.liver),
        (Tissue.STOMACH, thorax.stomach),
        (Tissue.SPLEEN, thorax.spleen),
    )
    for tissue, (centre, half_axes, angle) in organs:
        canvas.paint(tissue, torch.maximum(ellipse(*grid, centre, half_axes, angle), cavity + 1.0))
    canvas.paint(Tissue.BONE, disc(*grid, *thorax.spine))
    canvas.paint(Tissue.AORTA, disc(*grid, *thorax.aorta))


def _papillary_coverage(
    section: HeartSection, grid: tuple[Plane, Plane], edge_mm: float
) -> Plane:
    covered = torch.zeros_like(grid[0])
    for centre, radius in section.papillary_muscles():
        covered = torch.maximum(covered, coverage(disc(*grid, centre, radius), edge_mm))
    return covered


def _texture(generator: Generator, shape: torch.Size) -> Plane:
    """Return a smooth relative variation of proton density around 1."""
    coarse = normals(generator, (shape[0] // 8) * (shape[1] // 8)).to(torch.float32)
    pattern = coarse.reshape(1, 1, shape[0] // 8, shape[1] // 8)
    fine = torch.nn.functional.interpolate(pattern, size=shape, mode="bicubic", align_corners=False)
    return 1.0 + 0.03 * fine[0, 0]
