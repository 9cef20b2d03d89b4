"""The network that outlines the heart in a corrected series.

It sees the whole series at once, as the few images of `models.networks.summary`, and tells for
every pixel how much of it is left ventricle (all inside the endocardium), myocardium and blood of
the right ventricle, and where the right ventricle is inserted into the left one.
"""

from jaxtyping import Float
from torch import Tensor, nn

from models.networks.blocks import Trunk
from models.networks.summary import N_CHANNELS

TISSUES = ("elsewhere", "left ventricle", "myocardium", "right ventricle")
"""The classes of `Outline.shares`, in order."""
_RARE = -4.0
"""Logit that insertions start from: there are two of them in an image."""


class SegmentationNetwork(Trunk):
    """U-Net that outlines the heart in a whole corrected series.

    Parameters
    ----------
    width
        Channels at half resolution; doubled at each coarser level.
    n_levels
        Levels below full resolution.

    """

    def __init__(self, *, width: int = 24, n_levels: int = 4) -> None:
        super().__init__(N_CHANNELS, width=width, n_levels=n_levels)
        self.head = nn.Sequential(
            nn.Conv2d(width, width // 2, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width // 2, width // 2, 3, padding=1),
            nn.ReLU(),
        )
        self.tissues = nn.Conv2d(width // 2, len(TISSUES), 1)
        self.insertions = nn.Conv2d(width // 2, 1, 1)
        nn.init.constant_(self.insertions.bias, _RARE)  # type: ignore[arg-type]  # there is a bias

    def forward(
        self, inputs: Float[Tensor, "series channel row column"]
    ) -> tuple[Float[Tensor, "series tissue row column"], Float[Tensor, "series row column"]]:
        """Return logits of the classes of `TISSUES`, and of the insertions of the right ventricle.

        Parameters
        ----------
        inputs
            What `summarise` makes of each series. Rows and columns are multiples of `multiple`.

        """
        features = self.head(self.features(inputs))
        return self.tissues(features), self.insertions(features)[:, 0]
