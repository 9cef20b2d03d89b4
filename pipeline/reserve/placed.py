"""Walls of the left ventricle as they lie in the patient."""

from dataclasses import dataclass

from pipeline.quality.place import Point, normal_of, point_mm
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


def placed_walls(one: AnalysedExam) -> tuple[PlacedWall | None, ...]:
    """Return the wall of each slice of an exam; None where none is known."""
    return tuple(
        _placed(series.geometry, result.masks)
        for series, result in zip(one.exam.slices, one.analysis.slices, strict=True)
    )


def _placed(geometry: Geometry, masks: HeartMasks | None) -> PlacedWall | None:
    wall = None if masks is None else trace_wall(masks, geometry.spacing_mm)
    if masks is None or wall is None:
        return None
    return PlacedWall(
        masks=masks, wall=wall, geometry=geometry, septum=septum_of(masks, wall, geometry)
    )
