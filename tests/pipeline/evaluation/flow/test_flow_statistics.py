"""Bias, limits, coverage and area under the curve are what they are called."""

import math

import pytest
import torch

from pipeline.evaluation.flow.statistics import agreement, area_under_curve


def test_agreement_of_known_errors() -> None:
    """Errors of +10 and -10 % cancel in the bias and not in the RMSE."""
    found = agreement([1.0, 2.0, 4.0], [1.1, 1.8, math.nan])
    assert found.n_values == 2
    assert found.bias == pytest.approx(0.0, abs=1e-9)
    assert found.root_mean_square == pytest.approx(0.1)
    assert found.upper_limit == pytest.approx(0.196)
    assert found.lower_limit == pytest.approx(-0.196)
    assert found.missing_fraction == pytest.approx(1 / 3)


def test_nothing_known_is_nothing() -> None:
    """No value is not a good value."""
    assert math.isnan(agreement([1.0], [math.nan]).bias)
    assert agreement([1.0], [math.nan]).missing_fraction == 1.0
    assert math.isnan(area_under_curve([], [1.0]))


def test_area_counts_pairs() -> None:
    """Each pair in order counts one, each tie a half."""
    assert area_under_curve([1.0, 2.0], [3.0, 4.0]) == 1.0
    assert area_under_curve([3.0, 4.0], [1.0, 2.0]) == 0.0
    assert area_under_curve([1.0, 3.0], [2.0, 3.0]) == pytest.approx((1 + 1 + 0 + 0.5) / 4)


def test_area_of_normal_scores() -> None:
    """Two normal distributions one SD apart: Phi(1 / sqrt 2)."""
    generator = torch.Generator().manual_seed(1)
    first, second = torch.randn(2, 4000, generator=generator, dtype=torch.float64)
    assert area_under_curve(first.tolist(), (second + 1.0).tolist()) == pytest.approx(
        0.7602, abs=0.012
    )
