"""One bolus run becomes one exam: frames in order of time, on one clock, with their physics."""

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
import torch

from node.errors import UnusableStudyError
from node.ports import Progress
from node.settings import AcquisitionRule
from node.translate.account import Fact
from node.translate.acquisition import Acquisition, Sourced, read_acquisition, read_field_strength
from node.translate.density_frames import DensityCount, count_density, is_density
from node.translate.exam_account import (
    account_of,
    join_facts,
    list_facts,
    list_stacks,
    note_assumptions,
)
from node.translate.exams import DecodedExam, Sources
from node.translate.pixels import read_pixels
from node.translate.proton_density import Images
from node.translate.runs import Run
from node.translate.scale import check_scales
from node.translate.sequences import Sequences, build_sequences
from node.translate.timed import TimedRun, TimedStack, put_in_order
from pipeline.findings import Code, Finding, Grade
from pipeline.types import Exam, ImageSeries

_NO_FIELD_T = 1.5
"""Stands where the field strength is not known; no number is computed then."""


def assemble_exam(
    run: Run, rules: Sequence[AcquisitionRule], progress: Progress
) -> tuple[DecodedExam, tuple[Finding, ...]]:
    """Return the exam of one run, and what was noticed.

    Raises
    ------
    UnusableStudyError
        Times cannot be read, or pixels are missing.
    TransientError
        A file cannot be opened or read.

    """
    timed = put_in_order(run)
    stacks, frames = _keep_density(timed.stacks, _read_frames(timed.stacks, progress))
    timed = TimedRun(
        stacks=stacks, n_slices=timed.n_slices, clock=timed.clock, findings=timed.findings
    )
    counts, disagreement = count_density(stacks, frames, n_voters=timed.n_slices + 1)
    field = read_field_strength(stacks[0].headers[-1], rules)
    scales = check_scales([header.dataset for stack in stacks for header in stack.headers])
    is_on_one_scale = all(finding.grade < Grade.FAIL for finding in scales)
    can_convert = field.value is not None and is_on_one_scale
    series, facts = _describe(timed, frames, counts, rules, can_convert=can_convert)
    exam = _exam(run, timed, series, field)
    shown = join_facts(field, facts)
    findings = (
        *timed.findings,
        *scales,
        *disagreement,
        *_remark_field(field),
        *(_remark_sequences(exam) if can_convert else ()),
        *note_assumptions(shown),
    )
    account = account_of(run.state, timed, list_stacks(timed, series), shown)
    return DecodedExam(exam=exam, sources=_sources(timed), account=account), findings


def _read_frames(stacks: Sequence[TimedStack], progress: Progress) -> list[Images]:
    """Read the pixels of every slice; all missing ones are counted before giving up."""
    headers = [header for stack in stacks for header in stack.headers]
    images = read_pixels(headers, lambda fraction: progress("reading images", fraction))
    n_missing = sum(image is None for image in images)
    if n_missing:
        raise UnusableStudyError(
            Code.INCOMPLETE_TRANSFER,
            f"{n_missing} of {len(headers)} perfusion images have no pixel data or are cut short.",
        )
    planes = iter(image for image in images if image is not None)
    return [np.stack(list(islice(planes, len(stack.headers)))) for stack in stacks]


def _keep_density(
    stacks: Sequence[TimedStack], frames: Sequence[Images]
) -> tuple[tuple[TimedStack, ...], list[Images]]:
    """Leave out frames of other series that turn out to be a baseline, in all stacks alike."""
    baselines = {
        stack.headers[0].series_uid
        for stack, images in zip(stacks, frames, strict=True)
        if stack.n_own_density and not is_density(stack, images)
    }
    kept = [
        (stack.without_own_density(), images[stack.n_own_density :])
        if stack.headers[0].series_uid in baselines
        else (stack, images)
        for stack, images in zip(stacks, frames, strict=True)
    ]
    return tuple(stack for stack, _ in kept), [images for _, images in kept]


def _describe(
    run: TimedRun,
    frames: Sequence[Images],
    counts: Sequence[DensityCount],
    rules: Sequence[AcquisitionRule],
    *,
    can_convert: bool,
) -> tuple[list[ImageSeries], list[tuple[Fact, ...]]]:
    """Return every stack with its physics, and the facts behind it."""
    series, facts = [], []
    for stack, images, density in zip(run.stacks, frames, counts, strict=True):
        known = _read_known(stack, density, rules)
        sequences = build_sequences(known)
        facts.append(list_facts(stack, known, density, sequences.saturation_recovery))
        usable = (
            sequences if can_convert else Sequences(saturation_recovery=None, proton_density=None)
        )
        series.append(_image_series(stack, images, density.count, usable))
    return series, facts


def _read_known(
    stack: TimedStack, density: DensityCount, rules: Sequence[AcquisitionRule]
) -> Acquisition:
    has_own = density.has_own_header and density.count > 0
    return read_acquisition(
        stack.headers[-1],
        stack.role,
        rules,
        density=stack.headers[0] if has_own else None,
        is_interleaved=stack.is_interleaved,
    )


def _image_series(
    stack: TimedStack, frames: Images, n_density: int, sequences: Sequences
) -> ImageSeries:
    return ImageSeries(
        frames=torch.from_numpy(frames),
        time_s=torch.tensor(stack.time_us, dtype=torch.float64) / 1e6,
        n_proton_density=n_density,
        geometry=stack.stack.geometry,
        sequence=sequences.saturation_recovery,
        proton_density=sequences.proton_density if n_density else None,
    )


def _exam(run: Run, timed: TimedRun, series: Sequence[ImageSeries], field: Sourced[float]) -> Exam:
    first, second = (*series[timed.n_slices :], None, None)[:2]
    return Exam(
        state=run.state.state,
        field_strength_t=_NO_FIELD_T if field.value is None else field.value,
        slices=tuple(series[: timed.n_slices]),
        arterial_input=first,
        arterial_second_echo=second,
    )


def _sources(timed: TimedRun) -> Sources:
    datasets = [stack.datasets for stack in timed.stacks]
    first, second = (*datasets[timed.n_slices :], (), ())[:2]
    return Sources(
        slices=tuple(datasets[: timed.n_slices]), arterial_input=first, second_echo=second
    )


def _remark_field(field: Sourced[float]) -> Iterator[Finding]:
    if field.value is None:
        yield Finding(
            code=Code.UNSUPPORTED_SEQUENCE,
            grade=Grade.FAIL,
            text="The headers do not give the magnetic field strength; flow was not computed.",
        )


def _remark_sequences(exam: Exam) -> Iterator[Finding]:
    inputs = () if exam.arterial_input is None else (exam.arterial_input,)
    if any(series.sequence is None for series in (*exam.slices, *inputs)):
        yield Finding(
            code=Code.UNSUPPORTED_SEQUENCE,
            grade=Grade.FAIL,
            text="Header and configuration do not describe the saturation-recovery sequence.",
        )
