"""Following PCA references: frames with contrast agent, step by step, from a given start.

A frame that its reference explains badly keeps the place it came with.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.decomposition import pca_reference
from pipeline.motion.affine import AffineSettings, affine_field, register_affine
from pipeline.motion.compose import warp
from pipeline.motion.deformable import DeformableSettings, register_deformable
from pipeline.motion.likeness import misfit

MAX_MISFIT = 0.25
"""A reference that leaves more of a frame unexplained is not followed."""


def follow_affine(
    frames: Float[Tensor, "time row column"],
    weight: Float[Tensor, "row column"],
    affine: Float[Tensor, "time axis parameter"],
    is_enhanced: Bool[Tensor, " time"],
    components: tuple[int, ...],
    settings: AffineSettings,
) -> Float[Tensor, "time axis parameter"]:
    """Return the affine of each frame after a round for each number of components.

    Parameters
    ----------
    frames
        Heart region as acquired.
    weight
        How much each pixel counts.
    affine
        Where to begin.
    is_enhanced
        Frames that take part; the others keep their affine.
    components
        How many components the references of each round are made of.
    settings
        Steps and stiffness.

    """
    for n_components in components:
        moved = warp(frames, affine_field(affine, frames))
        goal = pca_reference(moved, n_components, weight=weight, teachers=is_enhanced)[is_enhanced]
        some, before = frames[is_enhanced], affine[is_enhanced]
        found = register_affine(some, goal, weight, before, settings)
        rest = misfit(warp(some, affine_field(found, frames)), goal, weight)
        affine = affine.clone()
        affine[is_enhanced] = torch.where((rest < MAX_MISFIT)[:, None, None], found, before)
    return affine


def follow_deformable(
    frames: Float[Tensor, "time row column"],
    weight: Float[Tensor, "row column"],
    field: Float[Tensor, "time axis row column"],
    is_enhanced: Bool[Tensor, " time"],
    components: tuple[int, ...],
    settings: DeformableSettings,
) -> Float[Tensor, "time axis row column"]:
    """Return the field of each frame after a round for each number of components.

    Parameters as `follow_affine`, with a field to begin with.
    """
    for n_components in components:
        moved = warp(frames, field)
        goal = pca_reference(moved, n_components, weight=weight, teachers=is_enhanced)[is_enhanced]
        some, before = frames[is_enhanced], field[is_enhanced]
        found = register_deformable(some, goal, weight, before, settings)
        rest = misfit(warp(some, found), goal, weight)
        field = field.clone()
        field[is_enhanced] = torch.where((rest < MAX_MISFIT)[:, None, None, None], found, before)
    return field
