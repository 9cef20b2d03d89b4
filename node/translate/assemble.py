"""One bolus run becomes one exam: frames in order of time, on one clock, with their physics."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from node.errors import UnusableStudyError
from node.ports import Progress
from node.settings import AcquisitionRule
from node.translate.account import ExamAccount, Fact, Origin, StackAccount
from node.translate.clock import TimeSource, read_clock
from node.translate.exams import DecodedExam, Sources
from node.translate.headers import FrameHeader
from node.translate.pixels import read_pixels
from node.translate.proton_density import agree, count_proton_density
from node.translate.roles import Role
from node.translate.runs import Run
from node.translate.sequences import read_field_strength_t, read_sequences
from node.translate.stacks import Stack
from pipeline.findings import Code, Finding, Grade
from pipeline.types import Exam, ImageSeries, PatientState

Frames = NDArray[np.float32]
"""Shape `(time, row, column)`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _TimedStack:
    """One slice, or the arterial input, in order of time."""

    role: Role
    stack: Stack
    headers: tuple[FrameHeader, ...]
    time_us: tuple[int, ...]

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        return tuple(header.dataset for header in self.headers)


def assemble_exam(
    run: Run, rules: Sequence[AcquisitionRule], progress: Progress
) -> tuple[DecodedExam, tuple[Finding, ...]]:
    """Return the exam of one run, and what was noticed.

    Raises
    ------
    UnusableStudyError
        Times cannot be read, pixels are missing, or the field strength is unknown.
    TransientError
        A file cannot be opened or read.

    """
    timed, clock, remarks = _put_in_order(run)
    field_t = _require_field_strength_t(timed[0])
    frames = _read_frames(timed, progress)
    n_slices = len(run.slices)
    # A second echo shows the frames of the first one again: it has no vote.
    counts = [count_proton_density(images) for images in frames[: n_slices + 1]]
    series = [
        _image_series(item, images, agree(counts), rules)
        for item, images in zip(timed, frames, strict=True)
    ]
    # Slices, then the arterial input and its second echo, as far as they are there.
    first, second = (*series[n_slices:], None, None)[:2]
    exam = Exam(
        state=run.state,
        field_strength_t=field_t,
        slices=tuple(series[:n_slices]),
        arterial_input=first,
        arterial_second_echo=second,
    )
    datasets = [item.datasets for item in timed]
    headers, later_headers = (*datasets[n_slices:], (), ())[:2]
    sources = Sources(
        slices=tuple(datasets[:n_slices]), arterial_input=headers, second_echo=later_headers
    )
    findings = (*remarks, *_remark_counts(counts), *_remark_sequences(exam))
    account = _account(run, timed, exam, clock)
    return DecodedExam(exam=exam, sources=sources, account=account), findings


def _put_in_order(run: Run) -> tuple[list[_TimedStack], TimeSource, list[Finding]]:
    """Read one clock for slices and arterial input; an input without times is left out."""
    stacks = list(run.slices)
    inputs = [] if run.arterial_input is None else [run.arterial_input]
    echoes = [] if run.second_echo is None else [run.second_echo]
    remarks: list[Finding] = []
    clock = read_clock([stack.frames for stack in stacks + inputs + echoes])
    if clock is not None:
        inputs = inputs + echoes
    elif echoes:
        clock = read_clock([stack.frames for stack in stacks + inputs])
        remarks.append(_ECHO_WITHOUT_TIMES)
    if clock is None and inputs:
        inputs = []
        clock = read_clock([stack.frames for stack in stacks])
        remarks.append(_INPUT_WITHOUT_TIMES)
    if clock is None:
        raise UnusableStudyError(
            Code.TIMING_UNREADABLE,
            "No header field gives every image of a slice its own time, in steps of heart beats "
            "and over the same beats in all slices.",
        )
    if clock.source is TimeSource.CONTENT_TIME:
        remarks.append(_UNCERTAIN_TIMES)
    timed = [
        _sort_by_time("arterial_input" if stack in inputs else "perfusion", stack, times)
        for stack, times in zip(stacks + inputs, clock.microseconds, strict=True)
    ]
    return timed, clock.source, remarks


