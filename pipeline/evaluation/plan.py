"""What is to be done for one exam, as one value that can be handed to another process."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.networks import load_networks, shipped_networks
from pipeline.evaluation.cases import Subject
from pipeline.evaluation.contenders import Contender
from pipeline.evaluation.exam import evaluate_exam
from pipeline.evaluation.records import Key, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One exam, the methods, and what of it is done already."""

    subject: Subject
    contenders: tuple[Contender, ...]
    weights: Path | None
    """Folder of the trained networks; None takes the shipped ones."""
    every_slice: bool
    done: frozenset[Key]

    @property
    def label(self) -> str:
        """Name of the weights in the results; empty for the shipped ones."""
        return "" if self.weights is None else self.weights.name


def carry_out(task: Task, report: Callable[[Record], None]) -> int:
    """Evaluate one exam, report each result as it is there, and return how many there were.

    Parameters
    ----------
    task
        What is to be done.
    report
        Called with each result.

    """
    # Before any time is taken: loading and its imports are no part of registration.
    networks = (
        shipped_networks("cpu") if task.weights is None else load_networks(folder=task.weights)
    )
    n_records = 0
    for record in evaluate_exam(
        task.subject,
        task.contenders,
        networks=networks,
        weights=task.label,
        every_slice=task.every_slice,
        done=task.done,
    ):
        report(record)
        n_records += 1
    return n_records
