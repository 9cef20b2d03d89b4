"""A published population curve of contrast in arterial blood."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

_AREA_MMOL_MIN_L = (0.809, 0.330)
_WIDTH_MIN = (0.0563, 0.132)
_CENTRE_MIN = (0.17046, 0.365)
_REMAINDER_MMOL_L = 1.050
_CLEARANCE_1_MIN = 0.1685
_MIXING_1_MIN = 38.078
_MIXING_MIN = 0.483


def parker_bolus(time_s: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return the whole-blood concentration, mmol/l, at times from the arrival of the bolus.

    Parker 2006 (doi 10.1002/mrm.21066), with t in minutes:

        c(t) = sum_n A_n / (s_n sqrt(2 pi)) exp(-(t - T_n)² / (2 s_n²))
               + alpha exp(-beta t) / (1 + exp(-s (t - tau)))

    An injection into an arm vein, measured in the aorta of the body at 5 s per image: broader than
    the bolus of a heart examination. It serves comparisons, not as a stand-in for a measurement.

    Parameters
    ----------
    time_s
        Time after arrival, s; the curve is zero before.

    """
    time_min = time_s / 60.0
    remainder = _REMAINDER_MMOL_L * torch.exp(-_CLEARANCE_1_MIN * time_min)
    curve = remainder * torch.sigmoid(_MIXING_1_MIN * (time_min - _MIXING_MIN))
    for area, width, centre in zip(_AREA_MMOL_MIN_L, _WIDTH_MIN, _CENTRE_MIN, strict=True):
        height = area / (width * math.sqrt(2.0 * math.pi))
        curve = curve + height * torch.exp(-(((time_min - centre) / width) ** 2) / 2.0)
    return torch.where(time_s < 0.0, 0.0, curve)