def _sort_by_time(role: Role, stack: Stack, times: Sequence[int]) -> _TimedStack:
    order = sorted(range(len(times)), key=times.__getitem__)
    return _TimedStack(
        role=role,
        stack=stack,
        headers=tuple(stack.frames[index] for index in order),
        time_us=tuple(times[index] for index in order),
    )


def _read_frames(timed: Sequence[_TimedStack], progress: Progress) -> list[Frames]:
    """Read the pixels of every slice; all missing ones are counted before giving up."""
    headers = [header for item in timed for header in item.headers]
    images = read_pixels(headers, lambda fraction: progress("reading images", fraction))
    n_missing = sum(image is None for image in images)
    if n_missing:
        raise UnusableStudyError(
            Code.INCOMPLETE_TRANSFER,
            f"{n_missing} of {len(headers)} perfusion images have no pixel data or are cut short.",
        )
    planes = iter(image for image in images if image is not None)
    return [np.stack(list(islice(planes, len(item.headers)))) for item in timed]


def _image_series(
    item: _TimedStack, frames: Frames, n_proton_density: int, rules: Sequence[AcquisitionRule]
) -> ImageSeries:
    sequences = read_sequences(item.headers[-1], item.role, rules)
    return ImageSeries(
        frames=torch.from_numpy(frames),
        time_s=torch.tensor(item.time_us, dtype=torch.float64) / 1e6,
        n_proton_density=n_proton_density,
        geometry=item.stack.geometry,
        sequence=sequences.saturation_recovery,
        proton_density=sequences.proton_density if n_proton_density else None,
    )


def _require_field_strength_t(item: _TimedStack) -> float:
    field_t = read_field_strength_t(item.headers[0].dataset)
    if field_t is None:
        raise UnusableStudyError(
            Code.UNSUPPORTED_SEQUENCE, "The headers do not give the magnetic field strength."
        )
    return field_t


def _account(run: Run, timed: Sequence[_TimedStack], exam: Exam, clock: TimeSource) -> ExamAccount:
    """Return how the exam was read."""
    first, second = exam.arterial_input, exam.arterial_second_echo
    images = (*exam.slices, *(item for item in (first, second) if item is not None))
    names = [f"slice {number + 1}" for number in range(len(exam.slices))]
    names += ["arterial input", "second echo"][: len(images) - len(names)]
    most = max(len(item.time_us) for item in timed)
    normal = np.cross(
        exam.slices[0].geometry.row_direction, exam.slices[0].geometry.column_direction
    )
    start = np.array(exam.slices[0].geometry.origin_mm)
    stacks = tuple(
        StackAccount(
            name=name,
            series_number=item.headers[0].series_number,
            shape=item.stack.shape,
            spacing_mm=item.stack.geometry.spacing_mm,
            position_mm=float(normal @ (np.array(item.stack.geometry.origin_mm) - start)),
            time_s=tuple(image.time_s.tolist()),
            n_proton_density=image.n_proton_density,
            n_missing=most - len(item.time_us),
        )
        for name, item, image in zip(names, timed, images, strict=True)
    )
    state = Fact(
        name="state",
        value=str(run.state),
        unit="",
        origin=Origin.MISSING if run.state is PatientState.UNKNOWN else Origin.NAME,
        detail="names of the series",
    )
    return ExamAccount(
        state=run.state, state_origin=state, clock=str(clock), stacks=stacks, facts=()
    )


def _remark_counts(counts: Sequence[int]) -> Iterable[Finding]:
    if len(set(counts)) > 1:
        yield Finding(
            code=Code.UNSUPPORTED_SEQUENCE,
            grade=Grade.REVIEW,
            text=f"The slices disagree on the number of proton-density frames "
            f"({min(counts)} to {max(counts)}); {agree(counts)} was used.",
        )


def _remark_sequences(exam: Exam) -> Iterable[Finding]:
    inputs = () if exam.arterial_input is None else (exam.arterial_input,)
    if any(series.sequence is None for series in (*exam.slices, *inputs)):
        yield Finding(
            code=Code.UNSUPPORTED_SEQUENCE,
            grade=Grade.FAIL,
            text="Header and configuration do not describe the saturation-recovery sequence.",
        )


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
_UNCERTAIN_TIMES = Finding(
    code=Code.TIMING_UNREADABLE,
    grade=Grade.REVIEW,
    text="Acquisition times are missing; times of image creation were used.",
)
