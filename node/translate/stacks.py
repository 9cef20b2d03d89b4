"""Frames of one slice position, gathered by geometry; slices put in order from base to apex."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mode

import numpy as np
from numpy.typing import NDArray

from node.translate.headers import FrameHeader
from node.translate.values import number_of
from pipeline.types import Geometry

MIN_BEATS = 20
"""A bolus run has at least so many frames at a position; scouts and baselines have fewer."""
POSITION_TOLERANCE_MM = 0.5
_DIRECTION_TOLERANCE = 1e-3
_SPACING_TOLERANCE_MM = 1e-3
ECHO_TOLERANCE_MS = 0.02

APEX_DIRECTION = np.array([1.0, -1.0, -1.0]) / np.sqrt(3.0)
"""The apex lies left (+x), in front (-y) and below (-z) the base in patient axes (C.7.6.2)."""
_MIN_COSINE = 0.2
_PARALLEL_COSINE = 0.9
"""Short-axis slices that are planned one by one may differ by some degrees."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """All frames of one series at one position, with one matrix and one echo time."""

    frames: tuple[FrameHeader, ...]
    geometry: Geometry
    proton_density: tuple[FrameHeader, ...] = ()
    """Frames of another series that were taken of this place before."""

    @property
    def inversion_time_ms(self) -> float:
        """Of most frames, as the header says; 0 where it does not."""
        return self._usual("InversionTime")

    @property
    def trigger_delay_ms(self) -> float:
        """Of most frames, as the header says; 0 where it does not."""
        return self._usual("TriggerTime")

    def _usual(self, keyword: str) -> float:
        return mode(number_of(frame.dataset, keyword) or 0.0 for frame in self.frames)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, columns."""
        return self.frames[0].shape

    @property
    def is_full(self) -> bool:
        """Whether there are enough frames for a bolus run."""
        return len(self.frames) >= MIN_BEATS


def gather_stacks(frames: Iterable[FrameHeader]) -> tuple[Stack, ...]:
    """Gather the frames of one series into stacks; frames without geometry are left out."""
    gathered: list[tuple[Geometry, list[FrameHeader]]] = []
    for frame in sorted(frames, key=lambda frame: frame.key):
        if frame.geometry is None:
            continue
        for geometry, members in gathered:
            if _belongs(frame, frame.geometry, members[0], geometry):
                members.append(frame)
                break
        else:
            gathered.append((frame.geometry, [frame]))
    return tuple(Stack(frames=tuple(members), geometry=first) for first, members in gathered)


def same_plane(first: Geometry, second: Geometry) -> bool:
    """Whether two geometries have the same directions and pixel spacing."""
    directions = np.abs(_directions(first) - _directions(second)).max()
    spacing = np.abs(np.subtract(first.spacing_mm, second.spacing_mm)).max()
    return bool(directions <= _DIRECTION_TOLERANCE and spacing <= _SPACING_TOLERANCE_MM)


def alike(first: Stack, second: Stack) -> bool:
    """Whether two stacks have the same matrix, directions and pixel spacing."""
    return first.shape == second.shape and same_plane(first.geometry, second.geometry)


def same_position(first: Geometry, second: Geometry) -> bool:
    """Whether two geometries have the same origin."""
    distance = np.abs(np.subtract(first.origin_mm, second.origin_mm)).max()
    return bool(distance <= POSITION_TOLERANCE_MM)


def largest_parallel(stacks: Sequence[Stack]) -> list[Stack]:
    """Return the most stacks that lie in parallel planes; of equally many, the short-axis ones."""
    groups: list[list[Stack]] = []
    for stack in stacks:
        home = next((group for group in groups if _are_parallel(stack, group[0])), None)
        if home is None:
            groups.append([stack])
        else:
            home.append(stack)
    return max(
        groups,
        key=lambda group: (len(group), abs(float(_normal(group[0].geometry) @ APEX_DIRECTION))),
        default=[],
    )


def order_base_to_apex(stacks: Sequence[Stack], hint: Geometry | None) -> tuple[Stack, ...]:
    """Sort slices along their normal, basal slice first.

    Which end is the base follows from anatomy: the normal that points left, forward and
    downward points to the apex. Where the planes lie nearly across that direction, the end
    that is nearer to the arterial-input slice is the base, because that slice is planned in
    the basal left ventricle. Instance numbers and slice locations are not used.

    Parameters
    ----------
    stacks
        The slices of one exam.
    hint
        Plane of the arterial input, if there is one.

    """
    normal = _normal(stacks[0].geometry)
    cosine = float(normal @ APEX_DIRECTION)
    toward_apex = normal if cosine >= 0 else -normal
    ordered = sorted(stacks, key=lambda stack: float(_centre(stack) @ toward_apex))
    if abs(cosine) < _MIN_COSINE and hint is not None:
        height = float(np.array(hint.origin_mm) @ toward_apex)
        ends = [abs(float(_centre(stack) @ toward_apex) - height) for stack in ordered]
        if ends[-1] < ends[0]:
            ordered.reverse()
    return tuple(ordered)


def _belongs(
    frame: FrameHeader, geometry: Geometry, member: FrameHeader, reference: Geometry
) -> bool:
    return (
        frame.shape == member.shape
        and abs(frame.echo_time_ms - member.echo_time_ms) <= ECHO_TOLERANCE_MS
        and same_plane(geometry, reference)
        and same_position(geometry, reference)
    )


def _directions(geometry: Geometry) -> NDArray[np.float64]:
    return np.array([*geometry.row_direction, *geometry.column_direction])


def _normal(geometry: Geometry) -> NDArray[np.float64]:
    return np.cross(geometry.row_direction, geometry.column_direction)


def _are_parallel(first: Stack, second: Stack) -> bool:
    return abs(float(_normal(first.geometry) @ _normal(second.geometry))) >= _PARALLEL_COSINE


def _centre(stack: Stack) -> NDArray[np.float64]:
    """Any point of the plane will do: only its height along the normal is used."""
    return np.array(stack.geometry.origin_mm)
