"""Leading proton-density frames are counted from the signal."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.translate.proton_density import agree, count_proton_density
from tests.fakes.exams import small_exam


def series(levels: list[float]) -> np.ndarray:
    return np.array(levels, dtype=np.float32)[:, None, None] * np.ones((1, 4, 5), dtype=np.float32)


@given(
    count=st.integers(0, 8),
    ratio=st.floats(1.5, 8.0),
    seed=st.integers(0, 1000),
)
def test_a_bright_plateau_is_counted(count: int, ratio: float, seed: int) -> None:
    generator = np.random.default_rng(seed)
    levels = np.concatenate([np.full(count, ratio), np.ones(30)])
    levels *= 100 * (1 + 0.02 * generator.uniform(-1, 1, len(levels)))
    levels[count + 6 :] *= 1 + np.linspace(0, 3, 24)  # the bolus
    assert count_proton_density(series(list(levels))) == count


@pytest.mark.parametrize("state", ["stress", "rest"])
def test_the_phantom_is_counted(state: str) -> None:
    exam = small_exam(state)
    for item in (*exam.slices, exam.arterial_input):
        assert count_proton_density(item.frames.numpy()) == 3
        assert count_proton_density(item.frames[3:].numpy()) == 0
        assert count_proton_density(item.frames[2:].numpy()) == 1


def test_a_falling_curve_is_no_plateau() -> None:
    assert count_proton_density(series([float(level) for level in range(400, 100, -10)])) == 0


@pytest.mark.parametrize("n_frames", [1, 2, 3])
def test_a_short_series_has_none(n_frames: int) -> None:
    assert count_proton_density(series([100.0] * n_frames)) == 0


@pytest.mark.parametrize(
    ("counts", "expected"), [([3, 3, 0, 3], 3), ([0, 3], 0), ([2], 2), ([3, 3, 1, 1], 1)]
)
def test_slices_agree_on_the_most_frequent_count(counts: list[int], expected: int) -> None:
    assert agree(counts) == expected


def pictures(levels: list[float], *, n_density: int, seed: int = 0) -> np.ndarray:
    """Return frames of which the first show another contrast, with 5 % noise."""
    generator = np.random.default_rng(seed)
    density, recovery = generator.uniform(0.5, 1.5, (2, 24, 30))
    frames = [
        level * (density if place < n_density else recovery) for place, level in enumerate(levels)
    ]
    noise = generator.normal(0, 0.05, (len(levels), 24, 30)) * np.array(levels)[:, None, None]
    return (np.stack(frames) + noise).astype(np.float32)


@pytest.mark.parametrize("n_density", [0, 2, 3, 4])
@pytest.mark.parametrize("rise", [1.2, 1.35, 2.0])
def test_darker_density_before_a_balanced_readout_is_counted(n_density: int, rise: float) -> None:
    levels = n_density * [100.0] + [100 * rise * (1 + 0.02 * beat) for beat in range(30)]
    assert count_proton_density(pictures(levels, n_density=n_density)) == n_density


@given(start=st.integers(1, 8), slope=st.floats(0.02, 0.6), seed=st.integers(0, 50))
def test_an_early_bolus_is_no_proton_density(start: int, slope: float, seed: int) -> None:
    rising = [100 * (1 + slope * max(0, beat - start + 1)) for beat in range(start + 6)]
    frames = pictures(rising, n_density=0, seed=seed)
    assert count_proton_density(frames) == 0


def test_a_jump_of_gain_is_no_proton_density() -> None:
    frames = pictures(3 * [100.0] + 20 * [140.0], n_density=0)
    assert count_proton_density(frames) == 0
