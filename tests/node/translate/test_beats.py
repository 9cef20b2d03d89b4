"""The drawn grid shows the beats that are there, for any delay of a stack in the cycle."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.translate.account import StackAccount
from node.translate.beats import Cell, make_grid

N_BEATS = 30
RHYTHM = st.lists(st.floats(0.6, 1.1), min_size=N_BEATS, max_size=N_BEATS)
DELAY = st.floats(0.0, 0.95)


def stack(time_s: Sequence[float], *, n_density: int = 0, name: str = "slice 1") -> StackAccount:
    return StackAccount(
        name=name,
        series_number=12,
        shape=(144, 144),
        spacing_mm=(2.0, 2.0),
        position_mm=0.0,
        time_s=tuple(time_s),
        n_proton_density=n_density,
        n_missing=0,
    )


def beats(intervals_s: Sequence[float]) -> list[float]:
    times = [10.0]
    for interval_s in intervals_s:
        times.append(times[-1] + interval_s)
    return times


def drawn(stacks: Sequence[StackAccount]) -> list[str]:
    return ["".join(row) for row in make_grid(stacks).rows]


@given(RHYTHM, st.tuples(DELAY, DELAY, DELAY))
def test_stacks_of_one_cycle_share_their_beats(
    intervals_s: list[float], delays: tuple[float, float, float]
) -> None:
    """A slice late in the cycle is not drawn in the next beat."""
    times = beats([0.8] * 5 + intervals_s)
    shortest_s = min(intervals_s)
    stacks = [stack([time + delay * shortest_s for time in times]) for delay in delays]
    grid = make_grid(stacks)
    assert grid.n_beats == len(times)
    assert all(set(row) <= {Cell.IMAGE, Cell.MISSED} for row in grid.rows)


@pytest.mark.parametrize("missing", [1, 12, 28])
@pytest.mark.parametrize("delay_s", [0.0, 0.3, 0.7])
def test_a_beat_that_one_slice_lacks(missing: int, delay_s: float) -> None:
    times = beats([0.8, 0.85, 0.75] * 10)
    second = [time + delay_s for index, time in enumerate(times) if index != missing]
    rows = drawn([stack(times), stack(second)])
    assert rows[0] == "■" * len(times)
    assert rows[1] == "■" * missing + "○" + "■" * (len(times) - missing - 1)


@pytest.mark.parametrize("n_missed", [1, 2, 3])
def test_missed_triggers_are_gaps(n_missed: int) -> None:
    times = beats([0.8] * 10 + [0.8 * (n_missed + 1)] + [0.8] * 10)
    grid = make_grid([stack(times), stack([time + 0.2 for time in times])])
    assert (grid.n_beats, grid.n_missed) == (len(times), n_missed)
    assert drawn([stack(times)]) == ["■" * 11 + "·" * n_missed + "■" * 11]
    assert max(filter(None, grid.interval_s)) == pytest.approx(0.8 * (n_missed + 1))


def test_proton_density_stands_in_front_whenever_it_was_taken() -> None:
    times = beats([0.8] * 20)
    rows = drawn([stack([-300.0, -299.0, *times], n_density=2), stack([1.0, *times], n_density=1)])
    assert rows == ["PP" + "■" * 21, " P" + "■" * 21]


def test_a_stack_without_any_beat_lacks_all() -> None:
    assert drawn([stack(beats([0.8] * 4)), stack([])]) == ["■" * 5, "○" * 5]


def test_a_single_image_is_a_beat() -> None:
    grid = make_grid([stack([3.0])])
    assert (grid.n_beats, grid.n_missed, grid.usual_interval_s) == (1, 0, 0.0)
