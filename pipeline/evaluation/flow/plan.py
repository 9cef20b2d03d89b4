"""What is to be done for one exam, and doing it."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import torch

from models.networks import shipped_networks
from pipeline.analyse import analyse
from pipeline.evaluation.flow.constants import parameters_of
from pipeline.evaluation.flow.design import Trial
from pipeline.evaluation.flow.measure import measure
from pipeline.evaluation.flow.prepared import Prepared, prepare
from pipeline.evaluation.flow.records import FlowRecord, Key, Motion
from pipeline.types import Analysis, FlowModel

Wanted = tuple[Motion, FlowModel]
_FITTED_BY_ALL = ("", "MBF")
"""Factors that every model is fitted on; empty outside the factors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One exam, what is wanted of it, and what of that is done already."""

    trial: Trial
    wanted: tuple[Wanted, ...]
    done: frozenset[Key]

    @property
    def missing(self) -> tuple[Wanted, ...]:
        """What is left to do."""
        return tuple(each for each in self.wanted if key_of(self.trial, *each) not in self.done)


def key_of(trial: Trial, motion: Motion, model: FlowModel) -> Key:
    """Return the key that the result will have."""
    return (
        trial.split.value,
        trial.group.value,
        trial.factor,
        trial.level,
        trial.seed,
        motion.value,
        model.value,
    )


def tasks(
    trials: Collection[Trial], models: Collection[FlowModel], done: frozenset[Key]
) -> list[Task]:
    """Return the exams of which something is missing.

    Factors are fitted with the first model alone, but for flow itself.
    """
    first = next(iter(models))
    every = [
        Task(
            trial=trial,
            wanted=tuple(
                (motion, model)
                for motion in Motion
                for model in models
                if model is first or trial.factor in _FITTED_BY_ALL
            ),
            done=done,
        )
        for trial in trials
    ]
    return [task for task in every if task.missing]


def carry_out(task: Task, report: Callable[[FlowRecord], None], *, kept: Path | None = None) -> int:
    """Analyse what is missing of one exam, report each result, and return how many there were.

    Motion is corrected once; every tissue model is fitted to the same corrected images.

    Parameters
    ----------
    task
        What is to be done.
    report
        Called with each result.
    kept
        Folder of exams that are kept; None keeps none.

    """
    if not task.missing:
        return 0
    prepared = prepare(task.trial, kept)
    for motion, model in task.missing:
        started = time.process_time()
        analysis = quantify(prepared, motion, model)
        seconds = time.process_time() - started
        found = measure(task.trial, prepared, analysis, motion=motion, model=model, cpu_s=seconds)
        report(found)
    return len(task.missing)


def quantify(prepared: Prepared, motion: Motion, model: FlowModel) -> Analysis:
    """Analyse the images of a prepared exam, which no longer move."""
    exam = prepared.views[motion].exam
    with torch.inference_mode():
        return analyse(exam, parameters_of(prepared, model=model), shipped_networks("cpu"))
