"""One loop for every network: a schedule, a log, and a checkpoint that forgets nothing.

Weights, optimiser, random state and progress lie in one safetensors file that is replaced in one
move, so a run that is cut off goes on as if it had not been.
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

CHECKPOINT = "checkpoint.safetensors"
LARGEST_GRADIENT = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopSettings:
    """How long and how fast one network learns."""

    seed: int
    learning_rate: float
    """At its largest."""
    n_steps: int | None = None
    """How many; or else:"""
    minutes: float | None = None
    """How long, on the clock of the wall; how many steps that makes depends on the machine."""
    warm_up_fraction: float = 0.05
    """Part of the run in which the rate rises; afterwards it falls to zero along a cosine."""
    n_between_checkpoints: int = 100
    is_resumed: bool = False
    """Go on from the checkpoint in the folder."""

    def __post_init__(self) -> None:
        """Refuse a run without an end, or with two."""
        if (self.n_steps is None) == (self.minutes is None):
            raise ValueError("give either a number of steps or minutes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is known after one step."""

    number: int
    """The first step is 1."""
    fraction: float
    """Of the whole run that is done, 0-1."""
    loss: float
    learning_rate: float
    elapsed_s: float
    """Of all runs from the first step on."""


OnStep = Callable[[Step], None]
DrawLoss = Callable[[torch.Generator], Tensor]


def optimise(
    module: nn.Module,
    draw_loss: DrawLoss,
    settings: LoopSettings,
    *,
    folder: Path,
    on_step: OnStep,
) -> int:
    """Lower a loss by Adam; return how many steps were taken in all. Changes `module`.

    Parameters
    ----------
    module
        Network to be trained.
    draw_loss
        Draws a batch with the generator that it is given and returns the loss of it.
    settings
        Length, rate and seed.
    folder
        Where the checkpoint is written.
    on_step
        Told every step.

    """
    folder.mkdir(parents=True, exist_ok=True)
    optimiser = torch.optim.Adam(module.parameters(), lr=settings.learning_rate)
    generator = torch.Generator().manual_seed(settings.seed)
    number, elapsed_s = 0, 0.0
    if settings.is_resumed and (folder / CHECKPOINT).exists():
        number, elapsed_s = _restore(folder / CHECKPOINT, module, optimiser, generator)
    module.train()
    started = time.monotonic() - elapsed_s
    fraction = _fraction(settings, number, elapsed_s)
    while fraction < 1:
        rate = settings.learning_rate * _schedule(fraction, settings.warm_up_fraction)
        loss = _descend(module, optimiser, draw_loss(generator), rate)
        number, elapsed_s = number + 1, time.monotonic() - started
        fraction = _fraction(settings, number, elapsed_s)
        on_step(
            Step(
                number=number,
                fraction=fraction,
                loss=loss,
                learning_rate=rate,
                elapsed_s=elapsed_s,
            )
        )
        if fraction >= 1 or number % settings.n_between_checkpoints == 0:
            _store(folder / CHECKPOINT, module, optimiser, generator, (number, elapsed_s))
    module.eval()
    return number


def _fraction(settings: LoopSettings, number: int, elapsed_s: float) -> float:
    if settings.n_steps is not None:
        return min(1.0, number / max(settings.n_steps, 1))
    return min(1.0, elapsed_s / (60 * (settings.minutes or 1e-9)))


def _schedule(fraction: float, warm_up: float) -> float:
    """Return the share of the full rate: a ramp, never zero, then half a cosine."""
    if fraction < warm_up:
        return max(fraction / warm_up, 0.02)
    return 0.5 * (1 + math.cos(math.pi * (fraction - warm_up) / (1 - warm_up)))


def _descend(
    module: nn.Module, optimiser: torch.optim.Optimizer, loss: Tensor, rate: float
) -> float:
    """Take one step; a loss that is not finite is stepped over, since it would spoil everything."""
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.zero_grad()
    if bool(loss.isfinite()):
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no types here
        nn.utils.clip_grad_norm_(module.parameters(), LARGEST_GRADIENT)
        optimiser.step()
    return float(loss.detach())


def _store(
    path: Path,
    module: nn.Module,
    optimiser: torch.optim.Optimizer,
    generator: torch.Generator,
    progress: tuple[int, float],
) -> None:
    tensors = {f"module.{key}": value for key, value in module.state_dict().items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{key}": value for key, value in state.items()}
    tensors["generator"] = generator.get_state()
    content = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    partial = path.with_suffix(".partial")
    notes = {"progress": json.dumps({"number": progress[0], "elapsed_s": progress[1]})}
    save_file(content, partial, metadata=notes)
    partial.replace(path)


def _restore(
    path: Path,
    module: nn.Module,
    optimiser: torch.optim.Optimizer,
    generator: torch.Generator,
) -> tuple[int, float]:
    """Put everything back; return the number of steps and the seconds they took."""
    with safe_open(path, framework="pt") as file:
        progress = json.loads(file.metadata()["progress"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
    generator.set_state(tensors.pop("generator"))
    module.load_state_dict(_below("module", tensors))
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in _below("optimiser", tensors).items():
        index, name = key.split(".")
        state.setdefault(int(index), {})[name] = value
    optimiser.load_state_dict(optimiser.state_dict() | {"state": state})
    return int(progress["number"]), float(progress["elapsed_s"])


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    start = f"{prefix}."
    return {key[len(start) :]: value for key, value in tensors.items() if key.startswith(start)}
