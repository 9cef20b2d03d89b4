"""Exams ready to be quantified: images that no longer move, and what is true of their pixels.

Drawing and registering an exam takes far longer than a fit, and no fit changes it; so it can be
kept, and another fit be judged on the same images within seconds.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from models.networks import shipped_networks
from models.phantom import ExamTruth, PhantomExam
from pipeline.evaluation.flow.design import Trial
from pipeline.evaluation.flow.records import Motion
from pipeline.evaluation.flow.true_wall import TrueWall, true_wall
from pipeline.evaluation.phantom_exam import exam_of
from pipeline.motion import Method, warp
from pipeline.register import register_exam
from pipeline.types import Exam


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """An exam as it is quantified."""

    exam: Exam
    true: tuple[TrueWall, ...]
    """Of each slice, in the geometry of its images."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """One exam after motion correction and had nothing moved."""

    views: Mapping[Motion, View]
    truth: ExamTruth
    agent: str


def prepare(trial: Trial, kept: Path | None = None) -> Prepared:
    """Make an exam and correct its motion, or take what was kept of an earlier time.

    Parameters
    ----------
    trial
        Which exam.
    kept
        Folder of what is kept; None keeps nothing.

    """
    place = None if kept is None else kept / f"{_name(trial)}.pt"
    if place is not None and place.exists():
        found: Prepared = torch.load(place, weights_only=False)
        return found
    drawn = trial.draw()
    moving = exam_of(drawn, trial.slices, moves=True, has_arterial_series=trial.has_arterial_series)
    still = exam_of(drawn, trial.slices, moves=False, has_arterial_series=trial.has_arterial_series)
    corrected, references = _corrected(moving)
    prepared = Prepared(
        views={
            Motion.CORRECTED: View(exam=corrected, true=_truths(trial, drawn, references)),
            Motion.STILL: View(exam=still, true=_truths(trial, drawn, None)),
        },
        truth=drawn.truth,
        agent=drawn.agent,
    )
    if place is not None:
        unfinished = place.with_suffix(".part")
        torch.save(prepared, unfinished)
        unfinished.replace(place)
    return prepared


def _name(trial: Trial) -> str:
    """Return a name that exams share only if they are the same."""
    text = repr((trial.seed, trial.protocol, trial.slices, trial.has_arterial_series))
    return f"{trial.seed}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _truths(trial: Trial, drawn: PhantomExam, references: list[int] | None) -> tuple[TrueWall, ...]:
    return tuple(
        true_wall(drawn.slices[index], None if references is None else references[place])
        for place, index in enumerate(trial.slices)
    )


def _corrected(seen: Exam) -> tuple[Exam, list[int]]:
    """Return the exam with corrected images, and the frame that each slice was aligned with."""
    motions = register_exam(
        seen,
        method=Method.AUTO,
        networks=shipped_networks("cpu"),
        progress=lambda _stage, _fraction: None,
        n_parallel=1,
    )
    n_slices = len(seen.slices)
    slices = tuple(
        replace(series, frames=motion.frames)
        for series, motion in zip(seen.slices, motions[:n_slices], strict=True)
    )
    references = [motion.reference for motion in motions[:n_slices]]
    first, second = seen.arterial_input, seen.arterial_second_echo
    if first is None:
        return replace(seen, slices=slices), references
    motion = motions[-1]
    if second is not None:  # the same beats: the same motion
        second = replace(second, frames=warp(second.frames, motion.displacement))
    arterial = replace(first, frames=motion.frames)
    return (
        replace(seen, slices=slices, arterial_input=arterial, arterial_second_echo=second),
        references,
    )
