"""Which stacks of a run count: one per place, and which of them is the arterial input."""

from collections.abc import Iterable, Sequence

from node.settings import AcquisitionRule
from node.translate.roles import is_corrected_by_scanner, is_named
from node.translate.stacks import ECHO_TOLERANCE_MS, Stack, alike, same_position


def without_copies(stacks: Iterable[Stack]) -> list[Stack]:
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


def find_inputs(stacks: Sequence[Stack], rules: Sequence[AcquisitionRule]) -> list[Stack]:
    """Return the arterial input: at most half the matrix, else the named single slice."""
    rows = max(stack.shape[0] for stack in stacks)
    columns = max(stack.shape[1] for stack in stacks)
    small = [
        stack for stack in stacks if stack.shape[0] * 2 <= rows and stack.shape[1] * 2 <= columns
    ]
    if small:
        return small
    return [
        stack
        for stack in stacks
        if is_named(stack.frames[0], "arterial_input", rules) and _is_single(stack, stacks)
    ]


def find_second_echo(stacks: Sequence[Stack], first: Stack | None) -> Stack | None:
    """Return the frames of a stack at the next later echo time, from the same series or another.

    They lie at the same place, are as many, and the scanner has done with them what it has done
    with the first ones.
    """
    if first is None:
        return None
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
    )


def _is_single(stack: Stack, stacks: Sequence[Stack]) -> bool:
    series_uid = stack.frames[0].series_uid
    return sum(other.frames[0].series_uid == series_uid for other in stacks) == 1


def input_preference(stack: Stack) -> tuple[int, float, int]:
    """Sort key of several arterial inputs: smallest matrix, first echo, first series."""
    first = stack.frames[0]
    return stack.shape[0] * stack.shape[1], first.echo_time_ms, first.series_number
