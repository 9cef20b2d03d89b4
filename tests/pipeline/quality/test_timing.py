"""Missed triggers, extra beats and irregular rhythm are told from a heart that beats as usual."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from pipeline.findings import Code, Finding, Grade
from pipeline.quality import check_timing
from pipeline.types import ImageSeries
from tests.pipeline.quality.test_checks import series

WINDOW_S = (10.0, 25.0)


def beats(
    *, scatter: float = 0.03, seed: int = 0, changes: dict[int, float] | None = None
) -> Tensor:
    """Return 62 steps of 0.8 s with some scatter; the steps named in `changes` are longer."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(62, generator=generator, dtype=torch.float64).clamp(-2, 2)
    steps = 0.8 * (1 + scatter * noise)
    for place, factor in (changes or {}).items():
        steps[place] = 0.8 * factor
    return steps


def timed(steps: Tensor) -> ImageSeries:
    return series(time_s=torch.cat([steps.new_zeros(1), steps.cumsum(0)]))


def check(steps: Tensor, window_s: tuple[float, float] | None = WINDOW_S) -> list[Finding]:
    return list(check_timing(timed(steps), index=1, window_s=window_s))


@pytest.mark.parametrize("factor", [2.0, 0.5])
@pytest.mark.parametrize(("n_uneven", "grade"), [(1, Grade.NOTE), (2, Grade.REVIEW)])
def test_uneven_beats_in_the_first_pass_are_counted(
    factor: float, n_uneven: int, grade: Grade
) -> None:
    found = check(beats(changes=dict.fromkeys((18, 22)[:n_uneven], factor)))
    assert [(entry.code, entry.grade) for entry in found] == [(Code.MISSED_TRIGGERS, grade)]
    assert found[0].sentence.startswith(f"Slice 2: {n_uneven} missed triggers")


@pytest.mark.parametrize(("place", "factor"), [(50, 2.0), (20, 1.3), (20, 0.8)])
def test_an_uneven_beat_elsewhere_or_a_small_one_is_not(place: int, factor: float) -> None:
    assert check(beats(changes={place: factor})) == []


def test_without_an_arterial_input_the_whole_series_counts() -> None:
    assert len(check(beats(changes={50: 2.0}), window_s=None)) == 1


@given(seed=st.integers(0, 500), scatter=st.floats(0.0, 0.05))
def test_sinus_rhythm_is_regular(seed: int, scatter: float) -> None:
    assert check(beats(scatter=scatter, seed=seed)) == []


def test_fibrillation_is_irregular() -> None:
    texts = [entry.text for entry in check(beats(scatter=0.2)) if entry.grade is Grade.REVIEW]
    assert any("irregular rhythm" in text for text in texts)


@pytest.mark.parametrize("n_frames", [3, 4, 5])
def test_a_short_series_tells_no_rhythm(n_frames: int) -> None:
    short = series(n_frames)
    assert check_timing(short, index=0, window_s=None) == ()
