"""`perfnode evaluate`: measure methods on phantom exams and write the evidence."""

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.console import OUT, reported_errors
from node.cli.kept_results import read_kept
from node.cli.side_by_side import append_line, run_side_by_side
from node.errors import RefusalError

if TYPE_CHECKING:
    from pipeline.evaluation.contenders import Contender
    from pipeline.evaluation.plan import Task
    from pipeline.evaluation.records import Record

RESULTS = "motion.jsonl"
DEFAULT_METHODS = (
    "none,phase-correlation,iterative,published,auto,oracle-translation,oracle-field,motion-free"
)

evaluate = typer.Typer(help="Measure methods on phantom exams with known truth.")


@evaluate.callback()
def _group() -> None:
    """Hold the subjects that can be evaluated."""


@evaluate.command()
def motion(
    *,
    exams: Annotated[int, typer.Option(min=0, help="Held-out exams.")] = 52,
    beyond: Annotated[int, typer.Option(min=0, help="Exams beyond the range of training.")] = 24,
    methods: Annotated[str, typer.Option(help="Methods, with commas.")] = DEFAULT_METHODS,
    jobs: Annotated[int, typer.Option(min=1, help="Exams side by side.")] = 1,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("evaluation"),
    weights: Annotated[
        Path | None, typer.Option(help="Folder of networks instead of the shipped ones.")
    ] = None,
    all_slices: Annotated[
        bool, typer.Option("--all-slices", help="Every slice, not one at random.")
    ] = False,
    development: Annotated[
        bool, typer.Option("--development", help="Development exams instead of held-out ones.")
    ] = False,
    document: Annotated[
        Path | None, typer.Option(help="Write the evidence to this Markdown file.")
    ] = None,
    pictures: Annotated[Path | None, typer.Option(help="Folder for plots and movie.")] = None,
) -> None:
    """Compare methods of motion correction; results are kept, and the rest is taken up later."""
    with reported_errors():
        chosen = _contenders(methods)
        output.mkdir(parents=True, exist_ok=True)
        results = output / RESULTS
        tasks = _tasks(
            chosen,
            counts=(0 if development else exams, beyond, exams if development else 0),
            done=_read(results),
            weights=weights,
            every_slice=all_slices,
        )
        run_side_by_side(tasks, _carry_out, results, jobs)
        found = _read(results)
        target = document or output / "motion.md"
        links = () if pictures is None else _draw(found, pictures, target)
        _write(found, target, links)
        OUT.print(f"{len(found)} results in {results}; tables in {target}")


def _contenders(text: str) -> tuple["Contender", ...]:
    from pipeline.evaluation.contenders import Contender

    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in list(Contender)]
    if unknown or not names:
        raise RefusalError(f"unknown method {', '.join(unknown)}; known: {', '.join(Contender)}")
    return tuple(Contender(name) for name in names)


def _tasks(
    contenders: tuple["Contender", ...],
    *,
    counts: tuple[int, int, int],
    done: list["Record"],
    weights: Path | None,
    every_slice: bool,
) -> list["Task"]:
    """Return one task per exam: held-out, beyond, development."""
    from pipeline.evaluation.cases import Split, subjects
    from pipeline.evaluation.plan import Task

    keys = frozenset(record.key for record in done)
    return [
        Task(
            subject=subject,
            contenders=contenders,
            weights=weights,
            every_slice=every_slice,
            done=frozenset(key for key in keys if key[:2] == (split.value, subject.seed)),
        )
        for split, count in zip(Split, counts, strict=True)
        for subject in subjects(split, count)
    ]


def _carry_out(task: "Task", results: Path) -> int:
    from pipeline.evaluation.plan import carry_out

    return carry_out(task, partial(_append, results))


def _append(results: Path, record: "Record") -> None:
    from pipeline.evaluation.records import to_line

    append_line(results, to_line(record))


def _read(results: Path) -> list["Record"]:
    """Return all results, the later of two for the same series and method."""
    from pipeline.evaluation.records import from_line

    found = read_kept(results, from_line)
    return list({record.key: record for record in found}.values())


def _write(records: list["Record"], target: Path, links: Iterable[str]) -> None:
    from pipeline.evaluation.summary import document, reading_of

    reading = reading_of(target.read_text(encoding="utf-8")) if target.exists() else ""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(document(records, reading=reading, pictures=tuple(links)), encoding="utf-8")


_CAPTIONS = {
    "motion_methods.png": "Every exam with every method; colours are modes of breathing.",
    "motion_phases.png": "Error over the phases of the bolus, held-out exams.",
    "motion_time.png": "Error against time.",
    "motion_failures.png": "Worst slice of each method: one column of pixels over time, acquired "
    "and corrected, with the wall of the reference frame as lines.",
    "motion_movie.gif": "A typical free-breathing exam, acquired and corrected; the contours are "
    "those of the reference frame.",
}


def _draw(records: list["Record"], folder: Path, document: Path) -> tuple[str, ...]:
    """Draw all pictures and return their Markdown, with paths as seen from the document."""
    from pipeline.evaluation.gallery import draw_gallery

    folder.mkdir(parents=True, exist_ok=True)
    drawn = draw_gallery(records, folder)
    start = document.parent.resolve()
    return tuple(
        f"![{caption}]({os.path.relpath(folder.resolve() / name, start)})\n\n*{caption}*"
        for name, caption in _CAPTIONS.items()
        if name in drawn
    )
