"""Connected parts of a mask."""

import torch
from jaxtyping import Bool
from torch import Tensor


def largest_component(mask: Bool[Tensor, "row column"]) -> Bool[Tensor, "row column"]:
    """Return the largest part of a mask whose pixels touch along an edge.

    Every pixel takes the largest label among itself and its neighbours until nothing changes.
    """
    labels = torch.arange(1, mask.numel() + 1, device=mask.device).reshape(mask.shape) * mask
    while True:
        spread = torch.stack([labels, *_neighbours(labels)]).amax(dim=0) * mask
        if bool((spread == labels).all()):
            break
        labels = spread
    sizes = torch.bincount(labels.flatten())
    sizes[0] = 0
    return mask & (labels == int(sizes.argmax()))


def _neighbours(labels: Tensor) -> list[Tensor]:
    padded = torch.nn.functional.pad(labels, (1, 1, 1, 1))
    return [padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]]
