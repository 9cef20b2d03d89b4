"""The three steps of the published pipeline as functions of frames, for training as for use.

Frames are a square of 128 px at 1.25 mm on the heart. Each function names the map of one step; who
calls it joins the maps and resamples the original. Schueler 2026 (J Cardiovasc Magn Reson 28,
102697; arXiv 2510.00723).
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.decomposition import pca_reference
from models.networks.affine import AffineNetwork
from models.networks.deformable import DeformableNetwork
from models.networks.preparation import equalise, rescale

SPACING_MM = 1.25
SIZE = 128
"""Side of the square that the affine networks see, px."""
INNER_SIZE = 96
"""Side of the square that the deformable network sees, px."""
N_COMPONENTS = 3
"""Of a synthetic reference, in training as in use."""
FIXED_FROM_END = 10
"""The frame that the first step aligns to, counted from the end; contrast is calm there."""
CPU_BATCH = 8
"""Frames at once: what stays in the cache is twice as fast as a whole series."""


def fixed_frame(n_frames: int, n_proton_density: int = 0) -> int:
    """Return the frame that the others are aligned to first; a short series has an earlier one.

    Parameters
    ----------
    n_frames
        Length of the series, at least 1.
    n_proton_density
        Frames at the start that are not used as long as there are others.

    """
    return min(max(n_frames - FIXED_FROM_END, n_proton_density), n_frames - 1)


def affine_to_fixed(
    network: AffineNetwork, frames: Float[Tensor, "time side side"], fixed: int
) -> Float[Tensor, "time axis parameter"]:
    """Return the affine of each frame to frame number `fixed` (step 1)."""
    even = equalise(frames)
    return _answer(network, even, even[fixed].expand_as(even))


def affine_to_components(
    network: AffineNetwork, moved: Float[Tensor, "time side side"]
) -> Float[Tensor, "time axis parameter"]:
    """Return the affine of each frame, resampled so far, to its PCA reference (step 2)."""
    return _answer(network, equalise(moved), equalise(synthetic(moved)))


def field_to_components(
    network: DeformableNetwork, moved: Float[Tensor, "time side side"]
) -> Float[Tensor, "time axis side side"]:
    """Return the field of each frame, resampled so far, to its PCA reference (step 3).

    Outside the inner square the field of its border goes on.
    """
    inner = inner_square(moved)
    field = _answer(network, rescale(inner), rescale(synthetic(inner)))
    margin = (moved.shape[-1] - inner.shape[-1]) // 2
    return functional.pad(field, (margin,) * 4, mode="replicate")


def synthetic(moved: Float[Tensor, "time side side"]) -> Float[Tensor, "time side side"]:
    """Return what each frame would look like in the common position, by three components."""
    return pca_reference(moved, N_COMPONENTS, is_own_teacher=True)


def inner_square(frames: Float[Tensor, "time side side"]) -> Float[Tensor, "time inner inner"]:
    """Cut off the margin that only the affine steps see."""
    margin = (frames.shape[-1] - INNER_SIZE * frames.shape[-1] // SIZE) // 2
    inside = torch.arange(margin, frames.shape[-1] - margin, device=frames.device)
    return frames[:, inside][:, :, inside]


def _answer(
    network: nn.Module,
    moving: Float[Tensor, "time row column"],
    fixed: Float[Tensor, "time row column"],
) -> Float[Tensor, "time axis *answer"]:
    """Ask a network about all frames; frames do not depend on their batch."""
    n_frames = CPU_BATCH if moving.device.type == "cpu" else len(moving)
    parts = zip(torch.split(moving, n_frames), torch.split(fixed, n_frames), strict=True)
    return torch.cat([network(*part) for part in parts])
