"""Training of the anatomy network: maps of the heart from frames in any contrast, supervised."""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn import functional

from models.networks.anatomy import CONTEXT_CHANNELS, AnatomyNetwork, frame_inputs
from models.training.averaging import optimise_averaged
from models.training.loop import LoopSettings, OnStep
from models.training.sampling import RUN, TrainingBatch, sample
from models.training.scenes import ScenePool

NO_CONTEXT_SHARE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class AnatomyRecipe:
    """What the anatomy network is and what one step of its training shows."""

    width: int = 16
    n_levels: int = 4
    n_series: int = 2
    n_frames: int = 18
    size: int = 80
    spacing_mm: float = 2.0
    averaging: float = 0.998
    """Decay of the running average of the weights, which is what is kept."""


def train_anatomy(
    recipe: AnatomyRecipe,
    pool: ScenePool,
    settings: LoopSettings,
    *,
    folder: Path,
    on_step: OnStep,
    network: AnatomyNetwork | None = None,
) -> AnatomyNetwork:
    """Train, or go on training; return the average of the weights over the last steps.

    Parameters
    ----------
    recipe
        Network and batches.
    pool
        Scenes; its device is where training runs.
    settings
        Length, rate and seed.
    folder
        Where the checkpoint is written.
    on_step
        Told every step.
    network
        Trained already, to go on from; None begins with random weights.

    """
    learner = network or _untrained(recipe, settings.seed)

    def draw_loss(generator: Generator) -> Tensor:
        return _loss(learner, _batch(pool, recipe, generator), generator)

    return optimise_averaged(
        learner,
        draw_loss,
        settings,
        decay=recipe.averaging,
        device=pool.signals.device,
        folder=folder,
        on_step=on_step,
    )


def _untrained(recipe: AnatomyRecipe, seed: int) -> AnatomyNetwork:
    torch.manual_seed(seed)
    return AnatomyNetwork(width=recipe.width, n_levels=recipe.n_levels)


def anatomy_loss(
    logits: Float[Tensor, "frame tissue row column"],
    target: Float[Tensor, "frame tissue row column"],
) -> Float[Tensor, ""]:
    """Return cross-entropy plus one minus the soft Dice coefficient of the batch.

    Milletari 2016 (doi 10.1109/3DV.2016.79) for the Dice loss; targets are shares, 0-1.
    """
    entropy = functional.binary_cross_entropy_with_logits(logits, target)
    maps = logits.sigmoid()
    overlap = 2 * (maps * target).sum(dim=(0, 2, 3))
    both = (maps.square() + target.square()).sum(dim=(0, 2, 3))
    return entropy + 1 - ((overlap + 1) / (both + 1)).mean()


def _batch(pool: ScenePool, recipe: AnatomyRecipe, generator: Generator) -> TrainingBatch:
    return sample(
        pool,
        generator,
        n_series=recipe.n_series,
        n_frames=recipe.n_frames,
        size=recipe.size,
        spacing_mm=recipe.spacing_mm,
    )


def _without_context(
    inputs: Float[Tensor, "time channel row column"], generator: Generator
) -> Float[Tensor, "time channel row column"]:
    """Blank mean and standard deviation over time now and then, so that the frame itself counts."""
    if float(torch.rand((), generator=generator)) > NO_CONTEXT_SHARE:
        return inputs
    shown = torch.ones(inputs.shape[1], device=inputs.device)
    shown[list(CONTEXT_CHANNELS)] = 0.0
    return inputs * shown[:, None, None]


def _loss(network: AnatomyNetwork, batch: TrainingBatch, generator: Generator) -> Float[Tensor, ""]:
    is_first = torch.arange(batch.frames.shape[1]) % RUN == 0
    inputs = [
        _without_context(frame_inputs(frames, int(n_proton), is_first=is_first), generator)
        for frames, n_proton in zip(batch.frames, batch.n_proton_density, strict=True)
    ]
    logits = network(torch.cat(inputs).contiguous(memory_format=torch.channels_last))
    return anatomy_loss(logits, batch.anatomy.flatten(0, 1))
