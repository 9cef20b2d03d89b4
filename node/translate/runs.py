"""Bolus runs: which stacks were acquired together, and which of them is the arterial input."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from node.errors import UnusableStudyError
from node.settings import AcquisitionRule, StateRule
from node.translate.density_series import find_density_series, precede, with_density
from node.translate.headers import FrameHeader
from node.translate.proposals import propose_states
from node.translate.refusals import check_geometry, no_run, note_mixed
from node.translate.roles import is_corrected_by_scanner, is_named
from node.translate.selection import select
from node.translate.series import Series, gather_series
from node.translate.stacks import Stack, order_base_to_apex
from node.translate.states import NOT_SAID, StateReading, join
from pipeline.findings import Code, Finding, Grade
from pipeline.types import PatientState

_MAX_UNLIKE = 2
"""Images by which the stacks of a run may differ: scans stop in the middle of a beat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One bolus run."""

    state: StateReading
    slices: tuple[Stack, ...]
    """From base to apex."""
    arterial_input: Stack | None
    second_echo: Stack | None
    """The beats of the arterial input at a later echo time."""
    not_parallel: tuple[Stack, ...]
    """Slices in another direction than the others; they are not used."""
    input_reason: str
    """What told the arterial input from the slices; empty when there is none."""
    findings: tuple[Finding, ...]

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """Slices, then the arterial input and its second echo, as far as they are there."""
        inputs = (self.arterial_input, self.second_echo)
        return (*self.slices, *(stack for stack in inputs if stack is not None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """The bolus runs of a study."""

    complete: tuple[Run, ...]
    """In order of time; at least one."""
    findings: tuple[Finding, ...]
    """On runs that cannot be used, and on what was noticed of several runs together."""


def find_runs(
    frames: Iterable[FrameHeader],
    rules: Sequence[AcquisitionRule],
    states: Sequence[StateRule],
) -> Runs:
    """Return the bolus runs of a study.

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
        There is no bolus run, or a series mixes geometries and there is no other.

    """
    series = gather_series(frames, rules, states)
    dynamic = [item for item in series if item.full_stacks]
    chosen = [item for item in dynamic if item.is_named] or [
        item for item in dynamic if item.has_clock
    ]
    groups = _adopt_orphans(_gather_runs(chosen), rules)
    density = find_density_series([item for item in series if not item.full_stacks])
    complete, errors = _make_runs(groups, rules, density)
    if not complete:
        raise errors[0] if errors else no_run(series)
    problems = [Finding(code=error.code, grade=Grade.FAIL, text=error.text) for error in errors]
    readings, proposals = propose_states([(run.state, run.slices) for run in complete])
    named = tuple(replace(run, state=state) for run, state in zip(complete, readings, strict=True))
    return Runs(
        complete=named,
        findings=(*problems, *note_mixed(series), *_note_two_boluses(chosen), *proposals),
    )


def _gather_runs(series: Sequence[Series]) -> list[list[Series]]:
    runs: list[list[Series]] = []
    for item in sorted(series, key=lambda item: (item.start_us, item.number)):
        partner = next((run for run in runs if _goes_with(item, run)), None)
        if partner is None:
            runs.append([item])
        else:
            partner.append(item)
    return runs


def _goes_with(item: Series, run: Sequence[Series]) -> bool:
    overlaps = any(item.start_us <= other.end_us and other.start_us <= item.end_us for other in run)
    return overlaps and _compatible(item.state, _state(run))


def _compatible(first: StateReading, second: StateReading) -> bool:
    return first.state == second.state or PatientState.UNKNOWN in (first.state, second.state)


def _state(run: Iterable[Series]) -> StateReading:
    return join(item.state for item in run)


def _adopt_orphans(
    groups: list[list[Series]], rules: Sequence[AcquisitionRule]
) -> list[list[Series]]:
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


def _is_lone_input(group: Sequence[Series], rules: Sequence[AcquisitionRule]) -> bool:
    first_frames = [stack.frames[0] for item in group for stack in item.full_stacks]
    return len(first_frames) == 1 and is_named(first_frames[0], "arterial_input", rules)


def _make_runs(
    groups: Sequence[Sequence[Series]],
    rules: Sequence[AcquisitionRule],
    density: Sequence[Series],
) -> tuple[list[Run], list[UnusableStudyError]]:
    runs: list[Run] = []
    errors: list[UnusableStudyError] = []
    for group in groups:
        try:
            run = _make_run(group, rules, _density_of(group, density), _procedure(group, groups))
        except UnusableStudyError as error:
            errors.append(error)
            continue
        runs += [] if run is None else [run]
    return runs, errors


def _density_of(group: Sequence[Series], density: Sequence[Series]) -> list[Series]:
    """Return the proton-density series before a run, the last one first."""
    before = [
        item for item in density if precede(item, group) and _compatible(item.state, _state(group))
    ]
    return sorted(before, key=lambda item: (item.start_us, item.number), reverse=True)


def _procedure(group: Sequence[Series], groups: Sequence[Sequence[Series]]) -> StateReading:
    """Return what the protocol code says, unless it says the same of another run."""
    said = join(item.procedure_state for item in group)
    others = [
        join(item.procedure_state for item in other) for other in groups if other is not group
    ]
    return NOT_SAID if any(other.state is said.state for other in others) else said


def _make_run(
    series: Sequence[Series],
    rules: Sequence[AcquisitionRule],
    density: Sequence[Series],
    procedure: StateReading,
) -> Run | None:
    findings = [finding for item in series for finding in check_geometry(item)]
    chosen = select([stack for item in series for stack in item.full_stacks], rules)
    if not chosen.slices:
        return None
    arterial_input = chosen.arterial_input
    hint = None if arterial_input is None else arterial_input.geometry
    ordered = order_base_to_apex(chosen.slices, hint)
    state = _state(series)
    second = chosen.second_echo
    return Run(
        state=procedure if state is NOT_SAID else state,
        slices=tuple(with_density(stack, density) for stack in ordered),
        arterial_input=None if arterial_input is None else with_density(arterial_input, density),
        second_echo=None if second is None else with_density(second, density),
        not_parallel=chosen.not_parallel,
        input_reason=chosen.input_reason,
        findings=(
            *findings,
            *_remarks(ordered, arterial_input),
            *_note_not_parallel(chosen.not_parallel),
        ),
    )


def _remarks(slices: Sequence[Stack], arterial_input: Stack | None) -> Iterator[Finding]:
    counts = [len(stack.frames) for stack in slices]
    if max(counts) - min(counts) > _MAX_UNLIKE:
        yield Finding(
            code=Code.INCOMPLETE_TRANSFER,
            grade=Grade.REVIEW,
            text=f"The slices have between {min(counts)} and {max(counts)} images.",
        )
    n_inputs = max(counts) if arterial_input is None else len(arterial_input.frames)
    if abs(max(counts) - n_inputs) > _MAX_UNLIKE:
        yield Finding(
            code=Code.INCOMPLETE_TRANSFER,
            grade=Grade.REVIEW,
            text=f"The arterial input has {n_inputs} images, the slices have up to {max(counts)}.",
        )
    if any(is_corrected_by_scanner(stack.frames[0]) for stack in slices):
        yield Finding(
            code=Code.RESIDUAL_MOTION,
            grade=Grade.NOTE,
            text="The scanner had corrected the motion of this series already.",
        )


def _note_not_parallel(stacks: Sequence[Stack]) -> Iterator[Finding]:
    for number in sorted({stack.frames[0].series_number for stack in stacks}):
        yield Finding(
            code=Code.FEW_SLICES,
            grade=Grade.REVIEW,
            text=f"Series {number} has slices that are not parallel to the others of its run; "
            "they were left out.",
        )


def _note_two_boluses(series: Sequence[Series]) -> Iterator[Finding]:
    for number in sorted({item.number for item in series if item.part > 0}):
        yield Finding(
            code=Code.INCOMPLETE_TRANSFER,
            grade=Grade.REVIEW,
            text=f"Series {number} holds two bolus runs with a pause between them; they were taken "
            "apart.",
        )
