"""Stress beside rest: perfusion reserve, pixel by pixel and for regions.

Myocardial perfusion reserve (MPR) is the ratio of flow under stress to flow at rest.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from pipeline.findings import Finding
from pipeline.regions import Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveMap:
    """Reserve of one slice, on the pixels of the stress map; NaN where there is no number."""

    reserve: Float[Tensor, "row column"]
    rest_flow_ml_min_g: Float[Tensor, "row column"]
    """The rest map carried onto the pixels of the stress map, ml/min/g."""
    overlap_dice: float
    """Dice of both walls after registration, 0-1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionReserve:
    """Reserve of one region: ratio of the mean flows, not the mean of ratios."""

    name: str
    """As `RegionFlow.name`."""
    layer: Layer
    reserve: float
    """NaN when either flow has no number."""
    standard_error: float
    segment: int | None = None
    """AHA number of a segment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """What stress and rest of one study say together."""

    maps: tuple[ReserveMap | None, ...]
    """One for each stress slice; None where there is no rest slice or the registration failed."""
    regions: tuple[RegionReserve, ...]
    findings: tuple[Finding, ...]
