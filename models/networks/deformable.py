"""A network that looks at two images and names the displacement of every pixel.

MONAI's LocalNet (Hu 2018, doi 10.1016/j.media.2018.07.002) as in the published pipeline: four
levels, additive up-sampling and skips, and the mean of one displacement per level.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class DeformableNetwork(nn.Module):
    """Displacement field that lays a moving image onto a fixed one.

    Parameters
    ----------
    num_channel_initial
        Channels at full resolution; each level down has twice as many. The paper has 16.
    n_levels
        Number of resolutions, all of which take part in the answer. The paper has 4.

    """

    def __init__(self, *, num_channel_initial: int, n_levels: int) -> None:
        super().__init__()
        from monai.networks.nets.regunet import LocalNet

        self.net = LocalNet(
            spatial_dims=2,
            in_channels=2,
            out_channels=2,
            num_channel_initial=num_channel_initial,
            extract_levels=tuple(range(n_levels)),  # type: ignore[arg-type]  # MONAI writes tuple[int]
            # The first answer is no displacement: a random one would fold.
            out_kernel_initializer="zeros",
        )

    def forward(
        self,
        moving: Float[Tensor, "frame row column"],
        fixed: Float[Tensor, "frame row column"],
    ) -> Float[Tensor, "frame axis row column"]:
        """Return the displacement of each frame, px, axis 0 = row.

        Parameters
        ----------
        moving
            Images with values 0-1, sides a multiple of `2 ** (n_levels - 1)`. Shape
            `(frame, row, column)`.
        fixed
            What each should look like.

        """
        images = torch.stack([moving, fixed], dim=1)
        field: Tensor = self.net(images.contiguous(memory_format=torch.channels_last))
        return field.contiguous()
