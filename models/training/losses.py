"""How well two images agree, and how smooth a field is: what training without labels looks at.

All similarities are means over the batch, larger for more alike images; a blank image is unlike
everything and has no gradient, instead of dividing by zero.
"""

from jaxtyping import Float
from monai.losses.image_dissimilarity import (
    GlobalMutualInformationLoss,
    LocalNormalizedCrossCorrelationLoss,
)
from torch import Tensor

N_BINS = 23
STRIDE_PX = 3
"""A ninth of the pixels fills a histogram as well, and histograms are most of the work."""
SMALLEST = 1e-8
BLANK = 1e-8
"""Product of two variances, for values of 0-1, below which an image shows nothing."""
WINDOW_PX = 19
MIN_WINDOW_VARIANCE = 1e-3
"""Sum of squares below which a window counts as empty, for values of 0-1."""


def correlation(
    first: Float[Tensor, "frame row column"], second: Float[Tensor, "frame row column"]
) -> Float[Tensor, ""]:
    """Return normalised cross-correlation over the whole image, -1 to 1.

    NCC = sum (a - mean a)(b - mean b) / sqrt(sum (a - mean a)^2 sum (b - mean b)^2).
    """
    a = first.flatten(1) - first.flatten(1).mean(dim=1, keepdim=True)
    b = second.flatten(1) - second.flatten(1).mean(dim=1, keepdim=True)
    power = a.square().mean(dim=1) * b.square().mean(dim=1)
    return ((a * b).mean(dim=1) / power.clamp_min(BLANK).sqrt()).mean()


def normalised_mutual_information(
    first: Float[Tensor, "frame row column"],
    second: Float[Tensor, "frame row column"],
    *,
    stride_px: int = 1,
) -> Float[Tensor, ""]:
    """Return (H(A) + H(B)) / H(A, B) of values 0-1: 1 when independent, 2 when one tells the other.

    Studholme 1999 (doi 10.1016/S0031-3203(98)00091-0); histograms by Gaussian Parzen windows of
    half a bin. Windows overlap, so 2 is not quite reached.

    Parameters
    ----------
    first
        Images; values outside 0-1 are clamped.
    second
        Others of the same shape.
    stride_px
        Every how many pixels along each axis one is counted.

    """
    windows = GlobalMutualInformationLoss(num_bins=N_BINS)
    counted = [images[:, ::stride_px, ::stride_px] for images in (first, second)]
    first_share, first_total, second_share, second_total = windows.parzen_windowing(*counted)
    joint = first_share.transpose(1, 2) @ second_share / first_share.shape[1]
    apart = _entropy(first_total) + _entropy(second_total)
    return (apart / _entropy(joint).clamp_min(SMALLEST)).mean()


def local_correlation(
    first: Float[Tensor, "frame row column"], second: Float[Tensor, "frame row column"]
) -> Float[Tensor, ""]:
    """Return the squared correlation in windows of 19 px, mean over the image, 0 to 1."""
    loss = LocalNormalizedCrossCorrelationLoss(
        spatial_dims=2, kernel_size=WINDOW_PX, smooth_dr=MIN_WINDOW_VARIANCE
    )
    value: Tensor = -loss(first[:, None], second[:, None])
    return value


def bending_energy(field: Float[Tensor, "frame axis row column"]) -> Float[Tensor, ""]:
    """Return the mean over pixels of d²u/dr² squared + d²u/dc² squared + 2 (d²u/drdc) squared.

    Parameters
    ----------
    field
        Displacement, px; a translation or affine costs nothing.

    """
    # MONAI's loss of this name now takes neighbours where the publication took every other pixel.
    rows, columns = _slope(field, 2), _slope(field, 3)
    bends = _slope(rows, 2).square() + _slope(columns, 3).square() + 2 * _slope(rows, 3).square()
    return bends.mean()


def low_rank_loss(
    warped: tuple[Float[Tensor, "frame row column"], Float[Tensor, "frame row column"]],
    fixed: tuple[Float[Tensor, "frame row column"], Float[Tensor, "frame row column"]],
) -> Float[Tensor, ""]:
    """Return the loss of the first published step; lower is better.

    L = -0.5 NCC(L_F, T L_M) - 0.25 NMI(L_F, T I_M) - 0.25 NMI(I_F, T L_M), with images I, their
    low-rank parts L, moving M warped by T, and fixed F (Schueler 2026, arXiv 2510.00723).

    Parameters
    ----------
    warped
        Moving image and its low-rank part, both resampled.
    fixed
        Fixed image and its low-rank part.

    """
    (image, low_rank), (fixed_image, fixed_low_rank) = warped, fixed
    return -(
        0.5 * correlation(fixed_low_rank, low_rank)
        + 0.25 * normalised_mutual_information(fixed_low_rank, image, stride_px=STRIDE_PX)
        + 0.25 * normalised_mutual_information(fixed_image, low_rank, stride_px=STRIDE_PX)
    )


def _slope(
    field: Float[Tensor, "frame axis row column"], dim: int
) -> Float[Tensor, "frame axis inner_row inner_column"]:
    """Return the central difference along one axis; the border of both is cut off."""
    inside = [slice(None), slice(None), slice(1, -1), slice(1, -1)]
    after, before = inside.copy(), inside.copy()
    after[dim], before[dim] = slice(2, None), slice(None, -2)
    return 0.5 * (field[tuple(after)] - field[tuple(before)])


def _entropy(probability: Float[Tensor, "frame ..."]) -> Float[Tensor, " frame"]:
    flat = probability.flatten(1)
    return -(flat * flat.clamp_min(SMALLEST).log()).sum(dim=1)
