"""The stacks of a run in order of time, on one clock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pydicom.dataset import Dataset

from node.errors import UnusableStudyError
from node.translate.clock import Clock, find_rival, read_clock
from node.translate.headers import FrameHeader
from node.translate.roles import Role
from node.translate.runs import Run
from node.translate.stacks import Stack
from node.translate.time_sources import TimeSource
from pipeline.findings import Code, Finding, Grade


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TimedStack:
    """One slice, or the arterial input, in order of time."""

    name: str
    """`slice 1`, `arterial input`, `second echo`."""
    role: Role
    stack: Stack
    headers: tuple[FrameHeader, ...]
    """Proton-density frames of a series of their own stand in front."""
    time_us: tuple[int, ...]
    is_interleaved: bool
    """Whether an arterial input came in a series that also holds a slice."""

    @property
    def n_own_density(self) -> int:
        """Leading frames that came as a series of proton density."""
        return len(self.stack.proton_density)

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """The headers as DICOM has them."""
        return tuple(header.dataset for header in self.headers)

    def without_own_density(self) -> "TimedStack":
        """Return the stack without the frames of the other series."""
        count = self.n_own_density
        return replace(
            self,
            stack=replace(self.stack, proton_density=()),
            headers=self.headers[count:],
            time_us=self.time_us[count:],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedRun:
    """A run on its clock."""

    stacks: tuple[TimedStack, ...]
    """Slices from base to apex, then the arterial input and its second echo."""
    n_slices: int
    clock: TimeSource
    findings: tuple[Finding, ...]


def put_in_order(run: Run) -> TimedRun:
    """Read one clock for all stacks of a run; what shares no clock with the slices is left out.

    Raises
    ------
    UnusableStudyError
        No field counts the beats of the slices.

    """
    inputs = [stack for stack in (run.arterial_input, run.second_echo) if stack is not None]
    stacks, clock, remarks = _find_clock(list(run.slices), inputs)
    remarks = [*remarks, *_doubts(stacks, clock)]
    n_slices = len(run.slices)
    names = [f"slice {number + 1}" for number in range(n_slices)] + [
        "arterial input",
        "second echo",
    ]
    slice_series = {stack.frames[0].series_uid for stack in run.slices}
    timed = tuple(
        TimedStack(
            name=name,
            role="perfusion" if position < n_slices else "arterial_input",
            stack=stack,
            headers=tuple(header for _, header in ordered),
            time_us=tuple(time for time, _ in ordered),
            is_interleaved=position >= n_slices and stack.frames[0].series_uid in slice_series,
        )
        for position, (name, stack, times) in enumerate(
            zip(names, stacks, clock.microseconds, strict=False)
        )
        for ordered in [_sorted(stack, times)]
    )
    return TimedRun(stacks=timed, n_slices=n_slices, clock=clock.source, findings=tuple(remarks))


def _find_clock(
    slices: list[Stack], inputs: list[Stack]
) -> tuple[list[Stack], Clock, list[Finding]]:
    """Return the most stacks that have a common clock; proton density is given up first."""
    everything = [*slices, *inputs]
    remarks: list[Finding] = []
    if any(stack.proton_density for stack in everything):
        clock = read_clock([_frames(stack) for stack in everything])
        if clock is not None and _density_is_first(everything, clock):
            return everything, clock, remarks
        slices = [replace(stack, proton_density=()) for stack in slices]
        inputs = [replace(stack, proton_density=()) for stack in inputs]
        remarks = [_DENSITY_WITHOUT_TIMES]
    for n_inputs in range(len(inputs), -1, -1):
        stacks = [*slices, *inputs[:n_inputs]]
        clock = read_clock([stack.frames for stack in stacks])
        if clock is not None:
            return stacks, clock, [*remarks, *_left_out(n_inputs, len(inputs))]
    raise UnusableStudyError(
        Code.TIMING_UNREADABLE,
        "No header field gives every image of a slice its own time, in steps of heart beats "
        "and over the same beats in all slices.",
    )


def _doubts(stacks: Sequence[Stack], clock: Clock) -> Iterable[Finding]:
    """Say what makes the times uncertain."""
    if clock.source is TimeSource.CONTENT_TIME:
        yield _UNCERTAIN_TIMES
    if clock.is_coarse:
        yield _WHOLE_SECONDS
    # A series of proton density may count from a start of its own.
    own = tuple(
        times[len(stack.proton_density) :]
        for stack, times in zip(stacks, clock.microseconds, strict=True)
    )
    rival = find_rival([stack.frames for stack in stacks], replace(clock, microseconds=own))
    if rival is not None:
        yield Finding(
            code=Code.TIMING_UNREADABLE,
            grade=Grade.REVIEW,
            text=f"The headers contradict themselves: {clock.source} and {rival.source} differ by "
            f"up to {rival.error_us / 1e6:.1f} s; {clock.source} was used.",
        )


def _frames(stack: Stack) -> tuple[FrameHeader, ...]:
    return (*stack.proton_density, *stack.frames)


def _density_is_first(stacks: Sequence[Stack], clock: Clock) -> bool:
    """Whether the clock runs through both series; some count from the start of each."""
    counts = [len(stack.proton_density) for stack in stacks]
    return all(
        max(times[:count], default=-1) < min(times[count:])
        for times, count in zip(clock.microseconds, counts, strict=True)
    )


def _left_out(n_used: int, n_inputs: int) -> list[Finding]:
    """Say that the second echo, or the arterial input itself, has no times."""
    if n_used == n_inputs:
        return []
    return [_INPUT_WITHOUT_TIMES if n_used == 0 else _ECHO_WITHOUT_TIMES]


def _sorted(stack: Stack, times: Sequence[int]) -> list[tuple[int, FrameHeader]]:
    return sorted(zip(times, _frames(stack), strict=True), key=lambda pair: pair[0])


_INPUT_WITHOUT_TIMES = Finding(
    code=Code.TIMING_UNREADABLE,
    grade=Grade.FAIL,
    text="The arterial-input series shares no readable clock with the slices; it was left out.",
)
_ECHO_WITHOUT_TIMES = Finding(
    code=Code.TIMING_UNREADABLE,
    grade=Grade.REVIEW,
    text="The second echo of the arterial input shares no readable clock; it was left out.",
)
_DENSITY_WITHOUT_TIMES = Finding(
    code=Code.TIMING_UNREADABLE,
    grade=Grade.REVIEW,
    text="The proton-density series shares no readable clock with the slices; it was left out.",
)
_WHOLE_SECONDS = Finding(
    code=Code.TIMING_UNREADABLE,
    grade=Grade.REVIEW,
    text="Times are written in whole seconds only; each may be wrong by half a second.",
)
_UNCERTAIN_TIMES = Finding(
    code=Code.TIMING_UNREADABLE,
    grade=Grade.REVIEW,
    text="Acquisition times are missing; times of image creation were used.",
)
