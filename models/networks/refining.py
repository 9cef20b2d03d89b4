"""The network that sees what is left: how far each frame still lies from where the series lies.

Several comparisons of a frame with the series propose a step at every point (`evidence`). The
network, which sees the images as well, says how much of each is taken, and adds one of its own.
"""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.networks.blocks import Residual, doubled
from models.networks.evidence import N_IMAGES, N_STEPS, Evidence

FIRST_SHARE = -1.5
"""Logit of what is taken of each step before anything is learned."""


class RefiningNetwork(nn.Module):
    """U-Net down from half resolution that answers at a quarter of the resolution.

    Parameters
    ----------
    width
        Channels at half resolution; doubled at each coarser level.
    n_levels
        Levels below full resolution, at least two.

    """

    def __init__(self, *, width: int = 16, n_levels: int = 4) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(n_levels)]
        self.multiple = 2**n_levels
        self.stem = nn.Conv2d(N_IMAGES, width, 4, stride=2, padding=1)
        self.down = nn.ModuleList(Residual(wide, wide) for wide in widths)
        self.shrink = nn.ModuleList(
            nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in pairwise(widths)
        )
        self.told = nn.Conv2d(3 * N_STEPS, widths[1], 3, padding=1)
        self.up = nn.ModuleList(
            Residual(fine + coarse, fine) for fine, coarse in pairwise(widths[1:])
        )
        self.head = nn.Conv2d(widths[1], N_STEPS + 3, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        first = torch.zeros(N_STEPS + 3)
        first[:N_STEPS] = FIRST_SHARE
        self.head.bias = nn.Parameter(first)

    def forward(
        self, known: Evidence
    ) -> tuple[
        Float[Tensor, "frame axis coarse_row coarse_column"],
        Float[Tensor, "frame coarse_row coarse_column"],
    ]:
        """Return displacement, px of the image, and the logarithm of its expected error, px.

        Parameters
        ----------
        known
            Evidence of frames whose rows and columns are multiples of `multiple`.

        """
        told = self.told(torch.cat([known.steps.flatten(1, 2), known.structure], dim=1))
        images = known.images.contiguous(memory_format=torch.channels_last)
        half = self.down[0](functional.relu(self.stem(images)))
        levels = [self.down[1](self.shrink[0](half) + told)]
        for shrink, block in zip(self.shrink[1:], self.down[2:], strict=True):
            levels.append(block(shrink(levels[-1])))
        image = levels.pop()
        for block, level in zip(reversed(self.up), reversed(levels), strict=True):
            image = block(torch.cat([level, doubled(image)], dim=1))
        answer: Tensor = self.head(image)
        share = answer[:, :N_STEPS].sigmoid()
        taken = torch.einsum("tsrc,tsarc->tarc", share, known.steps)
        return taken + answer[:, N_STEPS : N_STEPS + 2], answer[:, -1]


def to_full(
    field: Float[Tensor, "frame axis coarse_row coarse_column"], size: tuple[int, int]
) -> Float[Tensor, "frame axis row column"]:
    """Return a field of the coarse grid on that of the image; units stay."""
    full: Tensor = functional.interpolate(field, size=size, mode="bicubic", align_corners=False)
    return full
