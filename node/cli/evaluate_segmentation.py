"""`perfnode evaluate segmentation`: outlines of corrected phantom exams against the truth."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.console import OUT, counting_bars, reported_errors
from node.cli.kept_results import read_kept
from node.errors import RefusalError

if TYPE_CHECKING:
    from models.networks import Networks
    from pipeline.evaluation.cases import Subject
    from pipeline.evaluation.segmentation.records import OutlineRecord

RESULTS = "segmentation.jsonl"
CORRECTED = "corrected"


def segmentation(
    *,
    exams: Annotated[int, typer.Option(min=0, help="Held-out exams.")] = 40,
    beyond: Annotated[int, typer.Option(min=0, help="Exams beyond the range of training.")] = 12,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("evaluation"),
    weights: Annotated[
        Path | None, typer.Option(help="Folder of networks instead of the shipped ones.")
    ] = None,
    development: Annotated[
        bool, typer.Option("--development", help="Development exams instead of held-out ones.")
    ] = False,
    only_correct: Annotated[
        bool, typer.Option("--only-correct", help="Draw and correct the exams, and stop there.")
    ] = False,
    document: Annotated[
        Path | None, typer.Option(help="Write the evidence to this Markdown file.")
    ] = None,
    pictures: Annotated[Path | None, typer.Option(help="Folder for the pictures.")] = None,
) -> None:
    """Measure the outlines of all slices; what is done is kept, and the rest is taken up later."""
    from pipeline.evaluation.cases import Split, subjects

    with reported_errors():
        output.mkdir(parents=True, exist_ok=True)
        own = Split.DEVELOPMENT if development else Split.HELD_OUT
        chosen = (*subjects(own, exams), *subjects(Split.BEYOND, 0 if development else beyond))
        networks, label = _networks(weights)
        if only_correct:
            _correct(chosen, networks, output)
            return
        found = _current(_measure(chosen, networks, label, output), label)
        target = document or output / "segmentation.md"
        links = () if pictures is None else _draw(found, networks, output, pictures, target)
        _write(found, target, links)
        OUT.print(f"{len(found)} results in {output / RESULTS}; tables in {target}")


def _networks(folder: Path | None) -> "tuple[Networks, str]":
    """Return the networks and the first digits of the hash of the one for segmentation."""
    from models.networks import WEIGHTS, WeightsError, load_networks, shipped_networks
    from models.networks.cards import read_card

    try:
        networks = shipped_networks("cpu") if folder is None else load_networks(folder=folder)
        if networks.segmentation is None:
            raise RefusalError("there is no segmentation network; `perfnode train segmentation`")
        return networks, read_card((folder or WEIGHTS) / "segmentation.toml").sha256[:8]
    except WeightsError as error:
        raise RefusalError(str(error)) from error


def _correct(chosen: "Sequence[Subject]", networks: "Networks", output: Path) -> None:
    from pipeline.evaluation.segmentation.cases import prepared

    for subject in _counted(chosen):
        prepared(subject, networks, output / CORRECTED)


def _measure(
    chosen: "Sequence[Subject]", networks: "Networks", label: str, output: Path
) -> "list[OutlineRecord]":
    from pipeline.evaluation.segmentation.cases import prepared
    from pipeline.evaluation.segmentation.measure import Way, measure
    from pipeline.evaluation.segmentation.records import to_line

    results = output / RESULTS
    done = {record.key for record in _read(results)}
    with results.open("a", encoding="utf-8") as file:
        for subject in _counted(chosen):
            for case in prepared(subject, networks, output / CORRECTED):
                for way in Way:
                    own = label if way is Way.SEGMENT else ""
                    if (case.split, case.seed, case.index, way, own) not in done:
                        record = measure(case, way, networks, weights=label)
                        file.write(to_line(record) + "\n")
                        file.flush()
    return _read(results)


def _counted(chosen: "Sequence[Subject]") -> "Iterator[Subject]":
    import torch

    torch.set_num_threads(1)
    with counting_bars() as bars:
        bar = bars.add_task("exams", total=len(chosen))
        for subject in chosen:
            yield subject
            bars.advance(bar)


def _read(results: Path) -> "list[OutlineRecord]":
    """Return all results, without a last line that was cut off while writing."""
    from pipeline.evaluation.segmentation.records import from_line

    return read_kept(results, from_line)


def _current(records: "Sequence[OutlineRecord]", label: str) -> "list[OutlineRecord]":
    """Return the results of the weights in question, and those without weights."""
    return [record for record in records if record.weights in {"", label}]


def _write(records: "Sequence[OutlineRecord]", target: Path, links: Sequence[str]) -> None:
    from pipeline.evaluation.segmentation.tables import document
    from pipeline.evaluation.summary import reading_of

    reading = reading_of(target.read_text(encoding="utf-8")) if target.exists() else ""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(document(records, reading=reading, pictures=links), encoding="utf-8")


_CAPTIONS = {
    "segmentation_dice.png": "Every slice by both ways; open marks are beyond the range.",
    "segmentation_trust.png": "What an answer thinks of itself against what it is worth, and how "
    "well failures are told by it.",
    "segmentation_sheet.png": "Held-out slices at the moment when the left ventricle is bright: "
    "worst, middle and best by Dice of the myocardium. Yellow: found; blue: true.",
}


def _draw(
    records: "Sequence[OutlineRecord]",
    networks: "Networks",
    output: Path,
    folder: Path,
    document: Path,
) -> tuple[str, ...]:
    """Draw all pictures and return their Markdown, with paths as seen from the document."""
    from pipeline.evaluation.segmentation.plots import dice_plot, trust_plot
    from pipeline.evaluation.segmentation.sheet import contact_sheet

    folder.mkdir(parents=True, exist_ok=True)
    dice_plot(records).savefig(folder / "segmentation_dice.png")
    trust_plot(records).savefig(folder / "segmentation_trust.png")
    contact_sheet(records, networks, output / CORRECTED).savefig(folder / "segmentation_sheet.png")
    start = document.parent.resolve()
    return tuple(
        f"![{caption}]({os.path.relpath(folder.resolve() / name, start)})\n\n*{caption}*"
        for name, caption in _CAPTIONS.items()
    )
