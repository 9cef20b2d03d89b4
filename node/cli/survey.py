"""`perfnode survey`: what the headers of a new protocol look like, as JSON that names nobody."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from node.cli.console import OUT, reported_errors
from node.cli.subjects import find_subject
from node.errors import RefusalError
from node.settings import Settings
from node.version import SOFTWARE


def survey(
    folder: Annotated[Path, typer.Argument(help="Folder with DICOM files of one or more studies.")],
    output: Annotated[Path | None, typer.Argument(help="File to write; printed if left out.")] = (
        None
    ),
) -> None:
    """Describe the headers of a protocol, without pixels, dates, names or free text."""
    from node.translate.survey import survey_study  # brings the numerical libraries

    with reported_errors():
        if not folder.is_dir():
            raise RefusalError(f"{folder} is not a folder")
        studies = [
            {"study": title, "series": [asdict(series) for series in survey_study(files)]}
            for title, files in find_subject(str(folder), Settings()).items()
        ]
    text = json.dumps({"software": SOFTWARE, "studies": studies}, indent=1, allow_nan=False)
    if output is None:
        typer.echo(text)
        return
    output.write_text(text + "\n")
    OUT.print(f"{len(studies)} studies described in {output}", markup=False)
