"""Bolus runs: which stacks were acquired together, and which of them is the arterial input."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from node.errors import UnusableStudyError
from node.settings import AcquisitionRule
from node.translate.clock import read_clock, wall_time_us
from node.translate.headers import FrameHeader
from node.translate.roles import is_corrected_by_scanner, is_named, state_of
from node.translate.stacks import (
    MIN_BEATS,
    Stack,
    gather_stacks,
    order_base_to_apex,
    same_plane,
    same_position,
)
from pipeline.findings import Code, Finding, Grade
from pipeline.types import PatientState


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One bolus run."""

    state: PatientState
    slices: tuple[Stack, ...]
    """From base to apex."""
    arterial_input: Stack | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """One series of images, gathered into stacks."""

    number: int
    stacks: tuple[Stack, ...]
    state: PatientState
    is_named: bool
    start_us: int
    end_us: int

    @property
    def full_stacks(self) -> tuple[Stack, ...]:
        return tuple(stack for stack in self.stacks if stack.is_full)


def find_runs(frames: Iterable[FrameHeader], rules: Sequence[AcquisitionRule]) -> tuple[Run, ...]:
    """Return the bolus runs of a study, in order of time.

    A series belongs to a run when many frames lie at one position and either its name says
    perfusion or a time axis in steps of heart beats can be read. Series that overlap in time
    and do not contradict each other in state form one run.

    Parameters
    ----------
    frames
        Candidate images of one study, in any order.
    rules
        Acquisition rules of the configuration.

    Raises
    ------
    UnusableStudyError
        There is no bolus run, or a series mixes geometries.

    """
    ordered = sorted(frames, key=lambda frame: (frame.series_uid, frame.sop_uid))
    series = [
        _describe(tuple(members), rules)
        for _, members in groupby(ordered, key=lambda frame: frame.series_uid)
    ]
    dynamic = [item for item in series if item.full_stacks]
    chosen = [item for item in dynamic if item.is_named] or [
        item for item in dynamic if _has_clock(item)
    ]
    groups = _adopt_orphans(_gather_runs(chosen), rules)
    runs = [_make_run(group, rules) for group in groups]
    complete = tuple(run for run in runs if run is not None)
    if not complete:
        raise _no_run(series)
    return complete


def _describe(frames: tuple[FrameHeader, ...], rules: Sequence[AcquisitionRule]) -> _Series:
    times = [wall_time_us(frame) for frame in frames]
    first = frames[0]
    return _Series(
        number=first.series_number,
        stacks=gather_stacks(frames),
        state=state_of(frames),
        is_named=is_named(first, "perfusion", rules) or is_named(first, "arterial_input", rules),
        start_us=min(times),
        end_us=max(times),
    )


def _has_clock(series: _Series) -> bool:
    return read_clock([stack.frames for stack in series.full_stacks]) is not None


def _no_run(series: Sequence[_Series]) -> UnusableStudyError:
    named = [item for item in series if item.is_named and item.stacks]
    if any(item.full_stacks for item in named):
        text = "Only an arterial-input series was received, no perfusion slices."
        return UnusableStudyError(Code.NO_PERFUSION_SERIES, text)
    if named:
        most = max(len(stack.frames) for item in named for stack in item.stacks)
        return UnusableStudyError(
            Code.BOLUS_NOT_COVERED,
            f"The perfusion series have at most {most} images per slice; {MIN_BEATS} are needed.",
        )
    return UnusableStudyError(Code.NO_PERFUSION_SERIES, "No perfusion series was found.")


def _gather_runs(series: Sequence[_Series]) -> list[list[_Series]]:
    runs: list[list[_Series]] = []
    for item in sorted(series, key=lambda item: (item.start_us, item.number)):
        partner = next((run for run in runs if _goes_with(item, run)), None)
        if partner is None:
            runs.append([item])
        else:
            partner.append(item)
    return runs


def _goes_with(item: _Series, run: Sequence[_Series]) -> bool:
    overlaps = any(item.start_us <= other.end_us and other.start_us <= item.end_us for other in run)
    return overlaps and _compatible(item.state, _state(run))


def _compatible(first: PatientState, second: PatientState) -> bool:
    return first == second or PatientState.UNKNOWN in (first, second)


def _state(run: Iterable[_Series]) -> PatientState:
    states = {item.state for item in run} - {PatientState.UNKNOWN}
    return states.pop() if len(states) == 1 else PatientState.UNKNOWN


