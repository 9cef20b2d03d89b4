"""`perfnode evaluate reserve`: perfusion reserve of phantom pairs against the truth."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.console import OUT, counting_bars, reported_errors
from node.cli.kept_results import read_kept

if TYPE_CHECKING:
    from pipeline.evaluation.reserve.records import ReserveRecord

RESULTS = "reserve.jsonl"
_CAPTIONS = {
    "reserve_example.png": "The first pair as analysed, base to apex: flow under stress, flow at "
    "rest carried onto its pixels, reserve, the true reserve, and the difference.",
    "reserve_segments.png": "Reserve of every segment over the truth; bars are the standard errors "
    "that are reported.",
    "reserve_page.png": "The page of the first pair.",
}


def reserve(
    *,
    pairs: Annotated[int, typer.Option(min=1, help="Virtual patients.")] = 12,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("evaluation"),
    document: Annotated[
        Path | None, typer.Option(help="Write the evidence to this Markdown file.")
    ] = None,
    pictures: Annotated[Path | None, typer.Option(help="Folder for the pictures.")] = None,
) -> None:
    """Measure reserve at stress and rest; what is done is kept, and the rest is taken up later."""
    with reported_errors():
        output.mkdir(parents=True, exist_ok=True)
        _measure(pairs, output / RESULTS)
        found = _read(output / RESULTS)
        target = document or output / "reserve.md"
        links = () if pictures is None else _draw(found, pictures, target)
        _write(found, target, links)
        OUT.print(f"{len(found)} results in {output / RESULTS}; tables in {target}")


def _measure(n_pairs: int, results: Path) -> None:
    """Measure the pairs of which something is missing; results are appended at once."""
    import torch

    from models.networks import shipped_networks
    from pipeline.evaluation.reserve.measure import answers, measure_answer
    from pipeline.evaluation.reserve.pair import FIRST_SEED, draw_pair
    from pipeline.evaluation.reserve.records import Way, to_line

    torch.set_num_threads(1)
    done = {record.key for record in _read(results)}
    seeds = range(FIRST_SEED, FIRST_SEED + n_pairs)
    missing = [seed for seed in seeds if any((seed, way.value) not in done for way in Way)]
    with counting_bars() as bars, results.open("a", encoding="utf-8") as file:
        bar = bars.add_task("pairs", total=len(missing))
        for seed in missing:
            for answer in answers(draw_pair(seed), shipped_networks("cpu")):
                record = measure_answer(seed, answer)
                if record.key not in done:
                    file.write(to_line(record) + "\n")
                    file.flush()
            bars.advance(bar)


def _read(results: Path) -> "list[ReserveRecord]":
    """Return all results that are kept."""
    from pipeline.evaluation.reserve.records import from_line

    return read_kept(results, from_line)


def _draw(records: "Sequence[ReserveRecord]", folder: Path, target: Path) -> tuple[str, ...]:
    """Draw all pictures and return their Markdown, with paths as seen from the document."""
    from PIL import Image

    from models.networks import shipped_networks
    from pipeline.evaluation.reserve.measure import answers
    from pipeline.evaluation.reserve.pair import draw_pair
    from pipeline.evaluation.reserve.plots import example_plot, page_of, segment_plot

    folder.mkdir(parents=True, exist_ok=True)
    first = min(record.seed for record in records)
    *_, analysed = answers(draw_pair(first), shipped_networks("cpu"))
    example, segments, page = _CAPTIONS
    example_plot(analysed).savefig(folder / example)
    segment_plot(records).savefig(folder / segments)
    Image.fromarray(page_of(analysed)).save(folder / page, optimize=True)
    start = target.parent.resolve()
    return tuple(
        f"![{caption}]({os.path.relpath(folder.resolve() / name, start)})\n\n*{caption}*"
        for name, caption in _CAPTIONS.items()
    )


def _write(records: "Sequence[ReserveRecord]", target: Path, links: Sequence[str]) -> None:
    from pipeline.evaluation.reserve.document import document
    from pipeline.evaluation.summary import reading_of

    reading = reading_of(target.read_text(encoding="utf-8")) if target.exists() else ""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(document(records, reading=reading, pictures=links), encoding="utf-8")
