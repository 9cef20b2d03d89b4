"""Paired comparison against scipy and by its laws."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wilcoxon

from pipeline.evaluation.statistics import compare_pairs

VALUES = st.lists(st.floats(-10, 10), min_size=8, max_size=30, unique=True)


@given(VALUES)
def test_agrees_with_scipy(values: list[float]) -> None:
    moved = [value for value in values if value != 0]
    found = compare_pairs(values, [0.0] * len(values))
    reference = wilcoxon(moved)
    total = len(moved) * (len(moved) + 1) / 2
    assert found.p_value == pytest.approx(float(reference.pvalue))
    # Scipy's two-sided statistic is the smaller of the two rank sums.
    assert abs(found.effect) == pytest.approx(1 - 2 * float(reference.statistic) / total)


@given(VALUES)
def test_turns_its_sign_with_the_order(values: list[float]) -> None:
    zeros = [0.0] * len(values)
    there, back = compare_pairs(values, zeros), compare_pairs(zeros, values)
    assert there.effect == pytest.approx(-back.effect)
    assert there.median_difference == pytest.approx(-back.median_difference)
    assert there.p_value == pytest.approx(back.p_value)


def test_leaves_out_pairs_that_are_not_known() -> None:
    found = compare_pairs([1.0, math.nan, 3.0], [0.0, 0.0, math.nan])
    assert (found.n_pairs, found.effect) == (1, 1.0)
    assert math.isnan(found.p_value)


def test_says_nothing_of_nothing() -> None:
    found = compare_pairs([], [])
    assert (found.n_pairs, found.effect) == (0, 0.0)
    assert math.isnan(found.median_difference)
