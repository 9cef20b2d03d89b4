"""The network that makes frames comparable: features that match where the heart is the same.

Two frames of a series differ in contrast, so their pixels cannot be compared; edges can, but every
edge counts alike, of the heart or of the chest. This network turns a frame, seen by itself, into a
few feature maps whose correlation over all shifts peaks at the true shift of the left ventricle.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.networks.anatomy import normalised, to_series_scale
from models.networks.blocks import Trunk

N_INPUTS = 2
FIRST_SHARPNESS = 3.5


class MatchingNetwork(Trunk):
    """Small U-Net from a frame to features.

    Parameters
    ----------
    width
        Channels at half resolution; doubled at each coarser level.
    n_levels
        Levels below full resolution.
    n_features
        Feature maps.

    """

    def __init__(self, *, width: int = 8, n_levels: int = 3, n_features: int = 4) -> None:
        super().__init__(N_INPUTS, width=width, n_levels=n_levels)
        self.head = nn.Conv2d(width, n_features, 3, padding=1)
        self.sharpness = nn.Parameter(torch.tensor(FIRST_SHARPNESS))
        """Logarithm of what a correlation of one is worth in logits; used in training."""

    def forward(
        self, inputs: Float[Tensor, "frame channel row column"]
    ) -> Float[Tensor, "frame feature row column"]:
        """Return the features of frames.

        Parameters
        ----------
        inputs
            What `matching_inputs` makes of frames. Rows and columns are multiples of `multiple`.

        """
        features: Tensor = self.head(self.features(inputs))
        return features


def matching_inputs(
    frames: Float[Tensor, "time row column"], n_proton_density: int
) -> Float[Tensor, "time channel row column"]:
    """Return what the network sees: each frame in its own scale and in that of the series.

    Parameters
    ----------
    frames
        Heart region, any unit. Shape `(time, row, column)`.
    n_proton_density
        Frames at the start without saturation pulse; they have a scale of their own.

    """
    parts = frames[:n_proton_density], frames[n_proton_density:]
    scaled = torch.cat([to_series_scale(part) for part in parts])
    return torch.stack([normalised(frames), scaled], dim=1)


def standardised(
    features: Float[Tensor, "frame feature row column"], weight: Float[Tensor, "row column"]
) -> Float[Tensor, "frame feature row column"]:
    """Take the weighted mean off each map, weigh, and bring each frame to unit length."""
    mean = (features * weight).sum(dim=(2, 3), keepdim=True) / weight.sum().clamp_min(1e-12)
    weighed = (features - mean) * weight
    size = weighed.flatten(1).norm(dim=1)[:, None, None, None]
    unit: Tensor = weighed / size.clamp_min(1e-12)
    return unit


def correlation(
    spectrum: Tensor, others: Tensor, shape: tuple[int, int]
) -> Float[Tensor, "other row column"]:
    """Return the correlation of a frame with others over all shifts, zero shift first.

    Parameters
    ----------
    spectrum
        `rfft2` of the features of a frame, `(feature, row, half)`, or of one frame for each other.
    others
        The same of the others, `(other, feature, row, half)`.
    shape
        Rows and columns.

    """
    turned = spectrum.conj().resolve_conj()
    product = turned[..., 0, :, :] * others[:, 0]
    for feature in range(1, others.shape[1]):  # a sum over an inner axis takes a third longer
        product.addcmul_(turned[..., feature, :, :], others[:, feature])
    surface: Tensor = torch.fft.irfft2(product, s=shape)
    return surface


def near(surface: Float[Tensor, "pair row column"], reach: int) -> Float[Tensor, "pair side side"]:
    """Cut shifts of up to `reach` px out of a correlation; zero shift is in the middle."""
    around = torch.arange(-reach, reach + 1, device=surface.device)
    return surface[:, around % surface.shape[1]][:, :, around % surface.shape[2]]
