"""`perfnode evaluate quantification`: measure blood flow on phantom exams, write the evidence."""

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.console import OUT, counting_bars, reported_errors
from node.cli.kept_results import read_kept
from node.cli.side_by_side import append_line, run_side_by_side
from node.errors import RefusalError

if TYPE_CHECKING:
    from pipeline.evaluation.flow.curve_trials import CurveRow
    from pipeline.evaluation.flow.design import Trial
    from pipeline.evaluation.flow.plan import Task
    from pipeline.evaluation.flow.records import FlowRecord
    from pipeline.types import FlowModel

RESULTS = "quantification.jsonl"
CURVES = "quantification_curves.jsonl"
_FIRST_CURVE_SEED = {False: 9400, True: 5090}


def quantification(
    *,
    clinical: Annotated[int, typer.Option(min=0, help="Exams of the clinical point.")] = 8,
    random: Annotated[int, typer.Option(min=0, help="Exams of random protocols.")] = 8,
    repeats: Annotated[int, typer.Option(min=0, help="Patients per factor.")] = 1,
    factors: Annotated[str, typer.Option(help="Factors, with commas; all when empty.")] = "",
    curves: Annotated[int, typer.Option(min=0, help="Voxels per set of curves.")] = 300,
    models: Annotated[str, typer.Option(help="Fits, with commas.")] = "btex,fermi,tikhonov",
    jobs: Annotated[int, typer.Option(min=1, help="Exams side by side.")] = 1,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("evaluation"),
    keep: Annotated[
        Path | None,
        typer.Option(help="Folder that keeps registered exams, 10-60 MB each, for another fit."),
    ] = None,
    development: Annotated[
        bool, typer.Option("--development", help="Development exams instead of held-out ones.")
    ] = False,
    document: Annotated[
        Path | None, typer.Option(help="Write the evidence to this Markdown file.")
    ] = None,
    pictures: Annotated[Path | None, typer.Option(help="Folder for plots and maps.")] = None,
) -> None:
    """Compare found with true blood flow; results are kept, and the rest is taken up later."""
    with reported_errors():
        fits = _models(models)
        output.mkdir(parents=True, exist_ok=True)
        results, rows = output / RESULTS, output / CURVES
        trials = _trials(
            counts=(clinical, random, repeats), factors=factors, development=development
        )
        _run_exams(trials, fits, results, jobs=jobs, kept=keep)
        if curves:
            _run_curves(fits, rows, n_voxels=curves, seed=_FIRST_CURVE_SEED[development])
        found, known = _read_records(results), _read_curves(rows)
        target = document or output / "quantification.md"
        links = () if pictures is None else _draw(found, pictures, target, kept=keep)
        _write(found, known, target, links)
        OUT.print(f"{len(found)} results in {results}; tables in {target}")


def _models(text: str) -> tuple["FlowModel", ...]:
    from pipeline.types import FlowModel

    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in list(FlowModel)]
    if unknown or not names:
        raise RefusalError(f"unknown fit {', '.join(unknown)}; known: {', '.join(FlowModel)}")
    return tuple(FlowModel(name) for name in names)


def _trials(*, counts: tuple[int, int, int], factors: str, development: bool) -> list["Trial"]:
    from pipeline.evaluation.cases import Split
    from pipeline.evaluation.flow.design import (
        FACTORS,
        clinical_trials,
        factor_trials,
        random_trials,
    )

    names = [name.strip() for name in factors.split(",") if name.strip()] or list(FACTORS)
    unknown = [name for name in names if name not in FACTORS]
    if unknown:
        raise RefusalError(f"unknown factor {', '.join(unknown)}; known: {', '.join(FACTORS)}")
    split = Split.DEVELOPMENT if development else Split.HELD_OUT
    n_clinical, n_random, n_repeats = counts
    return [
        *clinical_trials(split, n_clinical),
        *random_trials(split, n_random),
        *(trial for name in names for trial in factor_trials(split, name, n_repeats)),
    ]


def _run_exams(
    trials: list["Trial"],
    models: tuple["FlowModel", ...],
    results: Path,
    *,
    jobs: int,
    kept: Path | None,
) -> None:
    """Analyse what is missing in processes of one thread each; results are appended at once."""
    from pipeline.evaluation.flow.plan import tasks

    missing = tasks(trials, models, frozenset(row.key for row in _read_records(results)))
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
    run_side_by_side(missing, partial(_carry_out, kept=kept), results, jobs)


def _carry_out(task: "Task", results: Path, kept: Path | None) -> int:
    from pipeline.evaluation.flow.plan import carry_out

    return carry_out(task, partial(_append, results), kept=kept)


def _append(results: Path, record: "FlowRecord") -> None:
    from pipeline.evaluation.flow.records import to_line

    append_line(results, to_line(record))


def _run_curves(models: tuple["FlowModel", ...], rows: Path, *, n_voxels: int, seed: int) -> None:
    """Judge the fit on curves without images, unless that has been done."""
    from pipeline.evaluation.flow.curve_trials import count_rows, curve_line, judge_curves

    total = count_rows(models)
    if len(_read_curves(rows)) >= total:
        return
    with counting_bars() as bars, rows.open("w", encoding="utf-8") as file:
        bar = bars.add_task("curves", total=total)
        for row in judge_curves(seed, n_voxels, models):
            file.write(curve_line(row) + "\n")
            bars.advance(bar)


def _read_records(path: Path) -> list["FlowRecord"]:
    from pipeline.evaluation.flow.records import from_line, unique

    return unique(read_kept(path, from_line))


def _read_curves(path: Path) -> list["CurveRow"]:
    from pipeline.evaluation.flow.curve_trials import curve_row

    return read_kept(path, curve_row)


def _write(
    records: list["FlowRecord"], curves: list["CurveRow"], target: Path, links: Iterable[str]
) -> None:
    from pipeline.evaluation.flow.summary import document
    from pipeline.evaluation.summary import reading_of

    reading = reading_of(target.read_text(encoding="utf-8")) if target.exists() else ""
    target.parent.mkdir(parents=True, exist_ok=True)
    text = document(records, curves, reading=reading, pictures=tuple(links))
    target.write_text(text, encoding="utf-8")


_CAPTIONS = {
    "quantification_example.png": "The first exam of the clinical point, base to apex, after "
    "motion correction: truth, map, their difference, and what the map says of its own error.",
    "quantification_agreement.png": "Bland-Altman: every true segment after motion correction; "
    "lines are bias and 95 % limits, grey is the goal of ±3 %.",
    "quantification_models.png": "Every fit on every tissue at the clinical point.",
    "quantification_bias.png": "Bias over flow.",
    "quantification_factors.png": "One factor at a time around the clinical point.",
    "quantification_coverage.png": "What intervals say and what is found; grey is ±5 points.",
    "quantification_defects.png": "Defects of 1 cm at half flow against healthy sectors of the "
    "same width, clinical point, after motion correction.",
}


def _draw(
    records: list["FlowRecord"], folder: Path, document: Path, *, kept: Path | None
) -> tuple[str, ...]:
    """Draw all pictures and return their Markdown, with paths as seen from the document."""
    from pipeline.evaluation.flow.gallery import draw_gallery
    from pipeline.evaluation.flow.summary import DEFAULT

    folder.mkdir(parents=True, exist_ok=True)
    drawn = draw_gallery(records, folder, model=DEFAULT, kept=kept)
    start = document.parent.resolve()
    return tuple(
        f"![{caption}]({os.path.relpath(folder.resolve() / name, start)})\n\n*{caption}*"
        for name, caption in _CAPTIONS.items()
        if name in drawn
    )
