"""The published method: three networks one after the other (Schueler 2026).

1. Affine to a fixed frame, the tenth from the end.
2. Affine to synthetic references of three components.
3. Non-rigid to synthetic references of three components, in the inner square.

What its released code does wrong is not done here: references are made on a copy, with the same
number of components in training and use; affine maps are about the image centre; blank frames stay
outside; and all maps are joined into one field, so the image is resampled once. Proton-density
frames take part like any other frame, and a low-resolution arterial-input series is treated alike,
as published.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from models.networks import PublishedNetworks
from models.networks.published import (
    SIZE,
    SPACING_MM,
    affine_to_components,
    affine_to_fixed,
    field_to_components,
    fixed_frame,
)
from pipeline.motion.affine import affine_field, join
from pipeline.motion.compose import compose, warp
from pipeline.motion.crop import HeartCrop
from pipeline.motion.iterative import anchored
from pipeline.motion.series import Candidate, Series
from pipeline.types import Progress


def register(
    series: Series, networks: PublishedNetworks, progress: Progress
) -> tuple[Candidate, ...]:
    """Register a series; return what each of the three steps came to.

    Parameters
    ----------
    series
        Any series of at least four usable frames.
    networks
        The three networks, on the device of the series.
    progress
        Told stage and fraction.

    """
    crop = heart_square(series)
    frames = crop.cut(series.usable)
    reference = fixed_frame(len(frames), series.n_proton_density)
    with torch.no_grad():
        found = _steps(networks, frames, reference, progress)
    return tuple(
        Candidate(name=name, in_crop=anchored(field, reference), crop=crop, reference=reference)
        for name, field in found
    )


def heart_square(series: Series) -> HeartCrop:
    """Return the square that the published networks see of a series: 128 px at 1.25 mm."""
    return HeartCrop(
        region=series.crop.region,
        image_spacing_mm=series.spacing_mm,
        image_size=(series.frames.shape[1], series.frames.shape[2]),
        spacing_mm=SPACING_MM,
        size=SIZE,
    )


def _steps(
    networks: PublishedNetworks,
    frames: Float[Tensor, "time side side"],
    reference: int,
    progress: Progress,
) -> list[tuple[str, Float[Tensor, "time axis side side"]]]:
    """Return the field after each step; every step sees the original resampled once."""
    progress("motion: affine", 0.0)
    affine = affine_to_fixed(networks.affine, frames, reference)
    first = affine_field(affine, frames)
    progress("motion: affine to components", 0.3)
    affine = join(affine, affine_to_components(networks.affine_refine, warp(frames, first)))
    second = affine_field(affine, frames)
    progress("motion: non-rigid", 0.6)
    step = field_to_components(networks.deformable, warp(frames, second))
    return [
        ("affine", first),
        ("affine to components", second),
        ("deformable", compose(second, step)),
    ]
