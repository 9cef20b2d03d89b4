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
