"""`perfnode demo`: the product doing its main job on a phantom, in temporary folders."""

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import TaskID
from rich.table import Table

from node.cli.console import (
    DEFAULT_CONFIG,
    OUT,
    ConfigOption,
    ExitCode,
    fraction_bars,
    reported_errors,
)

if TYPE_CHECKING:
    from node.selftest.run import SelfTestReport

_SLICES = ("base", "mid", "apex")


def demo(
    config: ConfigOption = DEFAULT_CONFIG,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the phantom exam.")] = 1,
    output: Annotated[Path, typer.Option(help="Folder for the report picture.")] = Path("demo"),
    timeout: Annotated[float, typer.Option(help="Longest wait in seconds.")] = 300.0,
    keep: Annotated[bool, typer.Option("--keep", help="Keep data, log and archive.")] = False,
) -> None:
    """Send a phantom stress exam through a temporary node and compare the flow with the truth."""
    with reported_errors():
        folder = Path(tempfile.mkdtemp(prefix="perfnode-demo-"))
        try:
            report = _run(folder, config, seed, timeout)
            picture = _save_page(report, output)
        finally:
            if keep:
                OUT.print(f"kept: {folder}", markup=False)
            else:
                shutil.rmtree(folder, ignore_errors=True)
    _show(report, picture)
    OUT.print("PASSED" if report.is_passed else "FAILED: the flow does not agree with the truth")
    if not report.is_passed:
        raise typer.Exit(ExitCode.FAILED)


def _run(folder: Path, config: Path, seed: int, timeout_s: float) -> "SelfTestReport":
    import torch

    from node.selftest.run import run_selftest

    torch.set_num_threads(1)  # the node computes meanwhile
    tasks: dict[str, TaskID] = {}
    with fraction_bars() as bars:

        def _advance(stage: str, fraction: float) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=1.0)
            bars.update(tasks[stage], completed=fraction)

        return run_selftest(
            folder, config=config, seed=seed, timeout_s=timeout_s, progress=_advance
        )


def _save_page(report: "SelfTestReport", output: Path) -> Path | None:
    from matplotlib.image import imsave

    pages = [result for result in report.results if result.kind in ("page", "failure")]
    if not pages:
        return None
    output.mkdir(parents=True, exist_ok=True)
    path = output / "report_stress.png"
    imsave(path, pages[0].values)
    return path


def _show(report: "SelfTestReport", picture: Path | None) -> None:
    table = Table(
        "slice", "true MBF", "measured MBF", "error", "median pixel error", "verdict",
        title="Median blood flow of the myocardium, ml/min/g",
    )  # fmt: skip
    for row in report.accuracy.slices:
        table.add_row(
            _SLICES[row.slice_index],
            f"{row.true_ml_min_g:.2f}",
            f"{row.measured_ml_min_g:.2f}",
            f"{100 * row.bias_fraction:+.1f} %",
            f"{100 * row.median_error_fraction:.1f} %",
            "ok" if row.is_accurate else "WRONG",
        )
    OUT.print(table)
    pixel_percent = 100 * report.accuracy.median_error_fraction
    OUT.print(f"median absolute error over all pixels of the myocardium: {pixel_percent:.1f} %")
    OUT.print(
        f"{report.n_sent} images sent, {len(report.results)} result objects in {report.archive}; "
        f"complete by {report.completed_by}; study {report.study.state.value}"
    )
    OUT.print(f"last image to last map: {report.seconds_to_map:.1f} s")
    if report.study.failure_text:
        OUT.print(f"{report.study.failure_code} {report.study.failure_text}", markup=False)
    OUT.print(f"report picture: {picture}", markup=False)
