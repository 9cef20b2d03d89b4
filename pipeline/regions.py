"""The regions that flow is reported for: levels, AHA segments, territories, layers of the wall.

Segments are those of the American Heart Association (Cerqueira 2002,
doi 10.1161/hc0402.102975), 1 to 16: three short-axis slices have no apex, segment 17.
"""

from dataclasses import dataclass
from enum import StrEnum

from jaxtyping import Bool, Int
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceSectors:
    """AHA segments of one slice."""

    level: SliceLevel
    segment: Int[Tensor, "row column"]
    """AHA number 1-16 in the myocardium, 0 elsewhere."""
    is_endocardial: Bool[Tensor, "row column"]
    """Inner half of the wall."""


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
