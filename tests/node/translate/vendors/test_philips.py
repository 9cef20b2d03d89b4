"""The scale of the receiver: one for arterial input, tissue and proton density."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from node.translate.scale import slope_and_intercept
from node.translate.vendors import complete_header

positive = st.floats(1e-4, 1e4)


def image(rescale_slope: object, intercept: object, scale: object) -> Dataset:
    dataset = Dataset()
    dataset.Manufacturer = "Philips Medical Systems"
    dataset.RescaleSlope, dataset.RescaleIntercept = rescale_slope, intercept
    dataset.WindowCenter, dataset.WindowWidth = "500", "1000"
    block = dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
    block.add_new(0x0E, "FL", scale)
    return dataset


@given(st.integers(0, 4095), positive, st.floats(-1e3, 1e3), positive)
def test_measured_value_is_stored_value_by_the_equation(
    stored: int, slope: float, intercept: float, scale: float
) -> None:
    """Floating point value = (SV x RS + RI) / (RS x SS)."""
    header = image(f"{slope:.8g}", f"{intercept:.8g}", scale)
    complete_header(header)
    factor, offset = slope_and_intercept(header)
    expected = (stored * float(f"{slope:.8g}") + float(f"{intercept:.8g}")) / (
        float(f"{slope:.8g}") * scale
    )
    tolerance = 1e-8 * (abs(stored * factor) + abs(offset))
    assert stored * factor + offset == pytest.approx(expected, rel=1e-8, abs=tolerance)


@given(st.integers(1, 4095), positive, positive, positive, positive)
def test_two_display_scales_of_one_signal_agree(
    stored: int, first: float, second: float, scale: float, gain: float
) -> None:
    """A series stretched by another gain has another rescale and scale slope, not another value."""
    one = image(f"{first:.8g}", "0", scale)
    other = image(f"{second:.8g}", "0", scale * gain)
    for header in (one, other):
        complete_header(header)
    measured = stored * slope_and_intercept(one)[0]
    again = stored * gain * slope_and_intercept(other)[0]
    assert again == pytest.approx(measured, rel=1e-6)


@pytest.mark.parametrize("scale", [0.0, float("nan"), float("inf"), -1.0, 3e38])
def test_a_scale_that_cannot_be_leaves_the_header_alone(scale: float) -> None:
    header = image("2", "1", scale)
    complete_header(header)
    assert slope_and_intercept(header) == (2.0, 1.0)


def test_window_and_values_stay_together() -> None:
    header = image("2", "0", 0.5)
    before = 500 / 2
    complete_header(header)
    after = float(header.WindowCenter) / slope_and_intercept(header)[0]
    assert np.isclose(before, after)


def test_other_makers_keep_their_scale() -> None:
    header = image("2", "1", 0.5)
    header.Manufacturer = "SIEMENS"
    complete_header(header)
    assert slope_and_intercept(header) == (2.0, 1.0)
