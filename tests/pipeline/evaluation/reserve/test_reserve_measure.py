"""Truth of a pair: the same muscle is found in headers that were moved, and errors are seen."""

import dataclasses
import math

import numpy as np
import pytest

from models.phantom import Breathing, Protocol, make_exam
from pipeline.evaluation.phantom_exam import geometry_of
from pipeline.evaluation.reserve.measure import Answer, measure_answer, true_answer
from pipeline.evaluation.reserve.pair import (
    Move,
    PhantomPair,
    draw_move,
    exam_at_rest,
    moved_geometry,
)
from pipeline.evaluation.reserve.records import Way, from_line, to_line
from pipeline.place import point_mm

MOVE = Move(scale=0.95, turn_rad=math.radians(6.0), shift_mm=(7.0, -9.0))


@pytest.fixture(scope="module")
def pair() -> PhantomPair:
    protocol = Protocol(
        matrix=(96, 96),
        spacing_mm=3.0,
        arterial_matrix=(16, 16),
        n_saturation_recovery=4,
        breathing=Breathing.HELD,
    )
    other = dataclasses.replace(protocol, matrix=(90, 90), spacing_mm=3.2)
    return PhantomPair(
        stress=make_exam(5060, state="stress", protocol=protocol),
        rest=make_exam(5060, state="rest", protocol=other),
        move=MOVE,
    )


@pytest.fixture(scope="module")
def ideal(pair: PhantomPair) -> Answer:
    return true_answer(pair)


def test_a_moved_header_is_a_moved_heart(pair: PhantomPair) -> None:
    series = pair.rest.slices[0]
    plain, size = geometry_of(series), (90, 90)
    moved = moved_geometry(plain, size, MOVE)
    middle = point_mm(44.5, 44.5, moved) - point_mm(44.5, 44.5, plain)
    down, right = (np.array(one) for one in (plain.column_direction, plain.row_direction))
    assert np.allclose(middle.numpy(), 7.0 * down - 9.0 * right)
    step = (point_mm(44.5, 54.5, moved) - point_mm(44.5, 44.5, moved)).numpy()
    assert np.linalg.norm(step) == pytest.approx(0.95 * 10 * series.spacing_mm[1])
    assert math.degrees(math.atan2(step @ down, step @ right)) == pytest.approx(6.0)
    assert exam_at_rest(pair).slices[0].geometry == moved


def test_true_walls_find_their_muscle(ideal: Answer) -> None:
    record = measure_answer(5060, ideal)
    assert ideal.way is Way.TRUE
    assert record.n_maps == 3
    assert record.place_error_mm[0] < 1.5
    assert record.pixel_median_error < 0.01
    assert len(record.segment_true) == 16
    relative = np.array(record.segment_found) / np.array(record.segment_true) - 1
    assert np.abs(relative).max() < 0.1
    assert len(record.wrong_dice) + record.n_wrong_refused == 6


def test_a_wrong_place_is_seen_in_the_figures(ideal: Answer, pair: PhantomPair) -> None:
    """A heart that was turned by 20 degrees without anybody knowing is looked up off its place."""
    exam = exam_at_rest(dataclasses.replace(pair, move=dataclasses.replace(MOVE, turn_rad=0.45)))
    rest = dataclasses.replace(ideal.rest, exam=exam)
    blind = tuple(
        dataclasses.replace(one, masks=dataclasses.replace(one.masks, right_ventricle=None))
        for one in rest.analysis.slices
        if one.masks is not None
    )
    analysis = dataclasses.replace(rest.analysis, slices=blind)
    wrong = dataclasses.replace(ideal, rest=dataclasses.replace(rest, analysis=analysis))
    assert measure_answer(5060, wrong).place_error_mm[0] > 4.0


def test_a_record_comes_back_from_its_line(ideal: Answer) -> None:
    record = measure_answer(5060, ideal)
    again = from_line(to_line(record))
    assert again.key == record.key
    assert again.segment_found == pytest.approx(record.segment_found, abs=1e-6, nan_ok=True)


def test_moves_stay_in_their_range() -> None:
    moves = [draw_move(seed) for seed in range(5060, 5100)]
    assert all(0.92 <= one.scale <= 1.04 for one in moves)
    assert all(abs(one.turn_rad) <= math.radians(8.0) for one in moves)
    assert max(abs(one.shift_mm[0]) for one in moves) > 6.0
    assert moves[0] == draw_move(5060)
