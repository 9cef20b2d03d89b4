"""Which slice at rest cuts the same muscle as a slice under stress.

By place in the patient, never by number: one of the exams may have been planned anew, lack a slice,
or be stored from apex to base.
"""

import math

from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code
from pipeline.reserve.placed import PlacedWall, Stack

_APART_THICKNESSES = 0.5
"""Distance along the normal, in thicknesses of the slice: at half of one, half of what both show
is the same muscle."""
_MOST_TILT_DEG = 10.0
"""Between both planes. At the radius of the wall, 30 mm, 10 degrees are 5 mm."""
_BESIDE_MM = 30.0
"""Within the planes, between the middles of both cavities. Breath-holds differ by 20 mm at most;
further apart, the patient was moved and places of slices mean nothing."""


def partner_of(index: int, stress: Stack, rest: Stack) -> int:
    """Return the index of the slice at rest that shows the muscle of a slice under stress.

    Parameters
    ----------
    index
        The slice under stress.
    stress, rest
        All slices of both exams.

    Raises
    ------
    CannotQuantifyError
        P10 where a wall is not known, P03 where no slice at rest is near enough, or the nearest one
        is nearer to another slice under stress.

    """
    wall = stress.walls[index]
    if wall is None:
        raise _unknown("under stress")
    if not rest.planes:
        raise _too_far("there is no slice at rest")
    nearest = rest.nearest(wall.centre_mm)
    other = rest.walls[nearest]
    if other is None:
        raise _unknown("at rest")
    _check_place(wall, other)
    if stress.nearest(other.centre_mm) != index:
        raise _too_far("the nearest slice at rest lies nearer to another slice")
    return nearest


def _check_place(wall: PlacedWall, other: PlacedWall) -> None:
    cosine = abs(float(wall.normal @ other.normal))
    tilt_deg = math.degrees(math.acos(min(1.0, cosine)))
    if tilt_deg > _MOST_TILT_DEG:
        raise _too_far(f"the slice at rest is tilted by {tilt_deg:.0f} degrees")
    along_mm, beside_mm = _way_mm(wall, other)
    thickness_mm = min(wall.geometry.thickness_mm, other.geometry.thickness_mm)
    if along_mm > _APART_THICKNESSES * thickness_mm:
        raise _too_far(f"the nearest slice at rest is {along_mm:.1f} mm away")
    if beside_mm > _BESIDE_MM:
        text = f"the heart at rest lies {beside_mm:.0f} mm beside: the patient was moved"
        raise _too_far(text)


def _way_mm(wall: PlacedWall, other: PlacedWall) -> tuple[float, float]:
    """Return the way between both hearts along the normal of the first, and within its plane."""
    way = other.centre_mm - wall.centre_mm
    along = float(way @ wall.normal)
    return abs(along), math.sqrt(max(0.0, float(way @ way) - along**2))


def _unknown(state: str) -> CannotQuantifyError:
    text = f"no wall is known {state}, no reserve."
    return CannotQuantifyError(Code.SEGMENTATION_UNCERTAIN, text)


def _too_far(text: str) -> CannotQuantifyError:
    return CannotQuantifyError(Code.FEW_SLICES, f"{text}, no reserve.")
