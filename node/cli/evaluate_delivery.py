"""`perfnode evaluate delivery`: the same series, filtered, toned, cropped, shortened."""

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.console import OUT, reported_errors
from node.cli.kept_results import read_kept
from node.cli.side_by_side import append_line, run_side_by_side

if TYPE_CHECKING:
    from pipeline.evaluation.delivery.measure import DeliveryTask
    from pipeline.evaluation.delivery.records import DeliveryRecord

RESULTS = "delivery.jsonl"
PICTURE = "delivery_ways.png"
_CAPTION = (
    "One frame of one series in every way: blue the true wall, yellow where the heart was looked "
    "for. Each is shown in its own scale."
)


def delivery(
    *,
    exams: Annotated[int, typer.Option(min=0, help="Held-out exams.")] = 24,
    beyond: Annotated[int, typer.Option(min=0, help="Exams beyond the range of training.")] = 12,
    jobs: Annotated[int, typer.Option(min=1, help="Exams side by side.")] = 1,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("evaluation"),
    development: Annotated[
        bool, typer.Option("--development", help="Development exams instead of held-out ones.")
    ] = False,
    document: Annotated[
        Path | None, typer.Option(help="Write the evidence to this Markdown file.")
    ] = None,
    pictures: Annotated[Path | None, typer.Option(help="Folder for the picture.")] = None,
) -> None:
    """Register single series handed on in many ways; results are kept and taken up later."""
    from pipeline.evaluation.cases import Split, subjects
    from pipeline.evaluation.delivery.measure import DeliveryTask
    from pipeline.evaluation.delivery.records import from_line

    with reported_errors():
        output.mkdir(parents=True, exist_ok=True)
        results = output / RESULTS
        done = frozenset(record.key for record in read_kept(results, from_line))
        own = Split.DEVELOPMENT if development else Split.HELD_OUT
        chosen = (*subjects(own, exams), *subjects(Split.BEYOND, 0 if development else beyond))
        tasks = [DeliveryTask(subject=subject, done=done) for subject in chosen]
        run_side_by_side(tasks, _carry_out, results, jobs)
        found = read_kept(results, from_line)
        target = document or output / "delivery.md"
        links = () if pictures is None else _draw(pictures, target)
        _write(found, target, links)
        OUT.print(f"{len(found)} results in {results}; tables in {target}")


def _carry_out(task: "DeliveryTask", results: Path) -> int:
    from pipeline.evaluation.delivery.measure import carry_out

    return carry_out(task, partial(_append, results))


def _append(results: Path, record: "DeliveryRecord") -> None:
    from pipeline.evaluation.delivery.records import to_line

    append_line(results, to_line(record))


def _write(records: list["DeliveryRecord"], target: Path, links: tuple[str, ...]) -> None:
    from pipeline.evaluation.delivery.tables import document
    from pipeline.evaluation.summary import reading_of

    reading = reading_of(target.read_text(encoding="utf-8")) if target.exists() else ""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(document(records, reading=reading, pictures=links), encoding="utf-8")


def _draw(folder: Path, document: Path) -> tuple[str, ...]:
    """Draw a development exam, which nobody minds to look at; return the Markdown of it."""
    from models.networks import shipped_networks
    from pipeline.evaluation.cases import Split, subjects
    from pipeline.evaluation.delivery.measure import slice_of
    from pipeline.evaluation.delivery.sheet import contact_sheet

    folder.mkdir(parents=True, exist_ok=True)
    case = slice_of(subjects(Split.DEVELOPMENT, 1)[0])
    contact_sheet(case, shipped_networks("cpu")).savefig(folder / PICTURE)
    link = os.path.relpath(folder.resolve() / PICTURE, document.parent.resolve())
    return (f"![{_CAPTION}]({link})\n\n*{_CAPTION}*",)
