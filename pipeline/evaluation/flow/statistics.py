"""Agreement of found with true values, in the figures that the goals are set in."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from pipeline.evaluation.flow.records import FlowRecord

_MIN_DEFECT_SHARE = 0.8
_MAX_HEALTHY_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Relative differences (found - true) / true; NaN without any."""

    n_values: int
    bias: float
    """Mean."""
    root_mean_square: float
    lower_limit: float
    """Bland-Altman: mean minus 1.96 standard deviations."""
    upper_limit: float
    missing_fraction: float
    """Values that could not be found."""


def agreement(true: Sequence[float], found: Sequence[float]) -> Agreement:
    """Compare found with true values.

    Parameters
    ----------
    true
        Positive values.
    found
        In the same order; NaN where there is none.

    """
    relative = np.asarray(found, dtype=float) / np.asarray(true, dtype=float) - 1.0
    known = relative[np.isfinite(relative)]
    if not len(known):
        nothing = (math.nan,) * 4
        return _agreement(0, nothing, 1.0 if len(relative) else math.nan)
    bias, spread = float(known.mean()), float(known.std())
    figures = (
        bias,
        float(np.sqrt(np.square(known).mean())),
        bias - 1.96 * spread,
        bias + 1.96 * spread,
    )
    return _agreement(len(known), figures, 1.0 - len(known) / len(relative))


def _agreement(
    n_values: int, figures: tuple[float, float, float, float], missing: float
) -> Agreement:
    return Agreement(
        n_values=n_values,
        bias=figures[0],
        root_mean_square=figures[1],
        lower_limit=figures[2],
        upper_limit=figures[3],
        missing_fraction=missing,
    )


def of_segments(records: Iterable[FlowRecord]) -> Agreement:
    """Return the agreement of all true segments of all records."""
    rows = list(records)
    return agreement(
        [value for row in rows for value in row.segment_true],
        [value for row in rows for value in row.segment_found],
    )


def of_regions(records: Iterable[FlowRecord]) -> Agreement:
    """Return the agreement of all segments that the analyses name themselves."""
    rows = list(records)
    return agreement(
        [value for row in rows for value in row.region_true],
        [value for row in rows for value in row.region_found],
    )


def area_under_curve(low: Sequence[float], high: Sequence[float]) -> float:
    """Return the probability that one of the first is below one of the second, ties by half.

    Mann & Whitney 1947 (doi 10.1214/aoms/1177730491), U over the number of pairs.
    """
    low, high = ([value for value in values if math.isfinite(value)] for values in (low, high))
    if not low or not high:
        return math.nan
    ranks = rankdata([*low, *high])
    smaller = float(ranks[len(low) :].sum()) - len(high) * (len(high) + 1) / 2
    return smaller / (len(low) * len(high))


def defect_scores(records: Iterable[FlowRecord]) -> tuple[list[float], list[float]]:
    """Return the relative flow of sectors within a defect and of sectors outside one."""
    inside: list[float] = []
    outside: list[float] = []
    for row in records:
        for share, flow in zip(row.sector_defect_share, row.sector_relative_flow, strict=True):
            if share >= _MIN_DEFECT_SHARE:
                inside.append(flow)
            elif share <= _MAX_HEALTHY_SHARE:
                outside.append(flow)
    return inside, outside


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Share of truths within one and within 1.96 standard errors; NaN without any."""

    n_values: int
    within_68: float
    within_95: float


def pixel_coverage(records: Iterable[FlowRecord]) -> Coverage:
    """Return the coverage of pixels, joined over records."""
    rows = list(records)
    count = sum(row.n_with_error for row in rows)
    return Coverage(
        n_values=count,
        within_68=sum(row.n_within_68 for row in rows) / count if count else math.nan,
        within_95=sum(row.n_within_95 for row in rows) / count if count else math.nan,
    )


def region_scores(records: Iterable[FlowRecord]) -> list[float]:
    """Return (found - true) / standard error of all named segments that have one."""
    return [
        (found - true) / error
        for row in records
        for true, found, error in zip(
            row.region_true, row.region_found, row.region_standard_error, strict=True
        )
        if math.isfinite(found) and math.isfinite(error) and error > 0.0
    ]


def region_coverage(records: Iterable[FlowRecord]) -> Coverage:
    """Return the coverage of the segments that the analyses name themselves."""
    sizes = [abs(score) for score in region_scores(records)]
    return Coverage(
        n_values=len(sizes),
        within_68=sum(size <= 1.0 for size in sizes) / len(sizes) if sizes else math.nan,
        within_95=sum(size <= 1.96 for size in sizes) / len(sizes) if sizes else math.nan,
    )
