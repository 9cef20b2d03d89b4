"""Reserve of regions: ratio of mean flows, with its error."""

import math
from collections.abc import Sequence

from pipeline.measure import measure
from pipeline.regions import FlowStatistics
from pipeline.reserve.result import RegionReserve
from pipeline.types import SliceAnalysis


def measure_reserve(
    stress: Sequence[SliceAnalysis], rest: Sequence[SliceAnalysis]
) -> tuple[RegionReserve, ...]:
    """Measure the reserve in all regions of the slices that both exams share.

    Parameters
    ----------
    stress, rest
        Slices that show the same muscle, each divided at the same level, in the same order.

    Returns
    -------
    The regions that flow under stress is measured in. Each exam is divided by its own right
    ventricle, so that the reserve is the ratio of the numbers that stand on its page.

    """
    at_rest = {(region.name, region.layer): region.flow for region in measure(rest)}
    found = []
    for region in measure(stress):
        other = at_rest.get((region.name, region.layer))
        reserve, error = (math.nan, math.nan) if other is None else _ratio(region.flow, other)
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
