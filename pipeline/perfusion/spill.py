"""Blood that shines into muscle: a filter that makes the fit nearly blind to it.

The image of the wall holds a few per cent of the neighbouring blood, by the finite resolution
(positive) and by ringing (either sign, the dark rim). Blood is six times as concentrated as muscle
and enhances before it, so 2 % of it moves the flow of a pixel by a fifth. The share is unknown and
differs from pixel to pixel; it enters as noise with the shape b of the arterial input and standard
deviation tau, beside white noise sigma. Generalised least squares with the covariance
sigma² (1 + kappa b b'), kappa = (tau/sigma)², is ordinary least squares after the filter

    P = 1 - g b b' / |b|²,   g = 1 - 1 / sqrt(1 + kappa |b|²)

(Aitken 1936, doi 10.1017/S0370164600014346; Sherman-Morrison for the square root).
"""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.perfusion.interpolation import monotone_cubic

_SHARE_SD = 0.02
"""tau: share of blood in a pixel of muscle."""
_NOISE_SD_MMOL_L = 0.035
"""sigma: noise of concentration in a pixel at a signal-to-noise ratio of about 20."""


def spill_filter(
    concentration_mmol_l: Float[Tensor, " sample"],
    sample_s: Float[Tensor, " sample"],
    at_s: Float[Tensor, " time"],
) -> Float[Tensor, "time time"]:
    """Return P for curves sampled at `at_s`; symmetric, float64.

    Parameters
    ----------
    concentration_mmol_l
        Arterial concentration, zero before its first sample.
    sample_s
        Its sample times, s.
    at_s
        Sample times of the tissue, s.

    """
    at_s = at_s.double()
    blood = monotone_cubic(concentration_mmol_l.double(), sample_s.double(), at_s)
    blood = torch.where(at_s < sample_s[0], 0.0, blood)
    power = blood.square().sum()
    kappa = (_SHARE_SD / _NOISE_SD_MMOL_L) ** 2
    strength = 1.0 - torch.rsqrt(1.0 + kappa * power)
    unit = torch.eye(at_s.shape[0], dtype=torch.float64, device=at_s.device)
    return unit - strength / power.clamp_min(1e-12) * torch.outer(blood, blood)
