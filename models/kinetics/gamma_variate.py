"""The shape of a contrast bolus in blood."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


def gamma_variate(
    time_s: Float[Tensor, " time"], *, arrival_s: float, rise_s: float, shape: float
) -> Float[Tensor, " time"]:
    """Return g(t) = x^a exp(a (1 - x)), x = (t - arrival) / rise, with maximum 1 at x = 1.

    Madsen 1992 (doi 10.1088/0031-9155/37/7/010).

    Parameters
    ----------
    time_s
        Times, s.
    arrival_s
        When the bolus arrives, s; g is zero before.
    rise_s
        From arrival to the maximum, s.
    shape
        a, larger is narrower.

    """
    x = ((time_s - arrival_s) / rise_s).clamp(min=0.0)
    return x**shape * torch.exp(shape * (1.0 - x))


@dataclass(frozen=True, slots=True, kw_only=True)
class RecirculatingBolus:
    """First pass, one broad second pass, and a slowly cleared remainder.

    c(t) = peak [g1 + r2 g2 + rp (1 - exp(-(t - t2)/rise)) exp(-(t - t2)/Tc)]: g2 is g1 delayed and
    1.8 times as wide, the last term begins with the second pass at t2.

    Parameters
    ----------
    peak_mmol_l
        Maximum of the first pass, mmol/l.
    arrival_s, rise_s, shape
        First pass, see `gamma_variate`.
    recirculation_delay_s
        From arrival of the first pass to arrival of the second, s.
    recirculation_fraction
        Height of the second pass over that of the first.
    remainder_fraction
        Height of the remainder over the first pass.
    clearance_s
        Time constant with which the remainder leaves the blood, s.

    """

    peak_mmol_l: float
    arrival_s: float
    rise_s: float
    shape: float
    recirculation_delay_s: float
    recirculation_fraction: float
    remainder_fraction: float
    clearance_s: float

    def concentration_mmol_l(self, time_s: Float[Tensor, " time"]) -> Float[Tensor, " time"]:
        """Return the whole-blood concentration, mmol/l."""
        first = gamma_variate(
            time_s, arrival_s=self.arrival_s, rise_s=self.rise_s, shape=self.shape
        )
        second_s = self.arrival_s + self.recirculation_delay_s
        second = gamma_variate(
            time_s, arrival_s=second_s, rise_s=1.8 * self.rise_s, shape=self.shape
        )
        since_s = (time_s - second_s).clamp(min=0.0)
        mixing = -torch.expm1(-since_s / self.rise_s)
        remainder = mixing * torch.exp(-since_s / self.clearance_s)
        parts = self.recirculation_fraction * second + self.remainder_fraction * remainder
        return self.peak_mmol_l * (first + parts)
