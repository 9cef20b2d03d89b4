"""Paired comparison of two methods on the same exams."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import rankdata, wilcoxon

_MIN_PAIRS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """First minus second method, over the exams that both have."""

    n_pairs: int
    median_difference: float
    effect: float
    """Matched-pairs rank-biserial correlation, -1 to 1: the share of rank sums in favour of larger
    values of the first method minus that of smaller ones (Kerby 2014, doi 10.2466/11.IT.3.1)."""
    p_value: float
    """Two-sided Wilcoxon signed-rank test; NaN with fewer than five pairs."""


def compare_pairs(first: Sequence[float], second: Sequence[float]) -> Comparison:
    """Compare paired values; pairs with a value that is not known are left out.

    Parameters
    ----------
    first, second
        One value per exam, in the same order.

    """
    difference = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    difference = difference[np.isfinite(difference)]
    moved = difference[difference != 0]
    return Comparison(
        n_pairs=len(difference),
        median_difference=float(np.median(difference)) if len(difference) else math.nan,
        effect=_effect(moved),
        p_value=float(wilcoxon(moved).pvalue) if len(moved) >= _MIN_PAIRS else math.nan,
    )


def _effect(moved: Float[np.ndarray, " pair"]) -> float:
    if not len(moved):
        return 0.0
    ranks = rankdata(np.abs(moved))
    return float((ranks * np.sign(moved)).sum() / ranks.sum())
