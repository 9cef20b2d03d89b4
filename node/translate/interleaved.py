"""Two sequences in one series: images of one place that are read at two times of the beat.

Some scanners deliver arterial input and slices as one series. A smaller matrix or another echo time
keeps them apart by itself (`stacks`). Where only the trigger delay or the saturation time differs,
the images of one place are two stacks if both are there in every beat.
"""

from collections.abc import Callable, Iterator, Sequence

from node.translate.clock import wall_time_us
from node.translate.headers import FrameHeader
from node.translate.stacks import MIN_BEATS, Stack
from node.translate.values import number_of

_APART_MS = 10.0
"""Triggers jitter by a few milliseconds; readouts last tens of them."""
_MAX_LOST_FRACTION = 0.1
"""Beats that one of two sequences may lack."""


def take_apart(stack: Stack) -> Iterator[Stack]:
    """Return the stacks that are mixed in one; itself when there is one."""
    for read in (_trigger_delay_ms, _saturation_ms):
        parts = _split(stack.frames, read)
        if len(parts) > 1:
            for part in parts:
                yield from take_apart(Stack(frames=part, geometry=stack.geometry))
            return
    yield stack


def _split(
    frames: Sequence[FrameHeader], read: Callable[[FrameHeader], float]
) -> list[tuple[FrameHeader, ...]]:
    """Cut frames where a number jumps, if every part has its share of the beats.

    Parts of a few frames, such as proton-density frames without a saturation time, join the last
    one, which is that of the slice: the arterial input is read earlier and after less recovery.
    """
    parts: list[list[FrameHeader]] = []
    last = 0.0
    for number, frame in sorted(
        ((read(frame), frame) for frame in frames), key=lambda pair: (pair[0], pair[1].key)
    ):
        if not parts or number - last > _APART_MS:
            parts.append([])
        parts[-1].append(frame)
        last = number
    full = [tuple(part) for part in parts if len(part) >= MIN_BEATS]
    if len(full) < 2 or not _are_beats_of_one_run(full):
        return [tuple(frames)]
    rest = [frame for part in parts if len(part) < MIN_BEATS for frame in part]
    return [*full[:-1], (*full[-1], *rest)]


def _are_beats_of_one_run(parts: Sequence[Sequence[FrameHeader]]) -> bool:
    """Whether parts have equally many frames and were taken over the same minutes."""
    counts = [len(part) for part in parts]
    times = [[wall_time_us(frame) for frame in part] for part in parts]
    is_one = max(min(group) for group in times) <= min(max(group) for group in times)
    return is_one and min(counts) >= (1 - _MAX_LOST_FRACTION) * max(counts)


def _trigger_delay_ms(frame: FrameHeader) -> float:
    """By the standard the time after the R wave; where it accumulates, all values are distinct."""
    return number_of(frame.dataset, "TriggerTime") or 0.0


def _saturation_ms(frame: FrameHeader) -> float:
    return number_of(frame.dataset, "InversionTime") or 0.0
