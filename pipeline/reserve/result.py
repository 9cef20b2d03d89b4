"""What stress and rest say together, as values."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from pipeline.findings import Finding
from pipeline.regions import Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveMap:
    """Reserve of one slice, on the pixels of the stress map; NaN where there is no number."""

    reserve: Float[Tensor, "row column"]
    """Of the pixels that enter a number: those next to a border of the wall have none."""
    rest_flow_ml_min_g: Float[Tensor, "row column"]
    """The rest map carried onto the pixels of the stress map, ml/min/g."""
    overlap_dice: float
    """Dice of both walls after shift, turn and scale alone, 0-1: the last step, which brings
    border to border, would make it 1 of anything."""
    rest_slice: int
    """Index of the slice of the rest exam."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionReserve:
    """Reserve of one region: ratio of the mean flows, not the mean of ratios."""

    name: str
    """As `RegionFlow.name`."""
    layer: Layer
    reserve: float
    """NaN when either flow has no number."""
    standard_error: float
    """Of the reserve; errors of both flows taken as independent."""
    segment: int | None = None
    """AHA number of a segment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """What stress and rest of one study say together."""

    maps: tuple[ReserveMap | None, ...]
    """One for each stress slice; None where there is no rest slice or the registration failed."""
    regions: tuple[RegionReserve, ...]
    findings: tuple[Finding, ...]
