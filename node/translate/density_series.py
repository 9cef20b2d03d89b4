"""Proton-density frames that came as a series of their own, and the run they belong to."""

from collections.abc import Sequence
from dataclasses import replace

from node.translate.series import Series
from node.translate.stacks import Stack, alike, same_position
from node.translate.values import text_of

MAX_FRAMES = 12
"""More frames of a place are a baseline or a bolus."""
_MAX_BEFORE_US = 15 * 60_000_000
"""Coils and patient do not stay as they are for longer."""


def find_density_series(series: Sequence[Series]) -> list[Series]:
    """Return the measured series that have few frames of each place.

    Names do not decide: short baselines of the perfusion sequence look the same here, and are told
    from proton density by their signal later.
    """
    return [
        item
        for item in series
        if item.stacks
        and not item.frames[0].is_derived
        and max(len(stack.frames) for stack in item.stacks) <= MAX_FRAMES
    ]


def precede(density: Series, run: Sequence[Series]) -> bool:
    """Whether a series was taken before a run, not long ago, and shows a place of it."""
    start_us = min(item.start_us for item in run)
    is_before = 0 <= start_us - density.start_us <= _MAX_BEFORE_US
    places = [stack for item in run for stack in item.full_stacks]
    return is_before and any(
        _shows_same(frames, place) for frames in density.stacks for place in places
    )


def with_density(stack: Stack, density: Sequence[Series]) -> Stack:
    """Return a stack with the proton-density frames of its place, if there are any.

    Parameters
    ----------
    stack
        A slice, or the arterial input.
    density
        Series that precede the run, the last one first.

    """
    for item in density:
        same = [frames for frames in item.stacks if _shows_same(frames, stack)]
        if same:
            nearest = min(same, key=lambda frames: _echo_distance(frames, stack))
            return replace(stack, proton_density=nearest.frames)
    return stack


def _shows_same(frames: Stack, stack: Stack) -> bool:
    return (
        alike(frames, stack)
        and same_position(frames.geometry, stack.geometry)
        and _axes(frames) == _axes(stack)
    )


def _axes(stack: Stack) -> str:
    """Return the frame of reference: after a new localiser, equal positions are other places."""
    return text_of(stack.frames[0].dataset, "FrameOfReferenceUID")


def _echo_distance(frames: Stack, stack: Stack) -> float:
    return abs(frames.frames[0].echo_time_ms - stack.frames[0].echo_time_ms)
