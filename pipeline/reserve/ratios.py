"""Reserve of regions: ratio of mean flows, with its error."""

import math
from collections.abc import Sequence

from pipeline.measure import measure
from pipeline.regions import FlowStatistics, Layer
from pipeline.reserve.result import RegionReserve
from pipeline.types import SliceAnalysis


def measure_reserve(
    stress: Sequence[SliceAnalysis],
    partners: Sequence[tuple[SliceAnalysis, SliceAnalysis]],
) -> tuple[RegionReserve, ...]:
    """Measure the reserve in all regions.

    Parameters
    ----------
    stress
        All slices under stress.
    partners
        Those of them that show the same muscle as a slice at rest, each with that slice, divided at
        the same level.

    Returns
    -------
    The regions that flow under stress is measured in. One of which any slice has no partner has no
    number: the ratio would be that of other muscle. Each exam is divided by its own right
    ventricle, so that the reserve is the ratio of the numbers that stand on both pages.

    """
    at_rest = _by_name([below for _, below in partners])
    in_both = _by_name([above for above, _ in partners])
    found = []
    for region in measure(stress):
        key = region.name, region.layer
        reserve, error = math.nan, math.nan
        if key in at_rest and in_both.get(key) == region.flow:
            reserve, error = _ratio(region.flow, at_rest[key])
        found.append(
            RegionReserve(
                name=region.name,
                layer=region.layer,
                reserve=reserve,
                standard_error=error,
                segment=region.segment,
            )
        )
    return tuple(found)


def _by_name(slices: Sequence[SliceAnalysis]) -> dict[tuple[str, Layer], FlowStatistics]:
    return {(region.name, region.layer): region.flow for region in measure(slices)}


def _ratio(stress: FlowStatistics, rest: FlowStatistics) -> tuple[float, float]:
    """Return the ratio of two mean flows and its standard error, to first order.

    (se / reserve)² = (se_stress / stress)² + (se_rest / rest)². What both share, such as the
    haematocrit, cancels from the ratio and not from this sum, which is too large by that.
    """
    above, below = stress.mean_ml_min_g, rest.mean_ml_min_g
    if not (math.isfinite(above) and math.isfinite(below)) or min(above, below) <= 0.0:
        return math.nan, math.nan
    relative = math.hypot(
        stress.standard_error_ml_min_g / above, rest.standard_error_ml_min_g / below
    )
    return above / below, relative * above / below
