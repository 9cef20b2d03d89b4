"""Extended Tofts: blood that is seen at once, and leakage. It does not identify flow."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from models.kinetics.exponential import ExponentialResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendedTofts:
    """h(t) = vp delta(t) + Ktrans exp(-kep t), kep = Ktrans/ve.

    Tofts 1997 (doi 10.1002/jmri.1880070113); Sourbron & Buckley 2011 (doi 10.1002/mrm.22861) on
    what it measures: the limit of exchange models for flow so fast that blood is everywhere as in
    the artery, or for no exchange at all. Flow is no parameter of it and cannot be had from it:
    Ktrans is F PS/(F + PS) at best. It is here to check units and convolution against published
    numbers and as a tissue that a flow fit must doubt, never for a flow map.

    Parameters
    ----------
    transfer_1_s
        Ktrans, 1/s.
    plasma_volume
        vp, ml/ml.
    interstitial_volume
        ve, ml/ml, positive.

    """

    transfer_1_s: Float[Tensor, "*batch"]
    plasma_volume: Float[Tensor, "*batch"]
    interstitial_volume: Float[Tensor, "*batch"]

    def step(self, elapsed_s: Float[Tensor, "... elapsed"]) -> Float[Tensor, "*batch elapsed"]:
        """Return the integral of h from just before 0, dimensionless; vp at 0."""
        volume: Tensor = self.plasma_volume[..., None]
        return volume + self._leakage().step(elapsed_s)

    def ramp(self, elapsed_s: Float[Tensor, "... elapsed"]) -> Float[Tensor, "*batch elapsed"]:
        """Return the double integral of h, s."""
        return self.plasma_volume[..., None] * elapsed_s + self._leakage().ramp(elapsed_s)

    def _leakage(self) -> ExponentialResponse:
        rate = self.transfer_1_s / self.interstitial_volume
        return ExponentialResponse(
            amplitude_1_s=torch.stack([self.transfer_1_s], -1), rate_1_s=torch.stack([rate], -1)
        )
