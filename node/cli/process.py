"""`perfnode process`: the same result objects from a folder, without a network."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.console import (
    DEFAULT_CONFIG,
    ERR,
    OUT,
    ConfigOption,
    ExitCode,
    fraction_bars,
    reported_errors,
)
from node.cli.subjects import settings_or_shipped
from node.errors import RefusalError
from node.settings import Settings
from node.version import SOFTWARE

if TYPE_CHECKING:
    from node.work.networks import TrainedNetworks
    from node.work.outcome import Outcome


def process(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="Folder with DICOM files.")],
    output: Annotated[Path, typer.Argument(help="Folder for result objects, pages and numbers.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Compute every study in a folder; write result objects, pages (PNG) and numbers (JSON)."""
    from node.translate import find_studies
    from node.work.networks import load_trained
    from node.work.parameters import choose_device

    with reported_errors():
        settings = settings_or_shipped(config)
        if not source.is_dir():
            raise RefusalError(f"{source} is not a folder")
        found = find_studies(source)
        for path, reason in found.rejected:
            ERR.print(f"left out {path.name}: {reason}", style="yellow", markup=False)
        if not found.studies:
            raise RefusalError(f"no DICOM study was found in {source}")
        trained = load_trained(settings, choose_device(settings.compute.device))
        output.mkdir(parents=True, exist_ok=True)
        failed = [
            number
            for number, files in enumerate(found.studies, start=1)
            if not _process_study(files, output / f"study{number}", settings, trained)
        ]
    if failed:
        raise typer.Exit(ExitCode.FAILED)


def _process_study(
    files: Sequence[Path], output: Path, settings: Settings, trained: "TrainedNetworks"
) -> bool:
    """Compute one study and say what became of it; return whether it has a flow map."""
    import torch

    from node.work.compute import compute_study
    from node.work.stamp import make_stamp

    torch.set_num_threads(1)  # series run side by side instead, see node.work.threads
    with fraction_bars() as bars:
        task = bars.add_task("reading", total=1.0)
        outcome = compute_study(
            files,
            settings=settings,
            trained=trained,
            stamp=make_stamp(settings, datetime.now(), trained),
            reference=output.name,
            progress=lambda stage, fraction: bars.update(
                task, description=stage, completed=fraction
            ),
        )
    _write(outcome, output)
    OUT.print(f"{len(outcome.results)} result objects in {output}", markup=False)
    for exam in outcome.exams:
        for finding in exam.analysis.findings:
            OUT.print(f"  {finding.code} {finding.grade.name}: {finding.sentence}", markup=False)
    if outcome.failure is not None:
        ERR.print(f"no flow map: {outcome.failure.code} {outcome.failure.text}", style="red")
    return outcome.failure is None


def _write(outcome: "Outcome", output: Path) -> None:
    from matplotlib.image import imsave

    from node.cli.measurements import to_json
    from node.translate import to_bytes

    output.mkdir(parents=True, exist_ok=True)
    for number, result in enumerate(outcome.results, start=1):
        (output / f"{number:04d}_{result.kind}.dcm").write_bytes(to_bytes(result))
    for exam in outcome.exams:
        imsave(output / f"report_{exam.analysis.state}.png", exam.page)
    if outcome.pair_page is not None:
        imsave(output / "report_stress_rest.png", outcome.pair_page)
    if outcome.exams:
        text = to_json([exam.analysis for exam in outcome.exams], software=SOFTWARE)
        (output / "measurements.json").write_text(text)
    if outcome.failure_page is not None:
        imsave(output / "not_available.png", outcome.failure_page)
