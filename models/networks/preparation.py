"""What the networks of the published pipeline are shown: each frame on its own scale.

The passage of the bolus changes brightness from frame to frame far more than motion does. Scaling
and histogram equalisation of every frame by itself take most of that away.
"""

import torch
from jaxtyping import Float
from torch import Tensor

N_BINS = 256


def rescale(frames: Float[Tensor, "frame row column"]) -> Float[Tensor, "frame row column"]:
    """Bring every frame to 0-1; a blank frame becomes zero.

    Parameters
    ----------
    frames
        Images in any unit; values that are not finite count as zero.

    """
    finite = frames.nan_to_num(0.0, 0.0, 0.0)
    lowest = finite.amin(dim=(1, 2), keepdim=True)
    span = finite.amax(dim=(1, 2), keepdim=True) - lowest
    return torch.where(span > 0, (finite - lowest) / span.clamp_min(1e-30), 0.0)


def equalise(frames: Float[Tensor, "frame row column"]) -> Float[Tensor, "frame row column"]:
    """Give every frame an even histogram over 0-1; a blank frame becomes zero.

    The cumulative histogram of 256 bins, read between bin centres, replaces each value: global
    equalisation as in Gonzalez and Woods and in scikit-image.

    Parameters
    ----------
    frames
        Images in any unit. Shape `(frame, row, column)`.

    """
    scaled = rescale(frames)
    flat = scaled.flatten(1)
    bins = (flat * N_BINS).long().clamp_max(N_BINS - 1)
    counts = torch.zeros(len(flat), N_BINS, dtype=flat.dtype, device=flat.device)
    counts.scatter_add_(1, bins, torch.ones_like(flat))
    share = counts.cumsum(dim=1) / flat.shape[1]
    place = (flat * N_BINS - 0.5).clamp(0, N_BINS - 1)
    below = place.long().clamp_max(N_BINS - 2)
    low, high = share.gather(1, below), share.gather(1, below + 1)
    even = (low + (high - low) * (place - below)).reshape(frames.shape)
    is_blank = scaled.amax(dim=(1, 2), keepdim=True) <= 0
    return torch.where(is_blank, 0.0, even)
