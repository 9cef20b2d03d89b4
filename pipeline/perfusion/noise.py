"""What is not tissue in a tissue curve: white noise, blood that shines in, an uncertain baseline.

The image of the wall holds a few per cent of the neighbouring blood, by the finite resolution
(positive) and by ringing (either sign, the dark rim). Blood is six times as concentrated as muscle
and enhances before it, so 2 % of it moves the flow of a pixel by a fifth. The share is unknown and
differs from pixel to pixel; it enters as noise of the shape b of the arterial input. The baseline
is the mean of the n frames before contrast and carries their noise: an offset of all samples. So
the covariance of a curve is

    sigma² (1 + kappa b b' + 1 1' / n),   kappa = (tau / sigma)²

and generalised least squares (Aitken 1936, doi 10.1017/S0370164600014346) weighs with its inverse,
which is 1 minus a matrix of low rank (Woodbury).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.perfusion.interpolation import monotone_cubic

SHARE_SD = 0.02
"""tau: share of blood in a pixel of muscle."""
NOISE_SD_MMOL_L = 0.035
"""sigma: noise of concentration in a pixel at a signal-to-noise ratio of about 20."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whitening:
    """Inverse covariance over sigma²: 1 - V V'; float32."""

    lost: Float[Tensor, "time rank"]
    """V."""

    def inner(
        self, curves: Float[Tensor, "voxel curve time"]
    ) -> Float[Tensor, "voxel curve curve"]:
        """Return weighted inner products of the curves of each voxel with each other.

        One small product per voxel: its digits do not depend on how many voxels there are.
        """
        n_curves = curves.shape[1]
        every = torch.cat([curves, self.lost.T.expand(len(curves), -1, -1)], dim=1)
        plain = torch.bmm(every, curves.transpose(1, 2))
        seen = plain[:, n_curves:]
        return plain[:, :n_curves] - (seen[:, :, :, None] * seen[:, :, None, :]).sum(1)

    def weigh(self, curves: Float[Tensor, "voxel time"]) -> Float[Tensor, "voxel time"]:
        """Return curves times the inverse covariance."""
        result = curves
        for lost in self.lost.T:
            result = result - (curves * lost).sum(1, keepdim=True) * lost
        return result


def whitening(
    concentration_mmol_l: Float[Tensor, " sample"],
    sample_s: Float[Tensor, " sample"],
    at_s: Float[Tensor, " time"],
    *,
    offsets: Float[Tensor, "time curve"],
) -> Whitening:
    """Return the weights of curves sampled at `at_s`.

    Parameters
    ----------
    concentration_mmol_l
        Arterial concentration, zero before its first sample.
    sample_s
        Its sample times, s.
    at_s
        Sample times of the tissue, s.
    offsets
        What the noise of a baseline of one unit adds to each sample: one column per baseline that
        was subtracted, of height one over the root of its number of frames.

    """
    blood = blood_at(concentration_mmol_l, sample_s, at_s)
    shone = SHARE_SD / NOISE_SD_MMOL_L * blood
    spread = torch.cat([shone[:, None], offsets.to(blood)], dim=1)
    unit = torch.eye(spread.shape[1], dtype=blood.dtype, device=blood.device)
    inner = unit + spread.T @ spread
    root = torch.linalg.cholesky(torch.linalg.inv(inner))
    return Whitening(lost=(spread @ root).float())


def blood_at(
    concentration_mmol_l: Float[Tensor, " sample"],
    sample_s: Float[Tensor, " sample"],
    at_s: Float[Tensor, " time"],
) -> Float[Tensor, " time"]:
    """Return arterial concentration at the times of the tissue, zero before it begins; float64."""
    at_s = at_s.double()
    blood = monotone_cubic(concentration_mmol_l.double(), sample_s.double(), at_s)
    return torch.where(at_s < sample_s[0], 0.0, blood)