def _adopt_orphans(
    groups: list[list[_Series]], rules: Sequence[AcquisitionRule]
) -> list[list[_Series]]:
    """Join a lone arterial input to the only run of its state.

    Some scanners write one time for a whole series; then runs cannot be seen in the times.
    """
    lone = [group for group in groups if _is_lone_input(group, rules)]
    others = [group for group in groups if group not in lone]
    for orphan in lone:
        homes = [group for group in others if _compatible(_state(group), _state(orphan))]
        if len(homes) == 1:
            homes[0].extend(orphan)
    return others


def _is_lone_input(group: Sequence[_Series], rules: Sequence[AcquisitionRule]) -> bool:
    first_frames = [stack.frames[0] for item in group for stack in item.full_stacks]
    return len(first_frames) == 1 and is_named(first_frames[0], "arterial_input", rules)


def _make_run(series: Sequence[_Series], rules: Sequence[AcquisitionRule]) -> Run | None:
    findings = [finding for item in series for finding in _check_geometry(item)]
    stacks = _without_copies([stack for item in series for stack in item.full_stacks])
    inputs = _find_inputs(stacks, rules)
    slices = [stack for stack in stacks if stack not in inputs]
    if not slices:
        return None
    arterial_input = min(inputs, key=_input_preference) if inputs else None
    hint = None if arterial_input is None else arterial_input.geometry
    ordered = order_base_to_apex(slices, hint)
    state = _state(series)
    return Run(
        state=state,
        slices=ordered,
        arterial_input=arterial_input,
        findings=(*findings, *_remarks(ordered, state)),
    )


def _check_geometry(series: _Series) -> Iterable[Finding]:
    """Refuse a series whose planes change between beats; report slices with images missing."""
    full = series.full_stacks
    for stack in series.stacks:
        if stack.is_full:
            continue
        if not any(
            stack.shape == other.shape and same_plane(stack.geometry, other.geometry)
            for other in full
        ):
            raise UnusableStudyError(
                Code.FEW_SLICES,
                f"Series {series.number} mixes image geometries: orientation, matrix or pixel "
                f"size changes between images.",
            )
        yield Finding(
            code=Code.INCOMPLETE_TRANSFER,
            grade=Grade.REVIEW,
            text=f"A slice of series {series.number} has only {len(stack.frames)} images "
            "and was left out.",
        )


def _without_copies(stacks: Iterable[Stack]) -> list[Stack]:
    """Keep one stack per place: measured before registered, first echo, first series."""
    kept: list[Stack] = []
    for stack in sorted(stacks, key=_copy_preference):
        is_copy = any(
            stack.shape == other.shape
            and same_plane(stack.geometry, other.geometry)
            and same_position(stack.geometry, other.geometry)
            for other in kept
        )
        if not is_copy:
            kept.append(stack)
    return kept


def _copy_preference(stack: Stack) -> tuple[bool, float, int, str]:
    first = stack.frames[0]
    return (
        is_corrected_by_scanner(first),
        first.echo_time_ms,
        first.series_number,
        first.series_uid,
    )


def _find_inputs(stacks: Sequence[Stack], rules: Sequence[AcquisitionRule]) -> list[Stack]:
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


def _is_single(stack: Stack, stacks: Sequence[Stack]) -> bool:
    series_uid = stack.frames[0].series_uid
    return sum(other.frames[0].series_uid == series_uid for other in stacks) == 1


def _input_preference(stack: Stack) -> tuple[int, float, int]:
    first = stack.frames[0]
    return stack.shape[0] * stack.shape[1], first.echo_time_ms, first.series_number


def _remarks(slices: Sequence[Stack], state: PatientState) -> Iterable[Finding]:
    if state is PatientState.UNKNOWN:
        yield Finding(
            code=Code.STATE_MISSING,
            grade=Grade.REVIEW,
            text="The series names do not say whether this is stress or rest.",
        )
    counts = [len(stack.frames) for stack in slices]
    if max(counts) - min(counts) > 2:
        yield Finding(
            code=Code.INCOMPLETE_TRANSFER,
            grade=Grade.REVIEW,
            text=f"The slices have between {min(counts)} and {max(counts)} images.",
        )
    if any(is_corrected_by_scanner(stack.frames[0]) for stack in slices):
        yield Finding(
            code=Code.RESIDUAL_MOTION,
            grade=Grade.NOTE,
            text="The scanner had corrected the motion of this series already.",
        )
