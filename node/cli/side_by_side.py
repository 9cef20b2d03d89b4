"""Tasks of an evaluation side by side, in processes of one thread each, with one bar."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import TypeVar

from node.cli.console import counting_bars

Task = TypeVar("Task")


def run_side_by_side(
    tasks: Sequence[Task], carry_out: Callable[[Task, Path], int], results: Path, jobs: int
) -> None:
    """Carry out all tasks and show how many are done.

    Parameters
    ----------
    tasks
        One for each exam.
    carry_out
        A function of a module, which a new process can import: does one task, and appends what it
        finds to the file of results.
    results
        That file.
    jobs
        How many processes.

    """
    context = multiprocessing.get_context("spawn")
    with (
        counting_bars() as bars,
        ProcessPoolExecutor(jobs, mp_context=context, initializer=one_thread) as pool,
    ):
        bar = bars.add_task("exams", total=len(tasks))
        running = [pool.submit(carry_out, task, results) for task in tasks]
        for future in as_completed(running):
            future.result()
            bars.advance(bar)


def append_line(results: Path, line: str) -> None:
    """Add a line; short lines in append mode do not mix between processes."""
    with results.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def one_thread() -> None:
    """Let this process compute in one thread."""
    import torch

    torch.set_num_threads(1)
