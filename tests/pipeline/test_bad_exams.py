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


SERIES = Callable[[ImageSeries], ImageSeries]


@cache
def calm_exam() -> Exam:
    """Return the exam as it would be without breathing: what is wrong is what was put in."""
    return exam_of(patient(), motion=False)


def with_slices(change: SERIES) -> Exam:
    start = calm_exam()
    return dataclasses.replace(start, slices=tuple(change(series) for series in start.slices))


def with_all(change: SERIES) -> Exam:
    start = with_slices(change)
    assert start.arterial_input is not None
    return dataclasses.replace(start, arterial_input=change(start.arterial_input))


def clipped_input(fraction: float) -> Exam:
    start = calm_exam()
    series = start.arterial_input
    assert series is not None
    top = fraction * float(series.frames[series.n_proton_density :].amax())
    cut = dataclasses.replace(series, frames=series.frames.clamp(max=top))
    return dataclasses.replace(start, arterial_input=cut)


def without_bolus(series: ImageSeries) -> ImageSeries:
    first = series.frames[series.n_proton_density]
    return dataclasses.replace(series, frames=first.expand_as(series.frames).clone())


def losing_signal(series: ImageSeries) -> ImageSeries:
    """Mirror the enhancement: the concentration of everything becomes negative."""
    n = series.n_proton_density
    native = series.frames[n : n + 4].mean(dim=0)
    lost = (2 * native - series.frames[n:]).clamp_min(0)
    return dataclasses.replace(series, frames=torch.cat([series.frames[:n], lost]))


def scattered_holes(series: ImageSeries) -> ImageSeries:
    generator = torch.Generator().manual_seed(0)
    hole = torch.rand(series.frames.shape, generator=generator) < 0.002
    return dataclasses.replace(series, frames=torch.where(hole, torch.nan, series.frames))


def with_second_bolus(series: ImageSeries, *, size: float) -> ImageSeries:
    """Let the whole passage happen again after 28 beats, `size` times as strong."""
    n, n_first = series.n_proton_density, 28
    recovery, step_s = series.frames[n:], series.time_s[n:].diff().median()
    native = recovery[:4].mean(dim=0)
    left = 0.5 * (recovery[n_first - 3 : n_first].mean(dim=0) - native)
    again = native + size * (recovery - native) + left
    later_s = series.time_s[n + n_first - 1] + step_s + series.time_s[n:] - series.time_s[n]
    return dataclasses.replace(
        series,
        frames=torch.cat([series.frames[: n + n_first], again]),
        time_s=torch.cat([series.time_s[: n + n_first], later_s]),
    )


def slowed(factor: float) -> SERIES:
    return lambda series: dataclasses.replace(series, time_s=factor * series.time_s)


def filled_slices(value: float) -> SERIES:
    return lambda series: dataclasses.replace(series, frames=torch.full_like(series.frames, value))


BASELESS: dict[str, tuple[Callable[[], Exam], Code]] = {
    "tissue all zero": (lambda: with_slices(filled_slices(0.0)), Code.INCOMPLETE_TRANSFER),
    "tissue constant": (lambda: with_slices(filled_slices(50.0)), Code.INCOMPLETE_TRANSFER),
    "tissue without bolus": (lambda: with_slices(without_bolus), Code.MAP_IMPLAUSIBLE),
    "negative concentration": (lambda: with_slices(losing_signal), Code.MAP_IMPLAUSIBLE),
    "input clipped at half": (lambda: clipped_input(0.5), Code.ARTERIAL_INPUT_SATURATED),
    "input clipped a little": (lambda: clipped_input(0.8), Code.ARTERIAL_INPUT_SATURATED),
    "bolus at frame 0": (lambda: cut_all(calm_exam(), slice(12, None)), Code.BOLUS_NOT_COVERED),
    "cut off at the end": (lambda: cut_all(calm_exam(), slice(22)), Code.BOLUS_NOT_COVERED),
    "twenty beats": (lambda: cut_all(calm_exam(), slice(4, 24)), Code.BOLUS_NOT_COVERED),
}


def run_calm(spoiled: Exam) -> Analysis:
    settings = parameters(patient(), correct_motion=False)
    return analyse(spoiled, settings)


def flow_of(found: Analysis) -> float:
    result = found.slices[0]
    assert result.flow is not None
    assert result.masks is not None
    return float(result.flow.flow_ml_min_g[result.masks.myocardium].nanmedian())


@pytest.mark.parametrize("case", BASELESS)
def test_without_a_basis_there_is_no_map_but_a_code(case: str) -> None:
    make, code = BASELESS[case]
    found = run_calm(make())
    assert not found.is_quantified
    assert code in {entry.code for entry in found.findings if entry.grade is Grade.FAIL}


@pytest.mark.parametrize(
    ("size", "words"), [(1.0, "A second bolus"), (0.5, "A second bolus"), (1.4, "earlier bolus")]
)
def test_a_second_bolus_is_said_and_does_not_spoil_the_flow(size: float, words: str) -> None:
    found = run_calm(with_all(lambda series: with_second_bolus(series, size=size)))
    said = [entry for entry in found.findings if words in entry.text]
    assert [(entry.code, entry.grade) for entry in said] == [(Code.BOLUS_NOT_COVERED, Grade.REVIEW)]
    assert flow_of(found) == pytest.approx(flow_of(run_calm(calm_exam())), rel=0.25)


def test_single_pixels_that_are_no_numbers_cost_no_map() -> None:
    found = run_calm(with_slices(scattered_holes))
    assert Code.INCOMPLETE_TRANSFER in {entry.code for entry in found.findings}
    assert flow_of(found) == pytest.approx(flow_of(run_calm(calm_exam())), rel=0.1)


@pytest.mark.parametrize("step_s", [0.4, 1.5])
def test_beats_from_fast_to_every_second_are_quantified(step_s: float) -> None:
    """Time is only a unit: all rates follow it, but for what the fit believes beforehand."""
    usual_s = float(calm_exam().slices[0].time_s.diff().median())
    factor = step_s / usual_s
    found = run_calm(with_all(slowed(factor)))
    assert found.is_quantified
    expected = flow_of(run_calm(calm_exam())) / factor
    assert 0.6 * expected < flow_of(found) < 1.8 * expected
    assert not [entry for entry in found.findings if "too slow" in entry.text]


def test_images_every_three_seconds_are_said_to_be_too_few() -> None:
    """Stress flow becomes 0.6 ml/min/g then, which so few samples hardly tell from twice that."""
    usual_s = float(calm_exam().slices[0].time_s.diff().median())
    found = run_calm(with_all(slowed(3.0 / usual_s)))
    assert found.is_quantified
    said = [entry for entry in found.findings if "too slow" in entry.text]
    assert [(entry.code, entry.grade) for entry in said] == [(Code.MISSED_TRIGGERS, Grade.REVIEW)]
    expected = flow_of(run_calm(calm_exam())) * usual_s / 3.0
    assert 0.6 * expected < flow_of(found) < 1.8 * expected
