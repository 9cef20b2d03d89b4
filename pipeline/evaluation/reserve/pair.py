"""Stress and rest of one virtual patient, the second time in another breath-hold.

The phantom has the same heart in the same place at stress and at rest. What a second breath-hold
and another phase of the beat change is put into the headers at rest: the same pixels, said to lie
elsewhere, turned, and closer together, are a heart that is moved, turned and smaller.
"""

import math
from dataclasses import dataclass, replace

import torch

from models.phantom import Breathing, PhantomExam, Protocol, make_exam
from pipeline.evaluation.phantom_exam import exam_of
from pipeline.types import Exam, Geometry, ImageSeries, Vector

FIRST_SEED = 5060
"""Development exams: nothing here was held back."""
_SIGNAL_TO_NOISE = 20.0
_REST_MATRIX, _REST_SPACING_MM = (134, 134), 2.15
"""Other pixels than under stress, over the same field of view."""
_SCALE_RANGE = (0.92, 1.04)
_MOST_TURN_DEG = 8.0
_MOST_SHIFT_MM = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """How the heart at rest differs from that under stress."""

    scale: float
    turn_rad: float
    """From the direction of increasing column to that of increasing row."""
    shift_mm: tuple[float, float]
    """Along increasing row, along increasing column."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhantomPair:
    """Both exams with their truth."""

    stress: PhantomExam
    rest: PhantomExam
    move: Move


def draw_pair(seed: int) -> PhantomPair:
    """Draw both exams of a patient; the same bytes each time."""
    protocol = Protocol(signal_to_noise=_SIGNAL_TO_NOISE, breathing=Breathing.FAILS)
    other = replace(protocol, matrix=_REST_MATRIX, spacing_mm=_REST_SPACING_MM)
    return PhantomPair(
        stress=make_exam(seed, state="stress", protocol=protocol),
        rest=make_exam(seed, state="rest", protocol=other),
        move=draw_move(seed),
    )


def draw_move(seed: int) -> Move:
    """Draw what a second breath-hold changes."""
    generator = torch.Generator().manual_seed(seed)
    size, turn, *shift = (
        2.0 * torch.rand(4, generator=generator, dtype=torch.float64) - 1
    ).tolist()
    low, high = _SCALE_RANGE
    return Move(
        scale=0.5 * (low + high) + 0.5 * (high - low) * size,
        turn_rad=math.radians(_MOST_TURN_DEG * turn),
        shift_mm=(_MOST_SHIFT_MM * shift[0], _MOST_SHIFT_MM * shift[1]),
    )


def exam_under_stress(pair: PhantomPair) -> Exam:
    """Return the stress exam as the analysis receives it."""
    return exam_of(pair.stress, tuple(range(len(pair.stress.slices))), moves=True)


def exam_at_rest(pair: PhantomPair) -> Exam:
    """Return the rest exam with the headers of the second breath-hold."""
    exam = exam_of(pair.rest, tuple(range(len(pair.rest.slices))), moves=True)
    arterial = exam.arterial_input
    return replace(
        exam,
        slices=tuple(_moved(series, pair.move) for series in exam.slices),
        arterial_input=None if arterial is None else _moved(arterial, pair.move),
    )


def _moved(series: ImageSeries, move: Move) -> ImageSeries:
    n_rows, n_columns = series.frames.shape[1:]
    return replace(series, geometry=moved_geometry(series.geometry, (n_rows, n_columns), move))


def moved_geometry(geometry: Geometry, size: tuple[int, int], move: Move) -> Geometry:
    """Return the header of an image whose content was moved, turned and scaled about its middle."""
    right, down = geometry.row_direction, geometry.column_direction
    cosine, sine = math.cos(move.turn_rad), math.sin(move.turn_rad)
    row_mm, column_mm = geometry.spacing_mm
    own = replace(
        geometry,
        row_direction=_sum((cosine, right), (sine, down)),
        column_direction=_sum((cosine, down), (-sine, right)),
        spacing_mm=(move.scale * row_mm, move.scale * column_mm),
    )
    middle = _sum(
        (1.0, _middle(geometry, size, 1.0)),
        (move.shift_mm[0], down),
        (move.shift_mm[1], right),
    )
    return replace(own, origin_mm=_middle(replace(own, origin_mm=middle), size, -1.0))


def _middle(geometry: Geometry, size: tuple[int, int], sign: float) -> Vector:
    """Return the middle of an image from its first pixel (sign 1), or the way back (-1)."""
    half_row, half_column = (
        0.5 * sign * (count - 1) * step
        for count, step in zip(size, geometry.spacing_mm, strict=True)
    )
    return _sum(
        (1.0, geometry.origin_mm),
        (half_row, geometry.column_direction),
        (half_column, geometry.row_direction),
    )


def _sum(*parts: tuple[float, Vector]) -> Vector:
    x, y, z = (sum(factor * vector[axis] for factor, vector in parts) for axis in range(3))
    return (x, y, z)
