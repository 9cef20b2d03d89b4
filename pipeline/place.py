"""Where pixels and masks of a series lie in the patient."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.types import Geometry

Point = Float[Tensor, " xyz"]
"""DICOM patient coordinates, mm: left, back, head. Float64."""


def normal_of(geometry: Geometry) -> Point:
    """Return the unit vector across the plane of a series."""
    row, column = _directions(geometry)
    normal = torch.linalg.cross(row, column)
    unit: Tensor = normal / normal.norm().clamp_min(1e-12)
    return unit


def centre_mm(mask: Bool[Tensor, "row column"], geometry: Geometry) -> Point:
    """Return the centre of mass of a mask that is not empty."""
    row, column = mask.nonzero().double().mean(dim=0).tolist()
    return point_mm(row, column, geometry)


def point_mm(row: float, column: float, geometry: Geometry) -> Point:
    """Return where a point of an image lies in the patient (PS3.3 C.7.6.2.1.1)."""
    along_row, along_column = _directions(geometry)
    origin = torch.tensor(geometry.origin_mm, dtype=torch.float64)
    down = row * geometry.spacing_mm[0] * along_column
    point: Tensor = origin + down + column * geometry.spacing_mm[1] * along_row
    return point


def pixel_of(point: Point, geometry: Geometry) -> tuple[float, float]:
    """Return row and column of the pixel that a point lies above or below, px."""
    along_row, along_column = _directions(geometry)
    step = point - torch.tensor(geometry.origin_mm, dtype=torch.float64)
    row, column = geometry.spacing_mm
    return float(step @ along_column) / row, float(step @ along_row) / column


def _directions(geometry: Geometry) -> tuple[Point, Point]:
    row = torch.tensor(geometry.row_direction, dtype=torch.float64)
    return row, torch.tensor(geometry.column_direction, dtype=torch.float64)
