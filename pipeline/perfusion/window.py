"""The first pass: from just before the arterial foot until the bolus has left the artery."""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.types import ArterialInput

_BEFORE_FOOT_S = 2.0
_PASSED_FRACTION = 0.3
"""The bolus has passed when the artery is back at this fraction of the peak: what follows is
recirculation and back-diffusion, which the response model leaves out."""
_LONGEST_AFTER_PEAK_S = 8.0
"""A slow bolus is cut here: what has crossed into the interstitium begins to come back after about
10 s (volume over PS: 0.2 ml/ml over 1.2 ml/min/ml), and the response model retains it."""
_SAMPLES_BEFORE_FOOT = 2


def first_pass_s(arterial_input: ArterialInput) -> tuple[float, float]:
    """Return start and end of the fit window on the clock of the exam, s."""
    curve, time_s = arterial_input.concentration_mmol_l, arterial_input.time_s
    peak, valley = arterial_input.peak, arterial_input.valley
    falling = curve[peak : valley + 1]
    passed = torch.nonzero(falling <= _PASSED_FRACTION * curve[peak])
    end = peak + int(passed[0]) if passed.numel() else valley
    end_s = min(float(time_s[end]), float(time_s[peak]) + _LONGEST_AFTER_PEAK_S)
    return float(time_s[arterial_input.foot]) - _BEFORE_FOOT_S, end_s


def arriving_bolus(
    arterial_input: ArterialInput,
) -> tuple[Float[Tensor, " time"], Float[Tensor, " time"]]:
    """Return concentration and time from just before the foot on.

    Earlier samples are zero by the meaning of the baseline; their noise would only be convolved.
    """
    start = max(arterial_input.foot - _SAMPLES_BEFORE_FOOT, 0)
    return arterial_input.concentration_mmol_l[start:], arterial_input.time_s[start:]
