"""Convolution with a polygon at uneven times: against quadrature, dcmri, and its own laws."""

import itertools

import dcmri
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.kinetics import (
    ExponentialResponse,
    TabulatedResponse,
    convolution_matrix,
    convolve,
    convolve_uniform,
    interpolate,
)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


@st.composite
def inputs(draw):
    """Draw an input and its uneven sample times."""
    gaps = draw(st.lists(st.floats(0.05, 3.0), min_size=3, max_size=12))
    level = st.floats(-2.0, 5.0)
    values = draw(st.lists(level, min_size=len(gaps) + 1, max_size=len(gaps) + 1))
    start = draw(st.floats(-5.0, 5.0))
    return double(values), start + torch.cat([torch.zeros(1), double(gaps).cumsum(0)])


rates = st.one_of(st.just(0.0), st.floats(1e-9, 5.0))


def by_quadrature(response, arterial, time_s, at_s):
    """Integrate h(s) a(at - s) by fine midpoints between all corners of the input."""
    corners = torch.cat([(at_s - time_s), torch.zeros(1, dtype=torch.float64)]).clamp(min=0.0)
    edges = torch.unique(corners)
    total = 0.0
    for low, high in itertools.pairwise(edges):
        middle = low + (high - low) * (torch.arange(2000, dtype=torch.float64) + 0.5) / 2000
        area = response.response(middle) * interpolate(arterial, time_s, at_s - middle)
        total += float(area.sum() * (high - low) / 2000)
    return total


@given(given_input=inputs(), rate=rates)
def test_exponential_equals_fine_quadrature(given_input, rate):
    arterial, time_s = given_input
    response = ExponentialResponse(amplitude_1_s=double([0.7]), rate_1_s=double([rate]))
    found = convolve(response, arterial, time_s)[-1]
    expected = by_quadrature(response, arterial, time_s, time_s[-1])
    assert float(found) == pytest.approx(expected, rel=1e-5, abs=1e-5)


@given(given_input=inputs(), time_constant_s=st.floats(0.2, 50.0))
def test_exponential_equals_dcmri(given_input, time_constant_s):
    arterial, time_s = given_input
    rate = double([1.0 / time_constant_s])
    theirs = dcmri.expconv(arterial.numpy(), time_constant_s, time_s.numpy())
    ours = convolve(ExponentialResponse(amplitude_1_s=rate, rate_1_s=rate), arterial, time_s)
    assert ours.numpy() == pytest.approx(theirs, abs=1e-10)


@given(given_input=inputs(), rate=st.floats(0.0, 0.0999999))
def test_slow_exponentials_join_the_series_smoothly(given_input, rate):
    arterial, time_s = given_input
    below, above = (
        convolve(
            ExponentialResponse(amplitude_1_s=double([1.0]), rate_1_s=double([rate + nudge])),
            arterial,
            time_s,
        )
        for nudge in (0.0, 1e-9)
    )
    assert torch.allclose(below, above, atol=1e-5)


@given(given_input=inputs())
def test_constant_response_integrates_the_polygon(given_input):
    arterial, time_s = given_input
    response = ExponentialResponse(amplitude_1_s=double([1.0]), rate_1_s=double([0.0]))
    area = torch.cumulative_trapezoid(arterial, time_s)
    assert torch.allclose(convolve(response, arterial, time_s)[1:], area, atol=1e-9)


@given(given_input=inputs(), data=st.data())
def test_convolution_is_linear_in_the_input(given_input, data):
    arterial, time_s = given_input
    factor = data.draw(st.floats(-3.0, 3.0))
    other = torch.sin(time_s)
    response = ExponentialResponse(amplitude_1_s=double([0.4]), rate_1_s=double([0.3]))
    together = convolve(response, arterial + factor * other, time_s)
    apart = convolve(response, arterial, time_s) + factor * convolve(response, other, time_s)
    assert torch.allclose(together, apart, atol=1e-9)


@given(given_input=inputs(), seed=st.integers(0, 1000))
def test_more_samples_on_the_same_polygon_change_nothing(given_input, seed):
    arterial, time_s = given_input
    generator = torch.Generator().manual_seed(seed)
    extra = time_s[0] + (time_s[-1] - time_s[0]) * torch.rand(
        5, generator=generator, dtype=torch.float64
    )
    finer_s = torch.unique(torch.cat([time_s, extra]))
    if float(finer_s.diff().min()) < 1e-6:
        return
    response = ExponentialResponse(amplitude_1_s=double([0.4]), rate_1_s=double([0.3]))
    finer = convolve(response, interpolate(arterial, time_s, finer_s), finer_s, at_s=time_s)
    assert torch.allclose(finer, convolve(response, arterial, time_s), atol=1e-7)


