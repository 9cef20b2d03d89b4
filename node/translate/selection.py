"""Which stacks of a run count: one per place, and which of them is the arterial input."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from node.settings import AcquisitionRule
from node.translate.roles import is_corrected_by_scanner, is_named
from node.translate.stacks import ECHO_TOLERANCE_MS, Stack, alike, largest_parallel, same_position

_APART_MS = 10.0
"""Triggers of one stack differ by less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The stacks of a run that are used."""

    slices: tuple[Stack, ...]
    """In no particular order; empty when there is nothing but arterial input."""
    arterial_input: Stack | None
    second_echo: Stack | None
    not_parallel: tuple[Stack, ...]
    """Slices in another direction than the others, such as a long axis; they are not used."""
    input_reason: str
    """What told the arterial input from the slices."""


def select(stacks: Sequence[Stack], rules: Sequence[AcquisitionRule]) -> Selection:
    """Choose one stack per place, and the arterial input.

    Parameters
    ----------
    stacks
        All full stacks of one run, copies and later echoes among them.
    rules
        Acquisition rules of the configuration.

    """
    inputs, reason = _find_inputs(stacks, rules)
    slices = _without_copies(stack for stack in stacks if stack not in inputs)
    parallel = largest_parallel(slices)
    first = min(_without_copies(inputs), key=_input_preference, default=None)
    return Selection(
        slices=tuple(parallel),
        not_parallel=tuple(stack for stack in slices if stack not in parallel),
        arterial_input=first,
        second_echo=None if first is None else _find_second_echo(stacks, first),
        input_reason=reason,
    )


def _find_inputs(
    stacks: Sequence[Stack], rules: Sequence[AcquisitionRule]
) -> tuple[list[Stack], str]:
    """Return the arterial input with its copies and echoes, and what told it.

    Geometry goes before names, and names before what the header says of the readout, which may
    mean different things on different scanners.
    """
    rows = max(stack.shape[0] for stack in stacks)
    columns = max(stack.shape[1] for stack in stacks)
    tests: tuple[tuple[Callable[[Stack], bool], str], ...] = (
        (
            lambda stack: _is_small(stack, rows, columns),
            "at most half the matrix of the slices",
        ),
        (
            lambda stack: _is_named_single(stack, stacks, rules),
            "name, and a single position",
        ),
        (
            lambda stack: _has_shorter_readout(stack, stacks),
            "one position, shorter saturation or echo time than the slices",
        ),
        (
            lambda stack: _is_read_earlier(stack, stacks),
            "one position, read earlier in the beat than the slice there",
        ),
    )
    for is_input, reason in tests:
        found = [stack for stack in stacks if is_input(stack)]
        if found:
            return found, reason
    return [], ""


def _is_small(stack: Stack, rows: int, columns: int) -> bool:
    return stack.shape[0] * 2 <= rows and stack.shape[1] * 2 <= columns


def _is_named_single(
    stack: Stack, stacks: Sequence[Stack], rules: Sequence[AcquisitionRule]
) -> bool:
    """Whether a series is named so and lies at one place."""
    return is_named(stack.frames[0], "arterial_input", rules) and all(
        same_position(stack.geometry, other.geometry)
        for other in stacks
        if other.frames[0].series_uid == stack.frames[0].series_uid
    )


def _has_shorter_readout(stack: Stack, stacks: Sequence[Stack]) -> bool:
    """Whether other places, or this one once more, are read after a longer saturation or echo.

    A slice alone with its time is no input: where one saturation pulse serves all slices of a
    beat, each has a time of its own.
    """
    n_places = _count_places(stack, stacks)
    if n_places > 1:
        return False
    for other in stacks:
        has_more = _count_places(other, stacks) > n_places
        is_here = same_position(stack.geometry, other.geometry)
        if (has_more or is_here) and _recovers_shorter(stack, other):
            return True
        if has_more and _echo_ms(stack) < _echo_ms(other) - ECHO_TOLERANCE_MS:
            return True
    return False


def _recovers_shorter(stack: Stack, other: Stack) -> bool:
    return 0 < stack.inversion_time_ms * 2 <= other.inversion_time_ms


def _count_places(stack: Stack, stacks: Sequence[Stack]) -> int:
    """Count the places that were read as this stack was."""
    same = [other for other in stacks if _is_same_readout(other, stack)]
    return len(_without_copies(same))


def _is_same_readout(first: Stack, second: Stack) -> bool:
    return (
        first.shape == second.shape
        and abs(_echo_ms(first) - _echo_ms(second)) <= ECHO_TOLERANCE_MS
        and abs(first.inversion_time_ms - second.inversion_time_ms) <= _APART_MS
    )


def _is_read_earlier(stack: Stack, stacks: Sequence[Stack]) -> bool:
    """Whether the same series shows the same place once more, later in the beat."""
    return any(
        other.frames[0].series_uid == stack.frames[0].series_uid
        and _is_same_readout(stack, other)
        and same_position(stack.geometry, other.geometry)
        and stack.trigger_delay_ms < other.trigger_delay_ms - _APART_MS
        for other in stacks
    )


def _without_copies(stacks: Iterable[Stack]) -> list[Stack]:
    """Keep one stack per place: measured before registered, first echo, first series."""
    kept: list[Stack] = []
    for stack in sorted(stacks, key=_copy_preference):
        is_copy = any(
            alike(stack, other) and same_position(stack.geometry, other.geometry) for other in kept
        )
        if not is_copy:
            kept.append(stack)
    return kept


def _copy_preference(stack: Stack) -> tuple[bool, bool, float, int, str]:
    first = stack.frames[0]
    return (
        is_corrected_by_scanner(first),
        first.is_derived,
        first.echo_time_ms,
        first.series_number,
        first.series_uid,
    )


def _input_preference(stack: Stack) -> tuple[int, float, int]:
    """Sort key of several arterial inputs: smallest matrix, first echo, first series."""
    return stack.shape[0] * stack.shape[1], _echo_ms(stack), stack.frames[0].series_number


def _find_second_echo(stacks: Sequence[Stack], first: Stack) -> Stack | None:
    """Return the frames of a stack at the next later echo time, from the same series or another.

    They lie at the same place, are as many, and the scanner has done with them what it has done
    with the first ones.
    """
    later = [stack for stack in stacks if _is_later_echo(stack, first)]
    return min(later, key=_copy_preference, default=None)


def _is_later_echo(stack: Stack, first: Stack) -> bool:
    one, other = stack.frames[0], first.frames[0]
    is_same_kind = one.is_derived == other.is_derived and is_corrected_by_scanner(
        one
    ) == is_corrected_by_scanner(other)
    return (
        is_same_kind
        and alike(stack, first)
        and same_position(stack.geometry, first.geometry)
        and len(stack.frames) == len(first.frames)
        and one.echo_time_ms > other.echo_time_ms + ECHO_TOLERANCE_MS
        and abs(stack.inversion_time_ms - first.inversion_time_ms) <= _APART_MS
    )


def _echo_ms(stack: Stack) -> float:
    return stack.frames[0].echo_time_ms
