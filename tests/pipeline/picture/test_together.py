"""Beats of several slices: every frame once, with its neighbours, whatever is missing."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.picture.together import group_beats


@settings(max_examples=40)
@given(
    n_slices=st.integers(1, 4),
    rr_s=st.floats(0.5, 1.4),
    lacking=st.sets(st.tuples(st.integers(0, 3), st.integers(0, 29)), max_size=6),
    skipped=st.sets(st.integers(3, 26), max_size=2),
    seed=st.integers(0, 99),
)
def test_frames_of_one_beat_come_together(
    n_slices: int, rr_s: float, lacking: set[tuple[int, int]], skipped: set[int], seed: int
) -> None:
    """Missing frames of a slice and beats that no slice has do not shift the others."""
    jitter = 1 + 0.04 * np.random.default_rng(seed).standard_normal(30).clip(-1, 1)
    beat_s = np.cumsum(rr_s * jitter)
    has = {
        index: [
            beat
            for beat in range(30)
            if beat not in skipped and ((index, beat) not in lacking or beat == 0)
        ]
        for index in range(n_slices)
    }
    times_s = [
        [float(beat_s[beat]) + 0.8 * rr_s * index / n_slices for beat in has[index]]
        for index in range(n_slices)
    ]
    beats = group_beats(times_s)
    for found in beats:
        members = {
            has[index][frame] for index, frame in enumerate(found.frames) if frame is not None
        }
        assert len(members) == 1
    for index, times in enumerate(times_s):
        shown = [beat.frames[index] for beat in beats if beat.frames[index] is not None]
        assert shown == list(range(len(times)))
    starts_s = [beat.time_s for beat in beats]
    assert starts_s == sorted(starts_s)
    assert len(beats) == len({beat for index in range(n_slices) for beat in has[index]})


def test_a_beat_says_what_is_missing() -> None:
    base, apex = [0.0, 1.0, 2.0], [0.4, 2.4]
    assert [beat.frames for beat in group_beats([base, apex])] == [(0, 0), (1, None), (2, 1)]


def test_one_frame_is_one_beat() -> None:
    (beat,) = group_beats([[3.5]])
    assert (beat.time_s, beat.frames) == (3.5, (0,))
