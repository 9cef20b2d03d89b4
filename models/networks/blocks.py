"""Parts that our networks share."""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class Residual(nn.Module):
    """Two convolutions with group normalisation beside a shortcut."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(n_in, n_out, 3, padding=1, bias=False)
        self.first_norm = nn.GroupNorm(8, n_out)
        self.second = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.second_norm = nn.GroupNorm(8, n_out)
        self.shortcut = nn.Identity() if n_in == n_out else nn.Conv2d(n_in, n_out, 1)

    def forward(
        self, image: Float[Tensor, "frame channel row column"]
    ) -> Float[Tensor, "frame new_channel row column"]:
        """Return the image, refined."""
        inner = functional.relu(self.first_norm(self.first(image)))
        inner = self.second_norm(self.second(inner))
        return functional.relu(inner + self.shortcut(image))


def doubled(
    image: Float[Tensor, "frame channel row column"],
) -> Float[Tensor, "frame channel new_row new_column"]:
    """Return the image with twice the rows and columns, bilinear."""
    return functional.interpolate(image, scale_factor=2.0, mode="bilinear", align_corners=False)


class Trunk(nn.Module):
    """U-Net of residual blocks up to its features.

    Ronneberger 2015, doi 10.1007/978-3-319-24574-4_28.

    Parameters
    ----------
    n_inputs
        Channels of the input.
    width
        Channels at half resolution; doubled at each coarser level.
    n_levels
        Levels below full resolution.

    """

    def __init__(self, n_inputs: int, *, width: int, n_levels: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(n_levels)]
        self.multiple = 2**n_levels
        self.detail = nn.Conv2d(n_inputs, width // 2, 3, padding=1)
        self.stem = nn.Conv2d(n_inputs, width, 4, stride=2, padding=1)
        self.down = nn.ModuleList(Residual(wide, wide) for wide in widths)
        self.shrink = nn.ModuleList(
            nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in pairwise(widths)
        )
        self.up = nn.ModuleList(Residual(fine + coarse, fine) for fine, coarse in pairwise(widths))
        self.narrow = nn.Conv2d(width, width // 2, 1)

    def features(
        self, inputs: Float[Tensor, "frame channel row column"]
    ) -> Float[Tensor, "frame feature row column"]:
        """Return `width` features at full resolution; rows and columns are kept.

        Rows and columns must be multiples of `multiple`.
        """
        levels = [self.down[0](functional.relu(self.stem(inputs)))]
        for shrink, block in zip(self.shrink, self.down[1:], strict=True):
            levels.append(block(shrink(levels[-1])))
        image = levels.pop()
        for block, level in zip(reversed(self.up), reversed(levels), strict=True):
            image = block(torch.cat([level, doubled(image)], dim=1))
        detail = functional.relu(self.detail(inputs))
        return torch.cat([doubled(self.narrow(image)), detail], dim=1)
