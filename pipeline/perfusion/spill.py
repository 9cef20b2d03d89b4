"""Blood that shines into muscle: a filter that makes the fit nearly blind to it.

The share of blood in a pixel of muscle is unknown (see `noise`); it enters as noise with the shape
b of the arterial input and standard deviation tau, beside white noise sigma. Generalised least
squares with the covariance sigma² (1 + kappa b b'), kappa = (tau/sigma)², is ordinary least squares
after the filter

    P = 1 - g b b' / |b|²,   g = 1 - 1 / sqrt(1 + kappa |b|²)

(Aitken 1936, doi 10.1017/S0370164600014346; Sherman-Morrison for the square root).
"""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.perfusion.noise import NOISE_SD_MMOL_L, SHARE_SD, blood_at


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
    blood = blood_at(concentration_mmol_l, sample_s, at_s)
    power = blood.square().sum()
    kappa = (SHARE_SD / NOISE_SD_MMOL_L) ** 2
    strength = 1.0 - torch.rsqrt(1.0 + kappa * power)
    unit = torch.eye(blood.shape[0], dtype=torch.float64, device=blood.device)
    return unit - strength / power.clamp_min(1e-12) * torch.outer(blood, blood)
