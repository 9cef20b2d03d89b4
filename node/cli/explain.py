"""`perfnode study explain`: what was recognised in a study, for people and for programs."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from node.cli.console import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    fraction_bars,
    reported_errors,
)
from node.cli.subjects import find_subject, settings_or_shipped
from node.version import SOFTWARE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from node.settings import Settings
    from node.translate.explain import Explanation
    from pipeline.findings import Finding

WIDTH = 100
"""Of what is printed: it is read in mails and tickets as much as in terminals."""

SubjectArgument = Annotated[
    str, typer.Argument(metavar="STUDY|FOLDER", help="Study reference, or a folder of files.")
]


def explain(
    subject: SubjectArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    json_output: JsonOption = False,
) -> None:
    """Tell what was recognised in a study and what is missing; the output names nobody."""
    from node.cli.explain_tables import print_explanation

    with reported_errors():
        settings = settings_or_shipped(config)
        explained = {
            title: _explain(files, settings)
            for title, files in find_subject(subject, settings).items()
        }
    if json_output:
        typer.echo(to_json(explained))
        return
    console = Console(width=WIDTH, highlight=False)
    for title, explanation in explained.items():
        print_explanation(console, title, explanation)


def to_json(explained: "Mapping[str, Explanation]") -> str:
    """Return explanations for programs; times in seconds, lengths in millimetres.

    Parameters
    ----------
    explained
        Explanations by the title of the study.

    """
    studies = [
        {
            "study": title,
            "problem": None if item.problem is None else _finding(item.problem),
            "series": [
                asdict(series) | {"words": words}
                for series, words in zip(item.account.series, item.words, strict=True)
            ],
            "exams": [
                asdict(exam) | {"n_beats": grid.n_beats, "n_missed_triggers": grid.n_missed}
                for exam, grid in zip(item.account.exams, item.grids, strict=True)
            ],
            "clocks": [asdict(clock) for clock in item.clocks],
            "findings": [_finding(finding) for finding in item.findings],
        }
        for title, item in explained.items()
    ]
    return json.dumps({"software": SOFTWARE, "studies": studies}, indent=1, allow_nan=False)


def _explain(files: "Sequence[Path]", settings: "Settings") -> "Explanation":
    from node.translate.explain import explain_study  # brings the numerical libraries

    with fraction_bars() as bars:
        task = bars.add_task("reading", total=1.0)
        return explain_study(
            files,
            rules=settings.acquisition,
            states=settings.states,
            progress=lambda stage, fraction: bars.update(
                task, description=stage, completed=fraction
            ),
        )


def _finding(finding: "Finding") -> dict[str, Any]:
    return {"code": str(finding.code), "grade": finding.grade.name, "text": finding.sentence}