@given(given_input=inputs(), shift_s=st.floats(0.0, 4.0))
def test_a_delay_is_a_shift_of_the_wanted_times(given_input, shift_s):
    arterial, time_s = given_input
    response = ExponentialResponse(amplitude_1_s=double([0.4]), rate_1_s=double([0.3]))
    late = convolve(response, arterial, time_s + shift_s, at_s=time_s + shift_s)
    assert torch.allclose(late, convolve(response, arterial, time_s), atol=1e-9)


def test_nothing_comes_before_the_input():
    response = ExponentialResponse(amplitude_1_s=double([0.4]), rate_1_s=double([0.3]))
    early = convolve(response, double([1.0, 2.0]), double([3.0, 4.0]), at_s=double([0.0, 2.9, 3.0]))
    assert early.tolist() == [0.0, 0.0, 0.0]


def test_a_fine_table_of_an_exponential_acts_like_it():
    knot_s = torch.linspace(0.0, 40.0, 4001, dtype=torch.float64)
    smooth = ExponentialResponse(amplitude_1_s=double([0.5]), rate_1_s=double([0.2]))
    table = TabulatedResponse(knot_s=knot_s, value_1_s=smooth.response(knot_s))
    time_s = double([0.0, 0.7, 1.9, 2.4, 5.0, 9.0, 20.0])
    arterial = double([0.0, 1.0, 4.0, 2.0, 1.0, 0.5, 0.2])
    assert torch.allclose(
        convolve(table, arterial, time_s), convolve(smooth, arterial, time_s), rtol=1e-5
    )


def test_tables_equal_dcmri_for_two_polygons():
    time_s = double([0.0, 1.0, 3.0, 7.0])
    arterial, value = double([5.0, 4.0, 3.0, 6.0]), double([2.0, 9.0, 1.0, 3.0])
    theirs = dcmri.conv(arterial.numpy(), value.numpy(), time_s.numpy(), solver="trap")
    ours = convolve(TabulatedResponse(knot_s=time_s, value_1_s=value), arterial, time_s)
    # Exact by Simpson's rule between all corners: the product of two lines is a parabola.
    exact = [0.0, *(_parabolas(arterial, value, time_s, at) for at in (1.0, 3.0, 7.0))]
    assert ours.tolist() == pytest.approx(exact, rel=1e-12)
    assert ours.numpy() == pytest.approx(theirs, rel=0.2)  # theirs is a trapezoid


def _parabolas(arterial, value, time_s, at):
    corners = np.unique(np.concatenate([time_s[time_s <= at], at - time_s[time_s <= at]]))
    total = 0.0
    for low, high in itertools.pairwise(corners):
        points = np.array([low, (low + high) / 2.0, high])
        product = np.interp(points, time_s, value) * np.interp(at - points, time_s, arterial)
        total += (high - low) / 6.0 * float(product @ [1.0, 4.0, 1.0])
    return total


def test_uniform_sampling_by_fft_equals_the_general_rule():
    time_s = 0.05 * torch.arange(200, dtype=torch.float64)
    arterial = time_s * torch.exp(-time_s / 2.0) + 0.3
    response = ExponentialResponse(
        amplitude_1_s=double([[0.5], [0.1]]), rate_1_s=double([[0.2], [3.0]])
    )
    by_fft = convolve_uniform(response, arterial, 0.05)
    assert torch.allclose(by_fft, convolve(response, arterial, time_s), atol=1e-10)


def test_the_matrix_convolves_many_tables_at_once():
    time_s = double([0.0, 0.7, 1.9, 2.4, 5.0])
    arterial = double([0.5, 1.0, 4.0, 2.0, 1.0])
    knot_s = double([0.0, 0.4, 1.0, 3.0, 8.0])
    tables = torch.rand(6, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    matrix = convolution_matrix(arterial, time_s, knot_s=knot_s, at_s=time_s - 0.3)
    direct = convolve(
        TabulatedResponse(knot_s=knot_s, value_1_s=tables), arterial, time_s, at_s=time_s - 0.3
    )
    assert torch.allclose(tables @ matrix.T, direct, atol=1e-12)


def test_tables_need_increasing_knots_from_zero():
    with pytest.raises(ValueError, match="first at 0"):
        TabulatedResponse(knot_s=double([1.0, 2.0]), value_1_s=double([1.0, 2.0]))
    with pytest.raises(ValueError, match="increase"):
        TabulatedResponse(knot_s=double([0.0, 2.0, 2.0]), value_1_s=double([1.0, 2.0, 3.0]))


def test_interpolation_holds_the_last_value_and_starts_from_zero():
    found = interpolate(double([1.0, 3.0]), double([2.0, 4.0]), double([1.9, 2.0, 3.0, 9.0]))
    assert found.tolist() == [0.0, 1.0, 2.0, 3.0]
