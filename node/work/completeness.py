"""Whether a study is complete: a pure judgement on facts and elapsed times.

C-STORE has no end of study. Three rules, strongest first:

1. grid: the headers declare how many beats or images there are, and exactly those are here;
2. release: every association that brought the study is closed and nothing followed for a while;
3. idle: nothing came for long, although an association is still open.

Elapsed times come in as durations, not as two wall-clock times, so that a clock step (a
correction by time servers, the end of summer time) cannot close a study early.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from node.settings import CompleteSettings
from storage.records import CompletedBy

MINIMUM_BEATS = 20
"""A shorter series is a localiser or a baseline run, not a bolus."""
MINIMUM_SLICES = 3
"""Base, mid and apex. No header says how many slices an exam has, so fewer prove nothing."""
ARTERIAL_INPUT_MATRIX_FRACTION = 0.5
"""An arterial-input series has at most this share of the pixels of the largest dynamic series."""
GRID_SETTLE_S = 1.0
"""Pause that a full grid must last: the scanner may be about to start another series."""

SliceKey = tuple[float, ...]
"""Rounded orientation and position of a slice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceFacts:
    """What one image says about its place in the slice x beat grid."""

    instance_id: int
    series_uid: str
    slice_key: SliceKey
    rows: int
    columns: int
    frame: int
    """Position in a multi-frame object, counted from 1; 0 where the instance is one image."""
    echo: int
    temporal_position: int | None
    """Number of the beat, where the headers give one."""
    declared_beats: int | None
    """Frames that each slice of the series is said to have."""
    declared_images: int | None
    """Images that the whole series is said to have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What happened on the network, as durations."""

    n_open_associations: int
    was_released: bool
    """Whether an association that brought the study has been closed."""
    since_instance_s: float
    """Seconds since the last instance."""
    since_change_s: float
    """Seconds since the last instance, or the last opening or closing of an association."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The judgement: which rule holds, or none yet."""

    completed_by: CompletedBy | None
    reason: str

    @property
    def is_complete(self) -> bool:
        """Whether any rule holds."""
        return self.completed_by is not None


def judge(
    facts: Sequence[InstanceFacts | None], activity: Activity, settings: CompleteSettings
) -> Verdict:
    """Decide whether a study is complete.

    Parameters
    ----------
    facts
        One entry per image of the accepted instances, in any order, repetitions allowed; None for
        an instance whose header could not be read, which makes a proof by grid impossible.
    activity
        Open associations and elapsed times.
    settings
        Section `complete` of the configuration.

    Returns
    -------
    The strongest rule that holds, or a verdict that waits.

    """
    if activity.since_instance_s >= GRID_SETTLE_S and is_grid_full(facts):
        return Verdict(completed_by=CompletedBy.GRID, reason="every slice has every declared beat")
    is_released = activity.was_released and activity.n_open_associations == 0
    if is_released and activity.since_change_s >= settings.quiet_s:
        return Verdict(completed_by=CompletedBy.RELEASE, reason="association released, then quiet")
    if activity.since_instance_s >= settings.idle_s:
        return Verdict(completed_by=CompletedBy.IDLE, reason="nothing came for idle_s")
    return Verdict(completed_by=None, reason="waiting")


def is_grid_full(facts: Iterable[InstanceFacts | None]) -> bool:
    """Whether the headers prove that every beat of every slice is here.

    Every dynamic series must declare its extent and have exactly that; there must be a series
    with a bolus (`MINIMUM_BEATS`), `MINIMUM_SLICES` slices, and an arterial-input series of
    smaller matrix. Series without dynamics (localisers) do not matter.

    Parameters
    ----------
    facts
        As for `judge`.

    Returns
    -------
    True only when proven; False means "not proven", not "incomplete".

    """
    known = []
    for fact in facts:
        if fact is None:
            return False
        known.append(fact)
    dynamic = [series for series in _by_series(known) if _is_dynamic(series)]
    return (
        bool(dynamic)
        and all(_is_series_full(series) for series in dynamic)
        and _has_perfusion_slices(dynamic)
        and _has_arterial_input(dynamic)
    )


_Series = tuple[InstanceFacts, ...]


def _by_series(facts: Sequence[InstanceFacts]) -> list[_Series]:
    unique = {(fact.instance_id, fact.frame): fact for fact in facts}
    series: dict[str, list[InstanceFacts]] = defaultdict(list)
    for fact in unique.values():
        series[fact.series_uid].append(fact)
    return [tuple(members) for members in series.values()]


def _is_dynamic(series: _Series) -> bool:
    declares = any((fact.declared_beats or 0) > 1 for fact in series)
    return declares or any(n_beats > 1 for n_beats in _beats_per_cell(series).values())


def _beats_per_cell(series: _Series) -> dict[tuple[SliceKey, int], int]:
    """Count the different beats of every slice and echo."""
    beats: dict[tuple[SliceKey, int], set[tuple[bool, int]]] = defaultdict(set)
    for fact in series:
        is_numbered = fact.temporal_position is not None
        number = fact.temporal_position if is_numbered else fact.instance_id
        beats[fact.slice_key, fact.echo].add((is_numbered, number or 0))
    return {cell: len(numbers) for cell, numbers in beats.items()}


def _is_series_full(series: _Series) -> bool:
    declared_beats = {fact.declared_beats for fact in series}
    declared_images = {fact.declared_images for fact in series}
    if len(declared_beats) != 1 or len(declared_images) != 1:
        return False
    n_beats, n_images = declared_beats.pop(), declared_images.pop()
    counts = set(_beats_per_cell(series).values())
    n_cells = len(_beats_per_cell(series))
    is_rectangle = len(counts) == 1 and counts == {len(series) // n_cells}
    is_declared = n_beats is not None or n_images is not None
    return (
        is_declared
        and is_rectangle
        and (n_beats is None or counts == {n_beats})
        and (n_images is None or len(series) == n_images)
    )


def _has_perfusion_slices(dynamic: Sequence[_Series]) -> bool:
    largest = _largest_matrix(dynamic)
    slices = {
        cell
        for series in dynamic
        for (cell, _), n_beats in _beats_per_cell(series).items()
        if n_beats >= MINIMUM_BEATS and _matrix(series) > largest * ARTERIAL_INPUT_MATRIX_FRACTION
    }
    return len(slices) >= MINIMUM_SLICES


def _has_arterial_input(dynamic: Sequence[_Series]) -> bool:
    largest = _largest_matrix(dynamic)
    return any(
        _matrix(series) <= largest * ARTERIAL_INPUT_MATRIX_FRACTION
        and max(_beats_per_cell(series).values()) >= MINIMUM_BEATS
        for series in dynamic
    )


def _largest_matrix(dynamic: Sequence[_Series]) -> int:
    return max(_matrix(series) for series in dynamic)


def _matrix(series: _Series) -> int:
    return max(fact.rows * fact.columns for fact in series)
