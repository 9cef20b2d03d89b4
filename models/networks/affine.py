"""A network that looks at two images and names the affine map between them.

MONAI's GlobalNet (Hu 2018, doi 10.1016/j.media.2018.07.002), as in the published pipeline, with
two changes: its last layer speaks of the image centre and not of the first pixel, so that turning
an image does not also throw it aside, and of half image widths, so that one step of the optimiser
means a like distance for shift and shape; and the answer is bounded.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

FARTHEST = 0.5
"""Bound of each entry of the linear part, and of the shift over half the width of the image.

Without it one odd image in a batch is thrown out of view, where no gradient leads back."""


class AffineNetwork(nn.Module):
    """Affine map of a moving image onto a fixed one.

    Parameters
    ----------
    image_size
        Side of the square that the network works on, px; a multiple of 2 to the power of `depth`.
        Larger images are averaged down to it.
    num_channel_initial
        Channels at full resolution; each level down has twice as many.
    depth
        How often resolution is halved. The paper has 6, with 10 and 16 channels.

    """

    def __init__(self, *, image_size: int, num_channel_initial: int, depth: int) -> None:
        super().__init__()
        from monai.networks.nets.regunet import GlobalNet

        self.image_size = image_size
        self.net = GlobalNet(
            image_size=[image_size, image_size],
            spatial_dims=2,
            in_channels=2,
            num_channel_initial=num_channel_initial,
            depth=depth,
        )
        side = image_size // 2**depth
        n_features = num_channel_initial * 2**depth * side * side
        self.net.output_block = _CentredHead(n_features, half_width_px=image_size / 2)

    def forward(
        self,
        moving: Float[Tensor, "frame row column"],
        fixed: Float[Tensor, "frame row column"],
    ) -> Float[Tensor, "frame axis parameter"]:
        """Return the affine of each frame that lays `moving`, resampled, onto `fixed`.

        Parameters
        ----------
        moving
            Images with values 0-1. Rows and columns are one multiple of `image_size`.
        fixed
            What each should look like.

        Returns
        -------
        Float[Tensor, "frame axis parameter"]
            `[:, :, :2]` linear part minus identity about the image centre, `[:, :, 2]` shift in
            px. Axis 0 = row.

        """
        images = torch.stack([moving, fixed], dim=1)
        ratio = moving.shape[-1] // self.image_size
        affine: Tensor = self.net(functional.avg_pool2d(images, ratio) if ratio > 1 else images)
        return affine * affine.new_tensor([1.0, 1.0, ratio])


class _CentredHead(nn.Module):
    """Six numbers from the features of the lowest level; the identity before training."""

    def __init__(self, n_features: int, *, half_width_px: float) -> None:
        super().__init__()
        self.half_width_px = half_width_px
        self.fc = nn.Linear(n_features, 6)
        nn.init.zeros_(self.fc.weight)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x: list[Tensor], image_size: torch.Size) -> Tensor:
        """Take the features where MONAI's head would; the argument names are MONAI's."""
        del image_size
        parameters = FARTHEST * torch.tanh(self.fc(x[0].flatten(1)) / FARTHEST).reshape(-1, 2, 3)
        scale = parameters.new_tensor([1.0, 1.0, self.half_width_px])
        scaled: Tensor = parameters * scale
        return scaled
