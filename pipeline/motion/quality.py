"""Label-free figures of a registration, measured in the heart region.

All are relative to the signal itself, so a scanner's gain does not change them. Images are
blurred a little before they are compared: otherwise the slight blur of resampling alone would
look like an improvement.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from models.smoothing import smooth
from pipeline.motion.compose import jacobian_determinant, magnitude
from pipeline.types import MotionQuality

BLUR_PX = 1.0
REGION_PX = 4
"""Side of the square regions whose curves are judged, px of the heart crop."""
LIVELY_FRACTION = 0.25
"""Regions whose curve spans less than this fraction of the widest span are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Figures of one series; lower is better for the first two."""

    roughness: float
    pca_metric: float
    sharpness: float


def figures(
    frames: Float[Tensor, "time row column"],
    weight: Float[Tensor, "row column"],
    n_proton_density: int,
) -> Figures:
    """Measure one series of the heart region.

    Parameters
    ----------
    frames
        Heart crop. Shape `(time, row, column)`.
    weight
        Heart window, 0-1; pixels above one half count.
    n_proton_density
        Frames at the start that belong to no curve.

    """
    blurred = smooth(frames, BLUR_PX)
    return Figures(
        roughness=roughness(blurred[n_proton_density:], weight),
        pca_metric=pca_metric(blurred, weight),
        sharpness=sharpness(frames[n_proton_density:], weight),
    )


def motion_quality(
    before: Figures, after: Figures, displacement: Float[Tensor, "time axis row column"]
) -> MotionQuality:
    """Join the figures of original and corrected series with those of the field."""
    folded = jacobian_determinant(displacement) <= 0
    return MotionQuality(
        roughness_before=before.roughness,
        roughness_after=after.roughness,
        pca_metric_before=before.pca_metric,
        pca_metric_after=after.pca_metric,
        sharpness_before=before.sharpness,
        sharpness_after=after.sharpness,
        folded_fraction=float(folded.double().mean()),
        mean_displacement_px=float(magnitude(displacement).mean()),
    )


def roughness(
    frames: Float[Tensor, "time row column"], weight: Float[Tensor, "row column"]
) -> float:
    """Return how much the curves of small regions jerk from beat to beat, over their span.

    Median over time of the size of the second difference, median over regions. Medians, because
    one ectopic beat or the bolus itself would hide everything else in a mean.
    """
    if len(frames) < 3:
        return 0.0
    curves = _regions(frames)[:, _regions(weight[None])[0] > 0.5]
    if curves.shape[1] == 0:
        return 0.0
    span = curves.amax(dim=0) - curves.amin(dim=0)
    lively = (span > LIVELY_FRACTION * span.amax()) & (span > 0)
    if not bool(lively.any()):
        return 0.0
    bend = curves[2:] - 2 * curves[1:-1] + curves[:-2]
    return float((bend.abs().median(dim=0).values / span)[lively].median())


def pca_metric(
    frames: Float[Tensor, "time row column"], weight: Float[Tensor, "row column"]
) -> float:
    """Return D_PCA2 = sum_i i lambda_i of the correlation matrix of the frames.

    Eigenvalues in falling order (Huizinga 2016, doi 10.1016/j.media.2015.12.004). The better the
    frames lie on each other, the more the first components explain.
    """
    pixels = frames[:, weight > 0.5].double()
    if pixels.shape[1] < 2:
        return 0.0
    pixels = pixels - pixels.mean(dim=1, keepdim=True)
    pixels = pixels / pixels.norm(dim=1, keepdim=True).clamp_min(1e-12)
    values = torch.linalg.eigvalsh(pixels @ pixels.T).flip(0).clamp_min(0)
    rank = torch.arange(1, len(values) + 1, dtype=values.dtype, device=values.device)
    return float((rank * values).sum())


def sharpness(
    frames: Float[Tensor, "time row column"], weight: Float[Tensor, "row column"]
) -> float:
    """Return the mean gradient of the temporal mean image over its mean level, 1/px."""
    if len(frames) == 0:
        return 0.0
    mean = frames.mean(dim=0)
    row_slope, column_slope = torch.gradient(mean)
    level = float((mean * weight).sum())
    if level <= 0:
        return 0.0
    return float((torch.hypot(row_slope, column_slope) * weight).sum()) / level


def _regions(frames: Float[Tensor, "time row column"]) -> Float[Tensor, "time new_row new_column"]:
    """Average squares of pixels."""
    return torch.nn.functional.avg_pool2d(frames[:, None], REGION_PX)[:, 0]
