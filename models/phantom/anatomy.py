"""Painting one slice: which tissue fills how much of every point of a fine grid."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from models.phantom.heart import HeartSection
from models.phantom.perfusion import FlowPattern, MyocardialCurves, sample_flow_coordinates
from models.phantom.randomness import normals
from models.phantom.shapes import Plane, coverage, disc
from models.phantom.thorax import Thorax
from models.phantom.tissues import BLOOD, Tissue


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
    canvas = _Canvas(grid, thorax.tissues)
    _paint_chest(canvas, thorax.at(section.offset_mm))
    _paint_around(canvas, section)
    right_ventricle = canvas.filled[Tissue.RIGHT_BLOOD]
    _paint_right_bands(canvas, section, right_ventricle)
    outer = coverage(section.left_outline(*grid), canvas.edge_mm)
    inner = coverage(section.left_cavity(*grid), canvas.edge_mm)
    canvas.clear(outer)
    muscle = outer * (1.0 - inner)
    papillary = inner * _papillary_coverage(section, grid, canvas.edge_mm)
    canvas.add(Tissue.LEFT_BLOOD, inner - papillary)
    angle, depth = sample_flow_coordinates(section, *grid)
    flow = pattern.flow_ml_min_g(slice_index, angle, depth)
    levels = curves.hats(flow) * (muscle + papillary)
    texture = _texture(generator, muscle.shape, thorax.texture_fraction)
    weights = torch.cat([torch.stack(list(canvas.filled.values())), levels])
    return SlicePicture(
        tissues=tuple(canvas.filled),
        weights=weights * _texture_by_class(texture, thorax, weights.shape[0]),
        myocardium=muscle,
        left_ventricle=inner,
        right_ventricle=right_ventricle * (1.0 - outer),
        papillary=papillary,
    )


class _Canvas:
    """Weights of all tissues so far; later paint covers earlier paint."""

    def __init__(self, grid: tuple[Plane, Plane], tissues: tuple[Tissue, ...]) -> None:
        self.grid = grid
        self.edge_mm = float(grid[0][1, 0] - grid[0][0, 0])
        self.filled = {tissue: torch.zeros_like(grid[0]) for tissue in tissues}
        self._used: set[Tissue] = set()

    def paint(self, tissue: Tissue, distance: Plane) -> None:
        """Cover everything inside an outline with one tissue."""
        inside = coverage(distance, self.edge_mm)
        self.clear(inside)
        self.add(tissue, inside)

    def clear(self, inside: Plane) -> None:
        left = 1.0 - inside
        for tissue in self._used:
            self.filled[tissue] = self.filled[tissue] * left

    def add(self, tissue: Tissue, amount: Plane) -> None:
        self._used.add(tissue)
        self.filled[tissue] = self.filled[tissue] + amount


def _paint_chest(canvas: _Canvas, thorax: Thorax) -> None:
    grid = thorax.local(*canvas.grid)
    canvas.paint(Tissue.FAT, thorax.skin(*grid))
    canvas.paint(Tissue.MUSCLE, thorax.muscle(*grid))
    for rib in thorax.ribs:
        canvas.paint(Tissue.BONE, rib.distance(*grid))
    cavity = thorax.cavity(*grid)
    canvas.paint(Tissue.LUNG, cavity)
    vessels = _vessel_coverage(canvas, thorax, grid)
    in_lung = vessels * coverage(cavity + 4.0, canvas.edge_mm)
    canvas.clear(in_lung)
    canvas.add(Tissue.LUNG_VESSEL, in_lung)
    organs = (
        (Tissue.LIVER, thorax.liver),
        (Tissue.STOMACH, thorax.stomach),
        (Tissue.SPLEEN, thorax.spleen),
    )
    for tissue, organ in organs:
        canvas.paint(tissue, torch.maximum(organ.distance(*grid), cavity + 1.0))
    canvas.paint(Tissue.MUSCLE, thorax.spine.distance(*grid) - 9.0)
    canvas.paint(Tissue.BONE, thorax.spine.distance(*grid))
    canvas.paint(Tissue.AORTA, thorax.aorta.distance(*grid))
    if thorax.pleural_fluid is not None:
        fluid = torch.maximum(thorax.pleural_fluid.distance(*grid), cavity + 1.0)
        canvas.paint(Tissue.FLUID, fluid)
    for distractor in thorax.distractors:
        canvas.paint(distractor.tissue, distractor.oval.distance(*grid))


def _vessel_coverage(canvas: _Canvas, thorax: Thorax, grid: tuple[Plane, Plane]) -> Plane:
    """Return how much of each point lies in a lung vessel; each is looked for near itself only."""
    covered = torch.zeros_like(grid[0])
    first = [float(axis[0, 0]) for axis in canvas.grid]
    for vessel in thorax.lung_vessels:
        reach_mm = max(vessel.half_axes_mm) + canvas.edge_mm
        middle = thorax.in_image(vessel.centre_mm)
        window = tuple(
            slice(
                max(math.floor((at - reach_mm - start) / canvas.edge_mm), 0),
                max(math.ceil((at + reach_mm - start) / canvas.edge_mm) + 1, 0),
            )
            for at, start in zip(middle, first, strict=True)
        )
        near = coverage(vessel.distance(grid[0][window], grid[1][window]), canvas.edge_mm)
        covered[window] = torch.maximum(covered[window], near)
    return covered


def _paint_around(canvas: _Canvas, section: HeartSection) -> None:
    """Paint what the left ventricle lies in: fluid, fat, the right ventricle."""
    grid, heart = canvas.grid, section.heart
    if heart.wrapping.has_effusion:
        canvas.paint(Tissue.FLUID, section.fluid_outline(*grid))
    canvas.paint(Tissue.FAT, section.fat_outline(*grid))
    canvas.paint(Tissue.RIGHT_WALL, section.right_outline(*grid, inset_mm=0.0))
    inset_mm = heart.right_ventricle.wall_mm
    canvas.paint(Tissue.RIGHT_BLOOD, section.right_outline(*grid, inset_mm=inset_mm))
    if heart.outflow is not None:
        canvas.paint(Tissue.RIGHT_WALL, section.membrane_outline(*grid))


def _paint_right_bands(canvas: _Canvas, section: HeartSection, right_ventricle: Plane) -> None:
    """Paint muscle bundles, which the right ventricle is said to contain like its blood."""
    for centre, radius in section.right_bands():
        inside = coverage(disc(*canvas.grid, centre, radius), canvas.edge_mm) * right_ventricle
        canvas.clear(inside)
        canvas.add(Tissue.RIGHT_WALL, inside)


def _papillary_coverage(section: HeartSection, grid: tuple[Plane, Plane], edge_mm: float) -> Plane:
    covered = torch.zeros_like(grid[0])
    for centre, radius in section.papillary_muscles():
        covered = torch.maximum(covered, coverage(disc(*grid, centre, radius), edge_mm))
    if section.heart.trabeculae and not section.is_closed:
        covered = torch.maximum(covered, 1.0 - coverage(section.trabeculae(*grid), edge_mm))
    return covered


def _texture(generator: Generator, shape: torch.Size, fraction: float) -> Plane:
    """Return a smooth relative variation of proton density around 1."""
    coarse = normals(generator, (shape[0] // 8) * (shape[1] // 8)).to(torch.float32)
    pattern = coarse.reshape(1, 1, shape[0] // 8, shape[1] // 8)
    fine = torch.nn.functional.interpolate(pattern, size=shape, mode="bicubic", align_corners=False)
    return 1.0 + fraction * fine[0, 0]


def _texture_by_class(
    texture: Plane, thorax: Thorax, n_classes: int
) -> Float[Tensor, "class_or_one row column"]:
    """Return the texture of each class; mixed blood has less of it than tissue."""
    if thorax.blood_texture_share == 1.0:
        return texture[None]
    share = torch.ones(n_classes)
    for index, tissue in enumerate(thorax.tissues):
        if tissue in BLOOD:
            share[index] = thorax.blood_texture_share
    return 1.0 + share[:, None, None] * (texture - 1.0)
