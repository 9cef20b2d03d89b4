"""Who is registered when, and what the arterial-input series is told."""

import dataclasses
from concurrent.futures import Future

import torch

from models.phantom import Breathing, Protocol, make_exam
from pipeline.motion import Method, correct, identity
from pipeline.register import _guess_from, register_exam
from pipeline.types import Exam, ImageSeries, MotionCorrection
from tests.pipeline.exams import exam_of


def small_exam() -> Exam:
    protocol = Protocol(
        matrix=(72, 72),
        spacing_mm=4.0,
        arterial_matrix=(36, 36),
        n_saturation_recovery=24,
        n_slices=2,
        breathing=Breathing.FREE,
    )
    return exam_of(make_exam(5001, protocol=protocol), motion=True)


def register(exam: Exam, n_parallel: int = 1) -> tuple[MotionCorrection, ...]:
    return register_exam(
        exam,
        method=Method.ITERATIVE,
        networks=None,
        progress=lambda *_: None,
        n_parallel=n_parallel,
    )


def turned(series: ImageSeries) -> ImageSeries:
    geometry = dataclasses.replace(
        series.geometry,
        row_direction=series.geometry.column_direction,
        column_direction=series.geometry.row_direction,
    )
    return dataclasses.replace(series, geometry=geometry)


def test_slices_come_first_in_the_order_of_the_exam() -> None:
    exam = small_exam()
    found = register(exam)
    assert exam.arterial_input is not None
    expected = [series.frames.shape for series in (*exam.slices, exam.arterial_input)]
    assert [motion.frames.shape for motion in found] == expected


def test_side_by_side_gives_the_same_bytes() -> None:
    exam = small_exam()
    for alone, beside in zip(register(exam), register(exam, n_parallel=3), strict=True):
        assert torch.equal(alone.frames, beside.frames)
        assert alone.reference == beside.reference


def done(series: ImageSeries, shift_px: float) -> Future[MotionCorrection]:
    """Return a finished registration in which frame t moved by t times the shift along rows."""
    still = identity(series.frames, spacing_mm=series.geometry.spacing_mm, n_proton_density=3)
    field = torch.zeros_like(still.displacement)
    field[:, 0] = shift_px * torch.arange(len(field))[:, None, None]
    task: Future[MotionCorrection] = Future()
    task.set_result(dataclasses.replace(still, displacement=field))
    return task


def test_the_arterial_series_is_told_by_the_slice_beside_it_in_mm() -> None:
    exam = small_exam()
    tasks = [done(exam.slices[0], 0.1), done(exam.slices[1], 0.5)]
    guess_mm = _guess_from(exam, tasks)()
    assert guess_mm is not None
    expected = 0.1 * 4.0 * torch.arange(27.0)
    torch.testing.assert_close(guess_mm, torch.stack([expected, 0 * expected], dim=1))


def test_a_slice_that_stayed_tells_nothing() -> None:
    exam = small_exam()
    assert _guess_from(exam, [done(series, 0.0) for series in exam.slices])() is None


def test_an_arterial_series_that_lies_otherwise_is_told_nothing() -> None:
    exam = small_exam()
    assert exam.arterial_input is not None
    arterial = turned(exam.arterial_input)
    found = register(dataclasses.replace(exam, arterial_input=arterial))[-1]
    alone = correct(
        arterial.frames,
        spacing_mm=arterial.geometry.spacing_mm,
        n_proton_density=arterial.n_proton_density,
        method=Method.ITERATIVE,
    )
    assert torch.equal(found.displacement, alone.displacement)


def test_an_exam_without_slices_or_without_arterial_series_is_registered() -> None:
    exam = small_exam()
    assert len(register(dataclasses.replace(exam, slices=()))) == 1
    assert len(register(dataclasses.replace(exam, arterial_input=None))) == 2
