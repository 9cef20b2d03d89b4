"""Walls of the left ventricle as they lie in the patient."""

from dataclasses import dataclass

from pipeline.place import Point, normal_of, point_mm
from pipeline.quality.stress import AnalysedExam
from pipeline.segment.insertions import Septum, septum_of
from pipeline.segment.wall import Wall, trace_wall
from pipeline.types import Geometry, HeartMasks


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacedWall:
    """The wall of one slice."""

    masks: HeartMasks
    wall: Wall
    geometry: Geometry
    septum: Septum | None

    @property
    def centre_mm(self) -> Point:
        """The point that the borders are traced around, in patient axes."""
        rays = self.wall.rays
        return point_mm(rays.centre_row, rays.centre_column, self.geometry)

    @property
    def normal(self) -> Point:
        """Unit vector across the slice."""
        return normal_of(self.geometry)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """The slices of an exam."""

    planes: tuple[Geometry, ...]
    walls: tuple[PlacedWall | None, ...]
    """None where none is known."""

    def nearest(self, point_mm: Point) -> int:
        """Return the index of the slice whose plane is nearest to a point of the patient."""
        return min(range(len(self.planes)), key=lambda index: self._distance_mm(index, point_mm))

    def _distance_mm(self, index: int, point_mm: Point) -> float:
        plane = self.planes[index]
        origin = point_mm.new_tensor(plane.origin_mm)
        return abs(float((point_mm - origin) @ normal_of(plane)))


def stack_of(one: AnalysedExam) -> Stack:
    """Return the slices of an exam with the walls that are known."""
    pairs = zip(one.exam.slices, one.analysis.slices, strict=True)
    return Stack(
        planes=tuple(series.geometry for series in one.exam.slices),
        walls=tuple(_placed(series.geometry, result.masks) for series, result in pairs),
    )


def _placed(geometry: Geometry, masks: HeartMasks | None) -> PlacedWall | None:
    wall = None if masks is None else trace_wall(masks, geometry.spacing_mm)
    if masks is None or wall is None:
        return None
    return PlacedWall(
        masks=masks, wall=wall, geometry=geometry, septum=septum_of(masks, wall, geometry)
    )
