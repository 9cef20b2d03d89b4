"""Laws of what is measured on contours: known fields give known errors."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation.overlap import compare, dice, overlap
from pipeline.evaluation.target_error import carried, percentile, settle, target_error
from pipeline.evaluation.walls import fill, fill_walls
from pipeline.motion.compose import invert

SIZE = 48
SHIFTS = st.floats(-5.0, 5.0)


def circle(radius: float, centre: float = 24.0, n_points: int = 96) -> torch.Tensor:
    angle = torch.linspace(0, 2 * math.pi, n_points + 1)[:-1]
    return torch.stack([centre + radius * angle.cos(), centre + radius * angle.sin()], dim=1)


def constant_field(*shifts: tuple[float, float]) -> torch.Tensor:
    return torch.tensor(shifts)[:, :, None, None].expand(-1, -1, SIZE, SIZE).contiguous()


@given(SHIFTS, SHIFTS)
def test_a_shift_that_is_missed_is_the_error(row: float, column: float) -> None:
    truth = constant_field((0.0, 0.0), (row, column))
    place = settle(torch.zeros_like(truth), carried(circle(9.0), truth))
    error = target_error(place * torch.tensor((2.0, 1.5)), 0)
    assert error.reference[0] == 0
    assert float(error.reference[1]) == pytest.approx(math.hypot(2.0 * row, 1.5 * column), abs=1e-3)


@given(SHIFTS, SHIFTS)
def test_the_true_field_has_no_error(row: float, column: float) -> None:
    truth = constant_field((0.0, 0.0), (row, column))
    place = settle(truth, carried(circle(9.0), truth))
    assert float(target_error(place, 0).reference.max()) < 1e-3
    assert float(target_error(place, 0).consensus.max()) < 1e-3


def test_a_point_is_seen_where_the_field_reads_it() -> None:
    rows = torch.arange(SIZE, dtype=torch.float32)
    bend = 2.0 * torch.sin(rows / 9.0)
    field = torch.stack([bend[:, None].expand(SIZE, SIZE), -bend[None].expand(SIZE, SIZE)])[None]
    goal = circle(12.0)[None]
    place = settle(field, goal)
    back = goal + invert_at(field, goal)
    assert torch.allclose(place, back, atol=0.02)


def invert_at(field: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
    from pipeline.evaluation.target_error import sample_at

    return sample_at(invert(field, n_iterations=60), goal)


def test_consensus_forgives_a_poor_reference_frame() -> None:
    place = circle(9.0).expand(5, -1, -1).clone()
    place[0] += 3.0
    error = target_error(place, 0)
    assert float(error.reference[1:].min()) == pytest.approx(3.0 * 2**0.5, rel=1e-5)
    assert float(error.consensus[1:].max()) == 0


def test_percentile_ignores_what_is_not_known() -> None:
    assert percentile(torch.tensor([1.0, math.nan, 3.0]), 50.0) == pytest.approx(2.0)
    assert math.isnan(percentile(torch.tensor([math.nan]), 50.0))


@given(st.floats(4.0, 15.0))
def test_a_filled_circle_has_the_area_of_a_circle(radius: float) -> None:
    axis = torch.arange(0.0, SIZE, 0.25)
    inside = fill(circle(radius)[None], axis, axis)
    assert float(inside.sum()) / 16 == pytest.approx(math.pi * radius**2, rel=0.02)


def test_a_wall_has_a_hole_unless_there_is_no_cavity() -> None:
    outer, inner = circle(14.0)[None], circle(9.0)[None]
    ring = fill_walls(inner, outer)
    disc = fill_walls(inner[:, :0], outer)
    assert float(ring.sum()) / 4 == pytest.approx(math.pi * (14.0**2 - 9.0**2), rel=0.02)
    assert float(disc.sum()) / 4 == pytest.approx(math.pi * 14.0**2, rel=0.02)


def test_same_masks_overlap_wholly_and_apart_ones_not_at_all() -> None:
    axis = torch.arange(0.0, SIZE)
    masks = fill(torch.stack([circle(5.0, 12.0), circle(5.0, 34.0)]), axis, axis)
    assert dice(masks, masks[0]).tolist() == [1.0, 0.0]
    assert dice(torch.zeros(1, 4, 4).bool(), torch.zeros(4, 4).bool()).tolist() == [1.0]


def test_overlap_undoes_a_whole_shift() -> None:
    axis = torch.arange(0.0, SIZE)
    disc = fill(circle(8.0)[None], axis, axis)[0]
    masks = torch.stack([disc, disc.roll(3, dims=0), disc])
    field = constant_field((0.0, 0.0), (3.0, 0.0), (0.0, 0.0))
    assert overlap(masks, field, 0).reference.tolist() == [1.0, 1.0, 1.0]
    before = compare(masks, 0)
    assert float(before.reference[1]) < 0.9
    assert before.consensus.tolist()[::2] == [1.0, 1.0]
