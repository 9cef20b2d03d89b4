"""The last step: a network bends every frame to where the series lies."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.networks import batches
from models.networks.evidence import gather
from models.networks.refining import RefiningNetwork, to_full
from pipeline.motion.compose import carry, compose, largest_share_without_folds, warp

MIN_JACOBIAN = 0.5
"""A step is shrunk until it squeezes no pixel to less than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aligned:
    """A heart region that is aligned but for a little."""

    frames: Float[Tensor, "time row column"]
    """As acquired."""
    features: Float[Tensor, "time feature row column"]
    """What the matching network sees in them."""
    window: Float[Tensor, "row column"]
    """1 on the heart, 0 far from it."""
    field: Float[Tensor, "time axis row column"]
    """What was found so far, px."""
    is_enhanced: Bool[Tensor, " time"]
    n_proton_density: int


def refine(
    aligned: Aligned, network: RefiningNetwork, *, is_fine: bool
) -> Float[Tensor, "time axis row column"]:
    """Return the field of every frame after the step of the network.

    Parameters
    ----------
    aligned
        Rows and columns are multiples of what the network asks for.
    network
        Trained.
    is_fine
        Whether the images show enough to bend frames; otherwise the mean step of the heart counts.

    """
    moved = warp(aligned.frames, aligned.field)
    features = carry(aligned.features, aligned.field)
    known = gather(moved, features, aligned.window, aligned.is_enhanced, aligned.n_proton_density)
    with torch.no_grad():
        parts = [network(part)[0] for part in known.split(batches.BATCH)]
    step = to_full(torch.cat(parts), (moved.shape[1], moved.shape[2]))
    if not is_fine:
        heart = aligned.window / aligned.window.sum().clamp_min(1e-6)
        step = (step * heart).sum(dim=(2, 3), keepdim=True).expand_as(step)
    share = largest_share_without_folds(step, MIN_JACOBIAN)
    return compose(aligned.field, step * share[:, None, None, None])
