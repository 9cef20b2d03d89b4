import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.training.insertions import insertion_map, insertion_points

SPACING_MM = (1.3, 1.7)
SIZE = (130, 110)
EPICARDIUM_MM = 30.0


def _ventricles(towards_rad: float, half_width_rad: float):
    """A disc, and a crescent beside it over a known part of its outline."""
    rows = (torch.arange(SIZE[0]) - (SIZE[0] - 1) / 2) * SPACING_MM[0]
    columns = (torch.arange(SIZE[1]) - (SIZE[1] - 1) / 2) * SPACING_MM[1]
    row, column = torch.meshgrid(rows, columns, indexing="ij")
    radius, angle = torch.hypot(row, column), torch.atan2(row, column)
    away = torch.atan2(torch.sin(angle - towards_rad), torch.cos(angle - towards_rad)).abs()
    left = radius < EPICARDIUM_MM
    right = (radius >= EPICARDIUM_MM) & (radius < EPICARDIUM_MM + 14) & (away < half_width_rad)
    return left.float(), right.float()


def _angle(point):
    return math.atan2(
        (float(point[0]) - (SIZE[0] - 1) / 2) * SPACING_MM[0],
        (float(point[1]) - (SIZE[1] - 1) / 2) * SPACING_MM[1],
    )


@given(towards=st.floats(-3.1, 3.1), half_width=st.floats(0.5, 1.3))
def test_both_ends_of_the_septum_are_found_in_order(towards: float, half_width: float) -> None:
    points = insertion_points(*_ventricles(towards, half_width), SPACING_MM)
    assert points is not None
    for point, side in zip(points, (-1, 1), strict=True):
        error = math.remainder(_angle(point) - (towards + side * half_width), math.tau)
        assert abs(math.degrees(error)) < 4.0
        radius = math.hypot(
            (float(point[0]) - (SIZE[0] - 1) / 2) * SPACING_MM[0],
            (float(point[1]) - (SIZE[1] - 1) / 2) * SPACING_MM[1],
        )
        assert radius == pytest.approx(EPICARDIUM_MM, abs=1.5)


def test_a_muscle_bundle_does_not_end_the_septum():
    left, right = _ventricles(0.4, 0.9)
    whole = insertion_points(left, right, SPACING_MM)
    bundled = right.clone()
    bundled[:, 90:93] = 0.0
    found = insertion_points(left, bundled, SPACING_MM)
    assert found is not None
    assert whole is not None
    assert float((found - whole).abs().max()) < 4.0


def test_without_a_right_or_a_left_ventricle_there_is_none():
    left, right = _ventricles(0.0, 0.8)
    assert insertion_points(left, torch.zeros(SIZE), SPACING_MM) is None
    assert insertion_points(torch.zeros(SIZE), right, SPACING_MM) is None


def test_the_map_marks_both_points_and_nothing_else():
    points = torch.tensor([[10.0, 12.0], [40.0, 30.0]])
    marks = insertion_map(points, (64, 48), width_px=3.0)
    assert float(marks[10, 12]) == float(marks[40, 30]) == 1.0
    assert float(marks[10, 15]) == pytest.approx(math.exp(-0.5))
    assert float(marks[60, 5]) < 1e-4
    assert not bool(insertion_map(None, (8, 8), width_px=3.0).any())
