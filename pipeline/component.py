"""Connected parts of a mask."""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from scipy import ndimage
from torch import Tensor


def largest_component(mask: Bool[Tensor, "row column"]) -> Bool[Tensor, "row column"]:
    """Return the largest part of a mask whose pixels touch along an edge."""
    return fullest_component(mask, torch.ones(mask.shape, device=mask.device))


def fullest_component(
    mask: Bool[Tensor, "row column"], weight: Float[Tensor, "row column"]
) -> Bool[Tensor, "row column"]:
    """Return the part of a mask, joined along edges, that holds the largest sum of a weight."""
    labels = label_components(mask)
    held = torch.zeros(mask.numel() + 1, dtype=torch.float64, device=mask.device)
    held.index_add_(0, labels.flatten(), (weight.double() * mask).flatten())
    held[0] = -torch.inf
    return mask & (labels == int(held.argmax()))


def label_components(mask: Bool[Tensor, "row column"]) -> Int64[Tensor, "row column"]:
    """Return a number above 0 for every part of a mask that is joined along edges, else 0."""
    labels, _ = ndimage.label(mask.cpu().numpy(), output=np.int64)
    return torch.from_numpy(labels).to(mask.device)


def without_holes(mask: Bool[Tensor, "row column"]) -> Bool[Tensor, "row column"]:
    """Add what cannot be reached from the border of the image along edges."""
    filled = ndimage.binary_fill_holes(mask.cpu().numpy())
    return torch.from_numpy(filled).to(mask.device)


def interior(mask: Bool[Tensor, "row column"]) -> Bool[Tensor, "row column"]:
    """Return the pixels of a mask whose four neighbours belong to it too."""
    return mask & torch.stack(_neighbours(mask)).all(dim=0)


def _neighbours(labels: Tensor) -> list[Tensor]:
    padded = torch.nn.functional.pad(labels, (1, 1, 1, 1))
    return [padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]]
