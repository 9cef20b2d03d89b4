"""The network that outlines the heart in a corrected series.

It sees the whole series at once, as the few images of `models.networks.summary`, and tells for
every pixel how much of it is left ventricle (all inside the endocardium), myocardium and blood of
the right ventricle, and where the right ventricle is inserted into the left one.
"""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.networks.blocks import Residual, doubled
from models.networks.summary import N_CHANNELS

TISSUES = ("elsewhere", "left ventricle", "myocardium", "right ventricle")
"""The classes of `Outline.shares`, in order."""
_RARE = -4.0
"""Logit that insertions start from: there are two of them in an image."""


class SegmentationNetwork(nn.Module):
    """U-Net of residual blocks (Ronneberger 2015, doi 10.1007/978-3-319-24574-4_28).

    Parameters
    ----------
    width
        Channels at half resolution; doubled at each coarser level.
    n_levels
        Levels below full resolution.

    """

    def __init__(self, *, width: int = 24, n_levels: int = 4) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(n_levels)]
        self.multiple = 2**n_levels
        self.detail = nn.Conv2d(N_CHANNELS, width // 2, 3, padding=1)
        self.stem = nn.Conv2d(N_CHANNELS, width, 4, stride=2, padding=1)
        self.down = nn.ModuleList(Residual(wide, wide) for wide in widths)
        self.shrink = nn.ModuleList(
            nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in pairwise(widths)
        )
        self.up = nn.ModuleList(Residual(fine + coarse, fine) for fine, coarse in pairwise(widths))
        self.narrow = nn.Conv2d(width, width // 2, 1)
        self.head = nn.Sequential(
            nn.Conv2d(width, width // 2, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width // 2, width // 2, 3, padding=1),
            nn.ReLU(),
        )
        self.tissues = nn.Conv2d(width // 2, len(TISSUES), 1)
        self.insertions = nn.Conv2d(width // 2, 1, 1)
        nn.init.constant_(self.insertions.bias, _RARE)  # type: ignore[arg-type]

    def forward(
        self, inputs: Float[Tensor, "series channel row column"]
    ) -> tuple[Float[Tensor, "series tissue row column"], Float[Tensor, "series row column"]]:
        """Return logits of the classes of `TISSUES`, and of the insertions of the right ventricle.

        Parameters
        ----------
        inputs
            What `summarise` makes of each series. Rows and columns are multiples of `multiple`.

        """
        levels = [self.down[0](functional.relu(self.stem(inputs)))]
        for shrink, block in zip(self.shrink, self.down[1:], strict=True):
            levels.append(block(shrink(levels[-1])))
        image = levels.pop()
        for block, level in zip(reversed(self.up), reversed(levels), strict=True):
            image = block(torch.cat([level, doubled(image)], dim=1))
        detail = functional.relu(self.detail(inputs))
        features = self.head(torch.cat([doubled(self.narrow(image)), detail], dim=1))
        return self.tissues(features), self.insertions(features)[:, 0]
