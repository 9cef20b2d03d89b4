"""Bolus runs: which stacks were acquired together, and which of them is the arterial input."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from node.errors import UnusableStudyError
from node.settings import AcquisitionRule, StateRule
from node.translate.clock import read_clock, wall_time_us
from node.translate.headers import FrameHeader
from node.translate.roles import is_corrected_by_scanner, is_named, state_of
from node.translate.selection import (
    find_inputs,
    find_second_echo,
    input_preference,
    without_copies,
)
from node.translate.stacks import MIN_BEATS, Stack, alike, gather_stacks, order_base_to_apex
from pipeline.findings import Code, Finding, Grade
from pipeline.types import PatientState


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One bolus run."""

    state: PatientState
    slices: tuple[Stack, ...]
    """From base to apex."""
    arterial_input: Stack | None
    second_echo: Stack | None
    """The beats of the arterial input at a later echo time."""
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """One series of images, gathered into stacks."""

    number: int
    stacks: tuple[Stack, ...]
    n_without_place: int
    """Images without a usable position."""
    state: PatientState
    is_named: bool
    start_us: int
    end_us: int

    @property
    def full_stacks(self) -> tuple[Stack, ...]:
        return tuple(stack for stack in self.stacks if stack.is_full)


def find_runs(
    frames: Iterable[FrameHeader],
    rules: Sequence[AcquisitionRule],
    states: Sequence[StateRule],
) -> tuple[Run, ...]:
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
    states
        What the names of the site say about stress and rest.

    Raises
    ------
    UnusableStudyError
        There is no bolus run, or a series mixes geometries.

    """
    ordered = sorted(frames, key=lambda frame: (*_family(frame), frame.sop_uid))
    series = [
        _describe(tuple(members), rules, states) for _, members in groupby(ordered, key=_family)
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


def _family(frame: FrameHeader) -> tuple[str, bool]:
    """Return what images must share to be one series: derived ones are kept apart."""
    return frame.series_uid, frame.is_derived


def _describe(
    frames: tuple[FrameHeader, ...],
    rules: Sequence[AcquisitionRule],
    states: Sequence[StateRule],
) -> _Series:
    times = [wall_time_us(frame) for frame in frames]
    first = frames[0]
    stacks = gather_stacks(frames)
    return _Series(
        number=first.series_number,
        stacks=stacks,
        n_without_place=len(frames) - sum(len(stack.frames) for stack in stacks),
        state=state_of(frames, states),
        is_named=is_named(first, "perfusion", rules) or is_named(first, "arterial_input", rules),
        start_us=min(times),
        end_us=max(times),
    )


def _has_clock(series: _Series) -> bool:
    return read_clock([stack.frames for stack in series.full_stacks]) is not None


def _no_run(series: Sequence[_Series]) -> UnusableStudyError:
    """Say what is wrong with the series that should have been a bolus run."""
    named = [item for item in series if item.is_named]
    short = [item for item in named if not item.full_stacks]
    mixed = next((item for item in short if _mixes_geometry(item)), None)
    if mixed is not None:
        return _mixed_geometry(mixed)
    if any(item.n_without_place for item in short):
        text = "The perfusion images have no usable position, orientation or pixel spacing."
        return UnusableStudyError(Code.INCOMPLETE_TRANSFER, text)
    if short:
        most = max(len(stack.frames) for item in short for stack in item.stacks)
        text = f"The perfusion series have at most {most} images per slice; {MIN_BEATS} are needed."
        return UnusableStudyError(Code.BOLUS_NOT_COVERED, text)
    if named:
        text = "Only an arterial-input series was received, no perfusion slices."
        return UnusableStudyError(Code.NO_PERFUSION_SERIES, text)
    return UnusableStudyError(Code.NO_PERFUSION_SERIES, "No perfusion series was found.")


def _mixes_geometry(series: _Series) -> bool:
    """Whether a series without a full slice has many images that lie in different planes."""
    n_frames = sum(len(stack.frames) for stack in series.stacks)
    return n_frames >= MIN_BEATS and any(
        not alike(stack, series.stacks[0]) for stack in series.stacks
    )


def _mixed_geometry(series: _Series) -> UnusableStudyError:
    return UnusableStudyError(
        Code.FEW_SLICES,
        f"Series {series.number} mixes image geometries: orientation, matrix or pixel size "
        "changes between images.",
    )


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
    received = [stack for item in series for stack in item.full_stacks]
    stacks = without_copies(received)
    inputs = find_inputs(stacks, rules)
    slices = [stack for stack in stacks if stack not in inputs]
    if not slices:
        return None
    arterial_input = min(inputs, key=input_preference) if inputs else None
    hint = None if arterial_input is None else arterial_input.geometry
    ordered = order_base_to_apex(slices, hint)
    state = _state(series)
    return Run(
        state=state,
        slices=ordered,
        arterial_input=arterial_input,
        second_echo=find_second_echo(received, arterial_input),
        findings=(*findings, *_remarks(ordered, state)),
    )


def _check_geometry(series: _Series) -> Iterable[Finding]:
    """Refuse a series whose planes change between beats; report images that cannot be used."""
    full = series.full_stacks
    if series.n_without_place:
        yield Finding(
            code=Code.INCOMPLETE_TRANSFER,
            grade=Grade.REVIEW,
            text=f"{series.n_without_place} images of series {series.number} have no usable "
            "position and were left out.",
        )
    for stack in series.stacks:
        if stack.is_full:
            continue
        if not any(alike(stack, other) for other in full):
            raise _mixed_geometry(series)
        yield Finding(
            code=Code.INCOMPLETE_TRANSFER,
            grade=Grade.REVIEW,
            text=f"A slice of series {series.number} has only {len(stack.frames)} images "
            "and was left out.",
        )


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
