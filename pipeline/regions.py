"""The regions that flow is reported for: levels, AHA segments, territories, layers of the wall.

Segments are those of the American Heart Association (Cerqueira 2002,
doi 10.1161/hc0402.102975), 1 to 16: three short-axis slices have no apex, segment 17.
"""

from dataclasses import dataclass
from enum import StrEnum

from jaxtyping import Bool, Float, Int
from torch import Tensor


class SliceLevel(StrEnum):
    """Where a short-axis slice cuts the left ventricle."""

    BASAL = "basal"
    MID = "mid"
    APICAL = "apical"


class Territory(StrEnum):
    """Coronary territory by the usual assignment of AHA segments."""

    LAD = "LAD"
    LCX = "LCX"
    RCA = "RCA"


_SIX = ("anterior", "anteroseptal", "inferoseptal", "inferior", "inferolateral", "anterolateral")
_FOUR = ("anterior", "septal", "inferior", "lateral")

SEGMENTS: dict[SliceLevel, tuple[int, ...]] = {
    SliceLevel.BASAL: (1, 2, 3, 4, 5, 6),
    SliceLevel.MID: (7, 8, 9, 10, 11, 12),
    SliceLevel.APICAL: (13, 14, 15, 16),
}
"""AHA segments of each level."""

SEGMENT_NAMES: dict[int, str] = {
    number: f"{number} {level} {wall}"
    for level, numbers in SEGMENTS.items()
    for number, wall in zip(numbers, _FOUR if len(numbers) == 4 else _SIX, strict=True)
}
"""As in a table: `7 mid anterior`."""

TERRITORIES: dict[Territory, tuple[int, ...]] = {
    Territory.LAD: (1, 2, 7, 8, 13, 14),
    Territory.RCA: (3, 4, 9, 10, 15),
    Territory.LCX: (5, 6, 11, 12, 16),
}
"""The usual assignment (Cerqueira 2002); in a given patient it may differ."""


def territory_of(segment: int) -> Territory:
    """Return the territory of an AHA segment."""
    return next(territory for territory, numbers in TERRITORIES.items() if segment in numbers)


def level_of(segment: int) -> SliceLevel:
    """Return the level of an AHA segment."""
    return next(level for level, numbers in SEGMENTS.items() if segment in numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceSectors:
    """AHA segments of one slice."""

    level: SliceLevel
    segment: Int[Tensor, "row column"]
    """AHA number 1-16 in the myocardium, 0 elsewhere; all 0 where no septum is known."""
    is_endocardial: Bool[Tensor, "row column"]
    """Inner half of the wall."""
    border_px: Float[Tensor, "row column"]
    """Distance to the nearer border of the wall, pixels; 0 outside the myocardium."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowStatistics:
    """Flow of a region."""

    mean_ml_min_g: float
    """NaN when too little of the region has a number; so are the others then."""
    median_ml_min_g: float
    sd_ml_min_g: float
    """Between pixels."""
    standard_error_ml_min_g: float
    """Of the mean; neighbouring pixels share what is shared."""
    n_pixels: int
    valid_fraction: float


class Layer(StrEnum):
    """Part of the wall from inside out."""

    WHOLE = "whole"
    ENDOCARDIAL = "endocardial"
    EPICARDIAL = "epicardial"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionFlow:
    """Flow of one region of the left ventricle."""

    name: str
    """`global`, `basal`, `LAD`, or an AHA segment such as `7 mid anterior`."""
    layer: Layer
    flow: FlowStatistics
    segment: int | None = None
    """AHA number of a segment."""
