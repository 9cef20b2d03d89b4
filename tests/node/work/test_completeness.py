"""Laws of the judgement: never early, never shaken by order or repetition, never taken back."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.settings import CompleteSettings
from node.work.completeness import (
    GRID_SETTLE_S,
    MINIMUM_BEATS,
    Activity,
    InstanceFacts,
    is_grid_full,
    judge,
)
from storage.records import CompletedBy

SETTINGS = CompleteSettings(quiet_s=5, idle_s=60)
JUST_NOW = Activity(
    n_open_associations=1, was_released=False, since_instance_s=0.0, since_change_s=0.0
)


def fact(instance_id: int, **changes: object) -> InstanceFacts:
    values: dict[str, object] = {
        "series_uid": "1.1",
        "slice_key": (0.0,),
        "rows": 192,
        "columns": 160,
        "frame": 0,
        "echo": 0,
        "temporal_position": instance_id,
        "declared_beats": None,
        "declared_images": None,
    }
    return InstanceFacts(instance_id=instance_id, **(values | changes))  # type: ignore[arg-type]  # closed set


def exam(n_slices: int = 3, n_beats: int = 22, *, by_images: bool = False) -> list[InstanceFacts]:
    """Return a full grid: one series per slice and one arterial input of smaller matrix."""
    return [
        fact(
            series * 1000 + beat,
            series_uid=f"1.{series}",
            slice_key=(float(series % n_slices),),
            rows=64 if series == n_slices else 192,
            columns=48 if series == n_slices else 160,
            temporal_position=beat + 1,
            declared_beats=None if by_images else n_beats,
            declared_images=n_beats if by_images else None,
        )
        for series in range(n_slices + 1)
        for beat in range(n_beats)
    ]


grids = st.builds(
    exam,
    n_slices=st.integers(3, 5),
    n_beats=st.integers(MINIMUM_BEATS, 24),
    by_images=st.booleans(),
)
durations = st.floats(0, 1000)
activities = st.builds(
    lambda n_open, was_released, instance_s, shorter: Activity(
        n_open_associations=n_open,
        was_released=was_released,
        since_instance_s=instance_s,
        since_change_s=instance_s * shorter,
    ),
    st.integers(0, 3),
    st.booleans(),
    durations,
    st.floats(0, 1),
)


@given(grids)
def test_a_full_declared_grid_is_proven(facts: list[InstanceFacts]) -> None:
    assert is_grid_full(facts)


@given(grids, st.data())
def test_nothing_may_be_missing(facts: list[InstanceFacts], data: st.DataObject) -> None:
    lost = data.draw(st.sets(st.sampled_from(range(len(facts))), min_size=1, max_size=20))
    rest = [item for position, item in enumerate(facts) if position not in lost]
    assert not is_grid_full(rest)


@given(grids, activities, st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(facts, activity, randomness) -> None:
    again = facts + randomness.sample(facts, 10)
    randomness.shuffle(again)
    assert judge(again, activity, SETTINGS) == judge(facts, activity, SETTINGS)


@given(grids, st.data(), activities)
def test_never_complete_before_a_rule_holds(facts, data, activity) -> None:
    n_present = data.draw(st.integers(0, len(facts)))
    verdict = judge(facts[:n_present], activity, SETTINGS)
    rules = {
        CompletedBy.GRID: n_present == len(facts) and activity.since_instance_s >= GRID_SETTLE_S,
        CompletedBy.RELEASE: activity.was_released
        and activity.n_open_associations == 0
        and activity.since_change_s >= SETTINGS.quiet_s,
        CompletedBy.IDLE: activity.since_instance_s >= SETTINGS.idle_s,
    }
    assert verdict.is_complete == any(rules.values())
    assert verdict.completed_by is None or rules[verdict.completed_by]


@given(grids, activities, durations)
def test_waiting_longer_takes_nothing_back(facts, activity, more_s) -> None:
    later = replace(
        activity,
        since_instance_s=activity.since_instance_s + more_s,
        since_change_s=activity.since_change_s + more_s,
    )
    before, after = judge(facts, activity, SETTINGS), judge(facts, later, SETTINGS)
    assert after.is_complete or not before.is_complete


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("an unreadable header", lambda facts: [*facts, None]),
        ("an undeclared dynamic series", lambda facts: [*facts, *undeclared_series()]),
        ("a part of a divided object", lambda facts: [*facts, *frames(60)[:30]]),
        ("an instance too many", lambda facts: [*facts, replace(facts[0], instance_id=9002)]),
        ("no arterial input", lambda facts: [f for f in facts if f.rows > 64]),
        ("two slices only", lambda facts: [f for f in facts if f.series_uid != "1.0"]),
        (
            "declarations that differ",
            lambda facts: [replace(facts[0], declared_beats=5), *facts[1:]],
        ),
        ("nothing at all", lambda _facts: []),
    ],
)
def test_what_makes_a_proof_impossible(name: str, spoil) -> None:
    assert not is_grid_full(spoil(exam())), name


def frames(n_frames: int) -> list[InstanceFacts]:
    """Return the frames of a multi-frame object at one position."""
    return [
        fact(
            9001,
            series_uid="9",
            frame=number,
            temporal_position=number,
            declared_images=n_frames,
        )
        for number in range(1, n_frames + 1)
    ]


def test_a_whole_multi_frame_object_fills_its_grid() -> None:
    assert is_grid_full(exam() + frames(60))
    assert is_grid_full(exam() + frames(60) + frames(60))


def undeclared_series() -> list[InstanceFacts]:
    return [fact(8000 + beat, series_uid="8") for beat in range(30)]


def test_localisers_do_not_matter() -> None:
    scouts = [fact(7000 + n, series_uid="7", slice_key=(float(n),)) for n in range(3)]
    assert is_grid_full(exam() + scouts)


def test_two_echoes_of_the_arterial_input_fill_two_grids() -> None:
    facts = exam()
    second = [
        replace(item, instance_id=item.instance_id + 500, echo=2)
        for item in facts
        if item.rows == 64
    ]
    assert is_grid_full(facts + second)
    assert not is_grid_full(facts + second[1:])


def test_a_short_run_is_not_an_exam() -> None:
    assert not is_grid_full(exam(n_beats=MINIMUM_BEATS - 1))


def test_a_full_grid_waits_a_moment_for_another_series() -> None:
    assert not judge(exam(), JUST_NOW, SETTINGS).is_complete
    settled = replace(JUST_NOW, since_instance_s=GRID_SETTLE_S)
    assert judge(exam(), settled, SETTINGS).completed_by is CompletedBy.GRID
