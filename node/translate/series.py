"""One received series: its stacks, what it says of itself, and when it was taken."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from node.settings import AcquisitionRule, StateRule
from node.translate.clock import read_clock, wall_span_us, wall_time_us
from node.translate.headers import FrameHeader
from node.translate.interleaved import take_apart
from node.translate.roles import is_named
from node.translate.stacks import MIN_BEATS, Stack, gather_stacks
from node.translate.states import StateReading, read_procedure_state, read_state

_PAUSE_US = 60_000_000
"""Nobody waits so long for a beat: what follows is another bolus."""
_MIN_PART = MIN_BEATS // 2
"""Fewer images of a place are not a bolus of their own, but proton density taken before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The images of one series, or of one bolus where a series holds two."""

    uid: str
    number: int
    stacks: tuple[Stack, ...]
    n_without_place: int
    """Images without a usable position."""
    state: StateReading
    procedure_state: StateReading
    """What the code of the performed protocol says: it may speak of the whole study."""
    is_named: bool
    """Whether it calls itself perfusion or arterial input."""
    start_us: int
    end_us: int
    part: int = 0
    """Which bolus of the series, counted from 0."""

    @property
    def full_stacks(self) -> tuple[Stack, ...]:
        """Stacks with enough beats for a bolus run."""
        return tuple(stack for stack in self.stacks if stack.is_full)

    @property
    def frames(self) -> tuple[FrameHeader, ...]:
        """All images that have a place."""
        return tuple(frame for stack in self.stacks for frame in stack.frames)

    @property
    def has_clock(self) -> bool:
        """Whether a field steps through its full stacks by heart beats."""
        return read_clock([stack.frames for stack in self.full_stacks]) is not None


def gather_series(
    frames: Iterable[FrameHeader],
    rules: Sequence[AcquisitionRule],
    states: Sequence[StateRule],
) -> list[Series]:
    """Sort images into series; derived images of a series, and later boluses, are kept apart.

    Parameters
    ----------
    frames
        Candidate images of one study, in any order.
    rules
        Acquisition rules of the configuration.
    states
        What the names of the site say about stress and rest.

    """
    ordered = sorted(frames, key=lambda frame: (*_family(frame), frame.key))
    return [
        series
        for _, members in groupby(ordered, key=_family)
        for series in _describe(tuple(members), rules, states)
    ]


def _family(frame: FrameHeader) -> tuple[str, bool]:
    """Return what images must share to be one series: derived ones are kept apart."""
    return frame.series_uid, frame.is_derived


def _describe(
    frames: tuple[FrameHeader, ...],
    rules: Sequence[AcquisitionRule],
    states: Sequence[StateRule],
) -> Iterable[Series]:
    first = frames[0]
    state, procedure_state = read_state(frames, states), read_procedure_state(frames)
    named = is_named(first, "perfusion", rules) or is_named(first, "arterial_input", rules)
    for part, (members, stacks, start_us) in enumerate(_cut_at_pauses(frames)):
        first_us, last_us = wall_span_us(members)
        yield Series(
            uid=first.series_uid,
            number=first.series_number,
            stacks=stacks,
            n_without_place=len(members) - sum(len(stack.frames) for stack in stacks),
            state=state,
            procedure_state=procedure_state,
            is_named=named,
            start_us=start_us + first_us,
            end_us=start_us + last_us,
            part=part,
        )


def _gather(frames: Iterable[FrameHeader]) -> tuple[Stack, ...]:
    return tuple(part for stack in gather_stacks(frames) for part in take_apart(stack))


def _cut_at_pauses(
    frames: tuple[FrameHeader, ...],
) -> list[tuple[tuple[FrameHeader, ...], tuple[Stack, ...], int]]:
    """Return images and stacks of each bolus, and the time to add to their wall clock.

    The clock of the beats tells them apart. Where every image of a series has one wall time, the
    parts would seem simultaneous without what is added.
    """
    stacks = _gather(frames)
    time_us = _times_us([stack for stack in stacks if stack.is_full])
    pauses = [
        later
        for earlier, later in pairwise(sorted(time_us.values()))
        if later - earlier > _PAUSE_US and _has_boluses_around(stacks, time_us, later)
    ]
    if not pauses:
        return [(frames, stacks, 0)]
    has_one_time = len({wall_time_us(frame) for frame in frames}) == 1
    starts = [0, *pauses]
    parts: list[list[FrameHeader]] = [[] for _ in starts]
    for frame in frames:
        # Images outside the full stacks have no time on this clock: they go with the first part.
        time = time_us.get(frame.key, 0)
        parts[sum(time >= pause for pause in pauses)].append(frame)
    return [
        (tuple(part), _gather(part), start if has_one_time else 0)
        for part, start in zip(parts, starts, strict=True)
    ]


def _times_us(stacks: Sequence[Stack]) -> dict[str, int]:
    """Return when each image was taken on the common clock of the stacks; none if there is none."""
    clock = read_clock([stack.frames for stack in stacks]) if stacks else None
    if clock is None:
        return {}
    return {
        frame.key: time
        for stack, times in zip(stacks, clock.microseconds, strict=True)
        for frame, time in zip(stack.frames, times, strict=True)
    }


def _has_boluses_around(stacks: Sequence[Stack], time_us: Mapping[str, int], pause_us: int) -> bool:
    """Whether some stack has many images on either side."""
    for stack in stacks:
        times = [time_us[frame.key] for frame in stack.frames if frame.key in time_us]
        n_before = sum(time < pause_us for time in times)
        if min(n_before, len(times) - n_before) >= _MIN_PART:
            return True
    return False
