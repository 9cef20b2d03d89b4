"""Reserve of regions: ratio of mean flows, with its error."""

import math
from collections.abc import Sequence

from pipeline.measure import measure
from pipeline.regions import FlowStatistics, Layer
from pipeline.reserve.result import RegionReserve
from pipeline.types import SliceAnalysis

SYSTEMATIC_CORRELATION = 0.5
"""Between the systematic errors of both exams, assumed: most of each is the kind of tissue, which
is the same in both, but what it does to flow depends on flow."""


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
    below_all = [below for _, below in partners]
    systematic = min((_systematic(one) for one in (*stress, *below_all)), default=0.0)
    at_rest = _by_name(below_all)
    in_both = _by_name([above for above, _ in partners])
    found = []
    for region in measure(stress):
        key = region.name, region.layer
        reserve, error = math.nan, math.nan
        if key in at_rest and in_both.get(key) == region.flow:
            reserve, error = _ratio(region.flow, at_rest[key], systematic)
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


def _systematic(result: SliceAnalysis) -> float:
    return 0.0 if result.flow is None else result.flow.systematic_fraction


def _ratio(stress: FlowStatistics, rest: FlowStatistics, systematic: float) -> tuple[float, float]:
    """Return the ratio of two mean flows and its standard error, to first order.

    (se / reserve)² = (se_stress / stress)² + (se_rest / rest)² - 2 rho systematic², with the
    relative error `systematic` that each exam has as a whole and rho = `SYSTEMATIC_CORRELATION`.
    """
    above, below = stress.mean_ml_min_g, rest.mean_ml_min_g
    if not (math.isfinite(above) and math.isfinite(below)) or min(above, below) <= 0.0:
        return math.nan, math.nan
    both = (stress.standard_error_ml_min_g / above) ** 2
    both += (rest.standard_error_ml_min_g / below) ** 2
    shared = 2 * SYSTEMATIC_CORRELATION * systematic**2
    return above / below, math.sqrt(max(both - shared, 0.0)) * above / below
