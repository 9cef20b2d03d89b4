"""Training of the three published networks, one after the other, without labels.

The loss of step 1 compares low-rank parts, that of step 2 looks at correlation with PCA references,
that of step 3 at local correlation with them and at the bending of the field (Schueler 2026). What
differs from the publication: shifts are drawn along both axes, turned and mirrored hearts are seen
as well, and the learning rate is larger, with warm-up, because hours of a CPU must do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from models.networks.affine import AffineNetwork
from models.networks.deformable import DeformableNetwork
from models.networks.warping import affine_field, join, warp
from models.training.augmentation import (
    PoseRange,
    random_affine,
    random_gain,
    random_orientation,
)
from models.training.loop import LoopSettings, OnStep, optimise
from models.training.losses import bending_energy, correlation, local_correlation, low_rank_loss
from models.training.published_pairs import (
    Pairs,
    SeriesFrames,
    component_pairs,
    inner_pairs,
    low_rank_pairs,
)

BENDING_WEIGHT = 10.0
PUBLISHED_FIXED_POSE = PoseRange(rotation_rad=0.8, shift_fraction=20 / 128)
PUBLISHED_COMPONENT_POSE = PoseRange(rotation_rad=0.4, shift_fraction=10 / 128, chance=0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedSettings:
    """How the three networks are trained."""

    loop: LoopSettings
    batch_size: int = 16
    fixed_pose: PoseRange = PUBLISHED_FIXED_POSE
    """How far moving and fixed image of step 1 are moved, each by itself."""
    component_pose: PoseRange = PUBLISHED_COMPONENT_POSE
    """How far the moving image of step 2 is moved."""
    has_all_orientations: bool = True
    """Turn and mirror both images of a pair alike; not published."""


def train_affine(
    settings: PublishedSettings,
    data: Sequence[SeriesFrames],
    *,
    network: AffineNetwork,
    folder: Path,
    on_step: OnStep,
) -> int:
    """Train step 1, affine to a fixed frame; return the number of steps. Changes `network`.

    Parameters
    ----------
    settings
        Length, rate, seed and augmentation.
    data
        Square heart regions of 128 px at 1.25 mm. Each of shape `(time, row, column)`.
    network
        As made by its class, or trained before.
    folder
        Where the checkpoint is written.
    on_step
        Told every step.

    """
    images, low_rank = (pairs.shrunk(network.image_size) for pairs in low_rank_pairs(data))

    def draw_loss(generator: torch.Generator) -> Tensor:
        index = _draw(images, settings.batch_size, generator)
        frame = _orientation(settings, generator)
        moving_pose, fixed_pose = (
            _field(join(frame, _pose(settings.fixed_pose, images, index, generator)), images)
            for _ in range(2)
        )
        moving = warp(images.moving[index], moving_pose), warp(low_rank.moving[index], moving_pose)
        fixed = _posed(images, index, fixed_pose), _posed(low_rank, index, fixed_pose)
        affine = network(random_gain(moving[0], generator), random_gain(fixed[0], generator))
        field = affine_field(affine, moving[0])
        return low_rank_loss((warp(moving[0], field), warp(moving[1], field)), fixed)

    return optimise(network, draw_loss, settings.loop, folder=folder, on_step=on_step)


def train_affine_refine(
    settings: PublishedSettings,
    data: Sequence[SeriesFrames],
    *,
    network: AffineNetwork,
    before: AffineNetwork,
    folder: Path,
    on_step: OnStep,
) -> int:
    """Train step 2, affine to PCA references; return the number of steps. Changes `network`.

    Parameters
    ----------
    settings
        Length, rate, seed and augmentation.
    data
        As for step 1.
    network
        Best a copy of `before`: a new one, which sees only small motion, tends to move nothing.
    before
        Trained network of step 1.
    folder
        Where the checkpoint is written.
    on_step
        Told every step.

    """
    pairs = component_pairs(data, before.eval()).shrunk(network.image_size)

    def draw_loss(generator: torch.Generator) -> Tensor:
        index = _draw(pairs, settings.batch_size, generator)
        frame = _orientation(settings, generator)
        pose = join(frame, _pose(settings.component_pose, pairs, index, generator))
        moving = warp(pairs.moving[index], _field(pose, pairs))
        fixed = _posed(pairs, index, _field(frame, pairs))
        affine = network(random_gain(moving, generator), random_gain(fixed, generator))
        return -correlation(fixed, warp(moving, affine_field(affine, moving)))

    return optimise(network, draw_loss, settings.loop, folder=folder, on_step=on_step)


def train_deformable(
    settings: PublishedSettings,
    data: Sequence[SeriesFrames],
    *,
    network: DeformableNetwork,
    before: tuple[AffineNetwork, AffineNetwork],
    folder: Path,
    on_step: OnStep,
) -> int:
    """Train step 3, non-rigid to PCA references; return the number of steps. Changes `network`.

    Parameters
    ----------
    settings
        Length, rate, seed and augmentation.
    data
        As for step 1.
    network
        As made by its class, or trained before.
    before
        Trained networks of steps 1 and 2.
    folder
        Where the checkpoint is written.
    on_step
        Told every step.

    """
    pairs = inner_pairs(data, before[0].eval(), before[1].eval())

    def draw_loss(generator: torch.Generator) -> Tensor:
        index = _draw(pairs, settings.batch_size, generator)
        frame = _field(_orientation(settings, generator), pairs)
        moving, fixed = warp(pairs.moving[index], frame), _posed(pairs, index, frame)
        field = network(random_gain(moving, generator), random_gain(fixed, generator))
        likeness = local_correlation(warp(moving, field), fixed)
        return BENDING_WEIGHT * bending_energy(field) - likeness

    return optimise(network, draw_loss, settings.loop, folder=folder, on_step=on_step)


def _draw(pairs: Pairs, n_frames: int, generator: torch.Generator) -> Int[Tensor, " frame"]:
    return torch.randint(len(pairs), (n_frames,), generator=generator)


def _orientation(
    settings: PublishedSettings, generator: torch.Generator
) -> Float[Tensor, "frame axis parameter"]:
    """Draw the pose that both images of a pair share."""
    if settings.has_all_orientations:
        return random_orientation(settings.batch_size, generator)
    return torch.zeros(settings.batch_size, 2, 3)


def _pose(
    limits: PoseRange, pairs: Pairs, index: Int[Tensor, " frame"], generator: torch.Generator
) -> Float[Tensor, "frame axis parameter"]:
    return random_affine(len(index), limits, generator, side_px=pairs.moving.shape[-1])


def _field(
    affine: Float[Tensor, "frame axis parameter"], pairs: Pairs
) -> Float[Tensor, "frame axis row column"]:
    return affine_field(affine.to(pairs.moving), pairs.moving)


def _posed(
    pairs: Pairs, index: Int[Tensor, " frame"], field: Float[Tensor, "frame axis row column"]
) -> Float[Tensor, "frame row column"]:
    """Return the fixed images of some pairs, resampled."""
    return warp(pairs.fixed[pairs.fixed_of[index]], field)
