"""A network that looks at two images and names the affine map between them.

MONAI's GlobalNet (Hu 2018, doi 10.1016/j.media.2018.07.002), as in the published pipeline, with
one change: its last layer speaks of the image centre and not of the first pixel, so that turning
an image does not also throw it aside, and of half image widths, so that one step of the optimiser
means a like distance for shift and shape.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class AffineNetwork(nn.Module):
    """Affine map of a moving image onto a fixed one.

    Parameters
    ----------
    image_size
        Side of the square images, px; a multiple of 2 to the power of `depth`.
    num_channel_initial
        Channels at full resolution; each level down has twice as many.
    depth
        How often resolution is halved. The paper has 6, with 10 and 16 channels.

    """

    def __init__(self, *, image_size: int, num_channel_initial: int, depth: int) -> None:
        super().__init__()
        from monai.networks.nets.regunet import GlobalNet

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
            Images with values 0-1. Shape `(frame, row, column)`.
        fixed
            What each should look like.

        Returns
        -------
        Float[Tensor, "frame axis parameter"]
            `[:, :, :2]` linear part minus identity about the image centre, `[:, :, 2]` shift in
            px. Axis 0 = row.

        """
        affine: Tensor = self.net(torch.stack([moving, fixed], dim=1))
        return affine


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
        parameters = self.fc(x[0].flatten(1)).reshape(-1, 2, 3)
        scale = parameters.new_tensor([1.0, 1.0, self.half_width_px])
        scaled: Tensor = parameters * scale
        return scaled
