"""Training of the segmentation network: outlines of the heart from a corrected series."""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn import functional

from models.networks.segmentation import SegmentationNetwork
from models.training.averaging import optimise_averaged
from models.training.loop import LoopSettings, OnStep
from models.training.scenes import ScenePool
from models.training.segmentation_sampling import MarkedPool, SegmentationBatch, sample_series


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentationRecipe:
    """What the segmentation network is and what one step of its training shows."""

    width: int = 24
    n_levels: int = 4
    n_series: int = 4
    averaging: float = 0.998
    """Decay of the running average of the weights, which is what is kept."""


def train_segmentation(
    recipe: SegmentationRecipe,
    pool: ScenePool,
    settings: LoopSettings,
    *,
    folder: Path,
    on_step: OnStep,
    network: SegmentationNetwork | None = None,
) -> SegmentationNetwork:
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
    scenes = MarkedPool(pool)

    def draw_loss(generator: Generator) -> Tensor:
        batch = sample_series(scenes, generator, recipe.n_series)
        inputs = batch.inputs.contiguous(memory_format=torch.channels_last)
        return segmentation_loss(learner(inputs), batch)

    return optimise_averaged(
        learner,
        draw_loss,
        settings,
        decay=recipe.averaging,
        device=pool.signals.device,
        folder=folder,
        on_step=on_step,
    )


def _untrained(recipe: SegmentationRecipe, seed: int) -> SegmentationNetwork:
    torch.manual_seed(seed)
    return SegmentationNetwork(width=recipe.width, n_levels=recipe.n_levels)


def segmentation_loss(
    logits: tuple[Float[Tensor, "series tissue row column"], Float[Tensor, "series row column"]],
    batch: SegmentationBatch,
) -> Float[Tensor, ""]:
    """Return cross-entropy, plus one minus the soft Dice coefficients, of outlines and insertions.

    Milletari 2016 (doi 10.1109/3DV.2016.79) for the Dice loss; targets are shares, 0-1.
    """
    tissues, insertions = logits
    entropy = -(batch.shares * tissues.log_softmax(dim=1)).sum(dim=1).mean()
    marks = functional.binary_cross_entropy_with_logits(insertions, batch.insertions)
    overlap = _soft_dice(tissues.softmax(dim=1)[:, 1:], batch.shares[:, 1:])
    marked = _soft_dice(insertions.sigmoid()[:, None], batch.insertions[:, None])
    return entropy + marks + (1 - overlap) + 0.25 * (1 - marked)


def _soft_dice(
    maps: Float[Tensor, "series map row column"], target: Float[Tensor, "series map row column"]
) -> Float[Tensor, ""]:
    """Return the mean over series and maps: a thin wall counts as much as a thick one."""
    overlap = 2 * (maps * target).sum(dim=(2, 3))
    both = (maps.square() + target.square()).sum(dim=(2, 3))
    return ((overlap + 1) / (both + 1)).mean()
