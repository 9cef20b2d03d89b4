"""`perfnode train`: train one network, on virtual patients or on a site's own exams."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from node.cli.console import DEFAULT_CONFIG, OUT, ConfigOption, fraction_bars, reported_errors
from node.configuration import load_settings
from node.errors import RefusalError
from node.settings import Settings

if TYPE_CHECKING:
    import torch

    from models.training.loop import LoopSettings, OnStep, Step
    from node.ports import Progress
    from node.training import Data, Target

DEFAULT_MINUTES = 20.0
RATE = 1e-3
FINE_TUNING_RATE = 1e-4
N_BETWEEN_LINES = 10


def train(
    target: Annotated[
        Literal[
            "anatomy",
            "matching",
            "refining",
            "affine",
            "affine-refine",
            "deformable",
            "segmentation",
        ],
        typer.Argument(help="Network; the affine ones and the deformable one in this order."),
    ],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for weights, card, checkpoint and log.")
    ],
    seed: Annotated[int, typer.Option(min=0, help="Of patients, weights and batches.")] = 1,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="How long, on the clock of the wall.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="How many steps instead.")] = None,
    rate: Annotated[
        float | None, typer.Option(min=1e-6, max=0.1, help="Largest learning rate.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint.")] = False,
    from_studies: Annotated[
        Path | None,
        typer.Option(help="Fine-tune the shipped network on the exams in this folder."),
    ] = None,
    from_shipped: Annotated[
        bool, typer.Option("--from-shipped", help="Go on from the shipped weights, same data.")
    ] = False,
    scenes: Annotated[int, typer.Option(min=1, help="Number of virtual patients.")] = 120,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Train a network for motion correction or segmentation; write its weights and card."""
    from node.training import Job, Target, train_target

    with reported_errors():
        chosen = Target(target)
        is_fine_tuned = from_studies is not None
        usual = FINE_TUNING_RATE if is_fine_tuned else RATE
        loop = _loop(seed, minutes, steps, rate or usual, is_resumed=resume)
        with _bars() as progress, _log(output, chosen, progress, resume=resume) as on_step:
            job = Job(
                target=chosen,
                folder=output,
                loop=loop,
                device=_device(device),
                data=_data(chosen, from_studies, config, seed, scenes, progress),
                n_scenes=scenes,
                goes_on=from_shipped or is_fine_tuned,
            )
            card = train_target(job, today=datetime.now().date(), on_step=on_step)
        OUT.print(f"{card.name}: {card.recipe}", markup=False)
        OUT.print(f"loss at the end {card.metrics['final_loss']:.4f}, sha256 {card.sha256}")
        OUT.print(f"weights and card are in {output}", markup=False)


def _loop(
    seed: int, minutes: float | None, steps: int | None, rate: float, *, is_resumed: bool
) -> "LoopSettings":
    from models.training.loop import LoopSettings

    if minutes is not None and steps is not None:
        raise RefusalError("give either --minutes or --steps")
    return LoopSettings(
        seed=seed,
        learning_rate=rate,
        n_steps=steps,
        minutes=(minutes or DEFAULT_MINUTES) if steps is None else None,
        is_resumed=is_resumed,
    )


def _device(name: str) -> "torch.device":
    import torch

    if name.startswith("cuda") and not torch.cuda.is_available():
        raise RefusalError("there is no CUDA device here; use --device cpu")
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise RefusalError(f"{name!r} is not a device; use cpu or cuda") from error


def _data(
    target: "Target",
    folder: Path | None,
    config: Path,
    seed: int,
    n_scenes: int,
    progress: "Progress",
) -> "Data | None":
    """Return what to learn from; None for targets that draw their own scenes."""
    from node.training import LEARNED_FROM_SCENES, phantom_series, study_series

    if folder is not None:
        is_given = config.exists() or config != DEFAULT_CONFIG
        settings = load_settings(config) if is_given else Settings()
        return study_series(folder, settings.acquisition, progress)
    if target in LEARNED_FROM_SCENES:
        return None
    return phantom_series(seed, n_scenes, progress)


@contextmanager
def _bars() -> "Iterator[Progress]":
    """Show one bar that is told stage and fraction."""
    with fraction_bars() as bars:
        task = bars.add_task("starting", total=1.0)
        yield lambda stage, fraction: bars.update(task, description=stage, completed=fraction)


@contextmanager
def _log(
    output: Path, target: "Target", progress: "Progress", *, resume: bool
) -> "Iterator[OnStep]":
    """Write every tenth step to `<name>.jsonl`, one JSON object per line, and move the bar."""
    output.mkdir(parents=True, exist_ok=True)
    file = output / f"{target.file_name}.jsonl"
    with file.open("a" if resume else "w", encoding="utf-8") as lines:

        def on_step(step: "Step") -> None:
            progress(f"training {target}: loss {step.loss:.3f}", step.fraction)
            if step.number % N_BETWEEN_LINES == 0 or step.fraction >= 1:
                lines.write(json.dumps(asdict(step)) + "\n")
                lines.flush()

        yield on_step
