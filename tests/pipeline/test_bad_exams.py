"""Every bad exam ends with words: the right code on the page, and no exception."""

import dataclasses
from collections.abc import Callable
from functools import cache

import pytest
import torch
from torch import Tensor

from models.phantom import Breathing, PhantomExam, Protocol, make_exam
from pipeline.analyse import analyse
from pipeline.findings import Code, Grade
from pipeline.motion import Method
from pipeline.motion.gate import score
from pipeline.types import Analysis, Exam, ImageSeries
from tests.pipeline.exams import cut_all, exam_of, parameters

Change = Callable[[Tensor], Tensor]


@cache
def patient() -> PhantomExam:
    protocol = Protocol(
        matrix=(72, 72),
        spacing_mm=4.0,
        arterial_matrix=(36, 36),
        n_saturation_recovery=40,
        n_slices=1,
        breathing=Breathing.FREE,
    )
    return make_exam(5001, protocol=protocol)


@cache
def exam() -> Exam:
    return exam_of(patient(), motion=True)


def changed(change: Change) -> Exam:
    """Change the frames of every series alike."""

    def _change(series: ImageSeries) -> ImageSeries:
        return dataclasses.replace(series, frames=change(series.frames.clone()))

    start = exam()
    assert start.arterial_input is not None
    return dataclasses.replace(
        start,
        slices=tuple(_change(series) for series in start.slices),
        arterial_input=_change(start.arterial_input),
    )


def filled(value: float) -> Exam:
    def _fill(frames: Tensor) -> Tensor:
        frames[[8, 20, 21]] = value
        return frames

    return changed(_fill)


def broken_patch(frames: Tensor) -> Tensor:
    n_rows, n_columns = frames.shape[1:]
    frames[9, n_rows // 4 : n_rows // 2, n_columns // 4 : n_columns // 2] = float("nan")
    return frames


def noise(frames: Tensor) -> Tensor:
    return 100 * torch.rand(frames.shape, generator=torch.Generator().manual_seed(1))


def wide(series: ImageSeries) -> ImageSeries:
    row_mm, column_mm = series.geometry.spacing_mm
    geometry = dataclasses.replace(series.geometry, spacing_mm=(row_mm, 2 * column_mm))
    return dataclasses.replace(
        series, frames=series.frames[:, :, ::2].contiguous(), geometry=geometry
    )


CASES: dict[str, tuple[Callable[[], Exam], set[Code]]] = {
    "blank frames": (lambda: filled(0.0), {Code.INCOMPLETE_TRANSFER}),
    "constant frames": (lambda: filled(900.0), {Code.INCOMPLETE_TRANSFER}),
    "frames not a number": (lambda: filled(float("nan")), {Code.INCOMPLETE_TRANSFER}),
    "pixels not a number": (
        lambda: changed(broken_patch),
        {Code.INCOMPLETE_TRANSFER},
    ),
    "saturated": (
        lambda: changed(lambda frames: frames.clamp(max=0.4 * float(frames.amax()))),
        {Code.ARTERIAL_INPUT_SATURATED, Code.MAP_IMPLAUSIBLE},
    ),
    "a single frame": (lambda: cut_all(exam(), slice(1)), {Code.BOLUS_NOT_COVERED}),
    "twenty frames": (lambda: cut_all(exam(), slice(20)), {Code.BOLUS_NOT_COVERED}),
    "heart at the border": (lambda: changed(lambda frames: frames.roll(-30, dims=1)), set()),
    "noise only": (lambda: changed(noise), {Code.BOLUS_NOT_COVERED, Code.RESIDUAL_MOTION}),
    "constant series": (
        lambda: changed(lambda frames: torch.full_like(frames, 7.0)),
        {Code.INCOMPLETE_TRANSFER},
    ),
    "all not a number": (
        lambda: changed(lambda frames: frames * float("nan")),
        {Code.INCOMPLETE_TRANSFER},
    ),
    "few grey values": (
        lambda: changed(lambda frames: (63 * frames / frames.amax()).round()),
        set(),
    ),
    "wide pixels": (
        lambda: dataclasses.replace(exam(), slices=tuple(wide(series) for series in exam().slices)),
        set(),
    ),
}


def run(spoiled: Exam) -> Analysis:
    settings = parameters(patient(), correct_motion=True)
    return analyse(spoiled, dataclasses.replace(settings, motion=Method.ITERATIVE))


@pytest.mark.parametrize("case", CASES)
def test_a_bad_exam_is_answered_with_its_code(case: str) -> None:
    make, expected = CASES[case]
    spoiled = make()
    found = run(spoiled)
    codes = {finding.code for finding in found.findings if finding.grade > Grade.NOTE}
    assert expected <= codes
    assert found.is_quantified or any(entry.grade is Grade.FAIL for entry in found.findings)
    for result, series in zip(found.slices, spoiled.slices, strict=True):
        assert result.motion.frames.shape == series.frames.shape
        assert score(result.motion.quality) <= 1.0


@pytest.mark.parametrize("case", ["blank frames", "frames not a number", "pixels not a number"])
def test_a_few_broken_frames_cost_no_map(case: str) -> None:
    whole, broken = run(exam()).slices[0].flow, run(CASES[case][0]()).slices[0].flow
    assert whole is not None
    assert broken is not None
    both = whole.flow_ml_min_g.isfinite() & broken.flow_ml_min_g.isfinite()
    assert float(both.double().mean()) > 0.8 * float(whole.flow_ml_min_g.isfinite().double().mean())
    ratio = broken.flow_ml_min_g[both] / whole.flow_ml_min_g[both].clamp_min(0.1)
    assert abs(float(ratio.median()) - 1) < 0.1


@pytest.mark.parametrize("size", [(0, 20), (20, 0)])
def test_an_exam_without_pixels_is_answered(size: tuple[int, int]) -> None:
    found = run(changed(lambda frames: torch.zeros(len(frames), *size)))
    assert not found.is_quantified
    assert Code.INCOMPLETE_TRANSFER in {finding.code for finding in found.findings}
