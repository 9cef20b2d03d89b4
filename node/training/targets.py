"""What can be trained: one entry per network, all of one shape."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import torch
from torch import nn

from models.networks import (
    AffineNetwork,
    AnatomyNetwork,
    Card,
    DeformableNetwork,
    MatchingNetwork,
    RefiningNetwork,
    SegmentationNetwork,
    save_network,
)
from models.networks.cards import Argument
from models.training.anatomy import AnatomyRecipe, train_anatomy
from models.training.augmentation import PoseRange
from models.training.loop import OnStep, Step
from models.training.matching import MatchingRecipe, train_matching
from models.training.published import (
    PublishedSettings,
    train_affine,
    train_affine_refine,
    train_deformable,
)
from models.training.refining import RefiningRecipe, train_refining
from models.training.scenes import ScenePool, draw_pool
from models.training.segmentation import SegmentationRecipe, train_segmentation
from node.errors import RefusalError
from node.training.beginnings import (
    earlier,
    hash_of_earlier,
    own_copy,
    shipped,
    shipped_card,
    start,
)
from node.training.data import scene_seeds
from node.training.job import Job, Trained
from node.training.names import Target
from pipeline.motion.stiff import align_stiffly

AFFINE: Mapping[str, Argument] = {"image_size": 64, "num_channel_initial": 10, "depth": 5}
DEFORMABLE: Mapping[str, Argument] = {"num_channel_initial": 16, "n_levels": 4}
FIXED_POSE = PoseRange(rotation_rad=0.1, shift_fraction=8 / 128)
"""Published: 0.8 rad and 20 of 128 px, in 300 epochs on a GPU; fewer steps learn less of it."""
COMPONENT_POSE = PoseRange(rotation_rad=0.1, shift_fraction=6 / 128)
"""Published: 0.4 rad and 10 px of half of the images. Those left in place have little to teach: a
network that mostly saw them ended in moving nothing."""
AFFINE_BATCH = 16
DEFORMABLE_BATCH = 6
"""Published: 16. Smaller batches make more steps of the same time."""


def train_target(job: Job, *, today: date, on_step: OnStep) -> Card:
    """Train one network, write weights and card; return the card.

    Parameters
    ----------
    job
        What, from what, how long, and where to.
    today
        For the card.
    on_step
        Told every step.

    Raises
    ------
    RefusalError
        If a network of an earlier step, or the one to go on from, is missing, or all is done.

    """
    steps: list[Step] = []

    def note(step: Step) -> None:
        steps.append(step)
        on_step(step)

    trained = TARGETS[job.target](job, note)
    if not steps:
        raise RefusalError(f"{job.target} in {job.folder} is trained already")
    last = [step.loss for step in steps[-50:]]
    card = Card(
        name=job.target.file_name,
        architecture=trained.architecture,
        arguments=trained.arguments,
        data=trained.origin,
        recipe=_recipe(job, steps[-1].number, steps[-1].elapsed_s),
        seeds=(job.loop.seed,),
        date=today.isoformat(),
        metrics={"final_loss": sum(last) / len(last)},
        beside=trained.beside,
    )
    return save_network(trained.network, card, job.folder)


def _train_anatomy(job: Job, on_step: OnStep) -> Trained:
    recipe = AnatomyRecipe()
    network = train_anatomy(
        recipe,
        _scenes(job),
        job.loop,
        folder=_checkpoint(job),
        on_step=on_step,
        network=shipped(job, AnatomyNetwork),
    )
    return _trained_on_scenes(job, network, {"width": recipe.width, "n_levels": recipe.n_levels})


def _train_matching(job: Job, on_step: OnStep) -> Trained:
    recipe = MatchingRecipe()
    network = train_matching(
        recipe,
        _scenes(job),
        job.loop,
        folder=_checkpoint(job),
        on_step=on_step,
        network=shipped(job, MatchingNetwork),
    )
    arguments = {
        "width": recipe.width,
        "n_levels": recipe.n_levels,
        "n_features": recipe.n_features,
    }
    return _trained_on_scenes(job, network, arguments)


def _train_refining(job: Job, on_step: OnStep) -> Trained:
    """Train beside the matching network, and on what the steps before it leave."""
    recipe = RefiningRecipe()
    network = train_refining(
        recipe,
        _scenes(job),
        earlier(job, MatchingNetwork, Target.MATCHING),
        partial(align_stiffly, spacing_mm=recipe.spacing_mm),
        job.loop,
        folder=_checkpoint(job),
        on_step=on_step,
        network=shipped(job, RefiningNetwork),
    )
    trained = _trained_on_scenes(job, network, {"width": recipe.width, "n_levels": recipe.n_levels})
    matching = Target.MATCHING
    return replace(trained, beside={matching.file_name: hash_of_earlier(job, matching)})


def _train_segmentation(job: Job, on_step: OnStep) -> Trained:
    recipe = SegmentationRecipe()
    network = train_segmentation(
        recipe,
        _scenes(job),
        job.loop,
        folder=_checkpoint(job),
        on_step=on_step,
        network=shipped(job, SegmentationNetwork),
    )
    return _trained_on_scenes(job, network, {"width": recipe.width, "n_levels": recipe.n_levels})


def _scenes(job: Job) -> ScenePool:
    """Return the scenes of a job; those painted by an earlier start of it are read again."""
    if job.data is not None:
        raise RefusalError(
            f"the {job.target} network needs to know where the heart is; studies do not say it"
        )
    seeds = scene_seeds(job.loop.seed, job.n_scenes)
    file = job.folder / f"scenes_{seeds[0]}_{len(seeds)}.safetensors"
    if not file.exists():
        draw_pool(seeds).save(file)
    # What was just painted as well: the file is mapped, so it does not fill the memory.
    return ScenePool.load(file).to(job.device)


def _train_affine(job: Job, on_step: OnStep) -> Trained:
    network = start(job, AffineNetwork, AFFINE)
    train_affine(
        _settings(job), _series(job), network=network, folder=_checkpoint(job), on_step=on_step
    )
    return _trained(job, network, AFFINE)


def _train_affine_refine(job: Job, on_step: OnStep) -> Trained:
    """Train step 2 from the weights of step 1, which can register already."""
    before = earlier(job, AffineNetwork, Target.AFFINE)
    network = start(job, AffineNetwork, AFFINE) if job.goes_on else own_copy(before)
    train_affine_refine(
        _settings(job),
        _series(job),
        network=network,
        before=before,
        folder=_checkpoint(job),
        on_step=on_step,
    )
    return _trained(job, network, AFFINE)


def _train_deformable(job: Job, on_step: OnStep) -> Trained:
    network = start(job, DeformableNetwork, DEFORMABLE)
    train_deformable(
        _settings(job),
        _series(job),
        network=network,
        before=(
            earlier(job, AffineNetwork, Target.AFFINE),
            earlier(job, AffineNetwork, Target.AFFINE_REFINE),
        ),
        folder=_checkpoint(job),
        on_step=on_step,
    )
    return _trained(job, network, DEFORMABLE)


TARGETS: Mapping[Target, Callable[[Job, OnStep], Trained]] = {
    Target.ANATOMY: _train_anatomy,
    Target.MATCHING: _train_matching,
    Target.REFINING: _train_refining,
    Target.AFFINE: _train_affine,
    Target.AFFINE_REFINE: _train_affine_refine,
    Target.DEFORMABLE: _train_deformable,
    Target.SEGMENTATION: _train_segmentation,
}


def _settings(job: Job) -> PublishedSettings:
    return PublishedSettings(
        loop=job.loop,
        batch_size=DEFORMABLE_BATCH if job.target is Target.DEFORMABLE else AFFINE_BATCH,
        fixed_pose=FIXED_POSE,
        component_pose=COMPONENT_POSE,
    )


def _series(job: Job) -> list[torch.Tensor]:
    if job.data is None:
        raise RefusalError(f"{job.target} needs series to learn from")
    return [frames.to(job.device) for frames in job.data.series]


def _checkpoint(job: Job) -> Path:
    return job.folder / f"{job.target.file_name}_checkpoint"


def _trained(job: Job, network: nn.Module, arguments: Mapping[str, Argument]) -> Trained:
    return Trained(
        network=network,
        architecture=type(network).__name__,
        arguments=arguments,
        origin=job.data.origin if job.data is not None else "",
    )


def _trained_on_scenes(job: Job, network: nn.Module, arguments: Mapping[str, Argument]) -> Trained:
    seeds = scene_seeds(job.loop.seed, job.n_scenes)
    return Trained(
        network=network,
        architecture=type(network).__name__,
        arguments=shipped_card(job.target).arguments if job.goes_on else arguments,
        origin=f"{job.n_scenes} slices of virtual patients (seeds {seeds[0]}-{seeds[-1]}), "
        "rendered anew for every step",
    )


def _recipe(job: Job, n_steps: int, seconds: float) -> str:
    beginning = "random weights"
    if job.goes_on:
        beginning = f"the shipped weights ({shipped_card(job.target).sha256[:12]})"
    elif job.target is Target.AFFINE_REFINE:
        beginning = "the weights of step 1"
    return (
        f"perfnode train {job.target}: Adam from {beginning}, "
        f"largest rate {job.loop.learning_rate}, warm-up and cosine, "
        f"{n_steps} steps in {seconds / 60:.1f} minutes on {job.device}"
    )
