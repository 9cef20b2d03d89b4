"""Tissue homogeneity in its adiabatic approximation: plug flow, then one mixed interstitium."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from models.kinetics.exponential import ExponentialResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class TissueHomogeneity:
    """h(t) = F for t < T, F E exp(-k (t - T)) after; T = vb/F, E = 1 - exp(-PS/F), k = E F/vi.

    St Lawrence & Lee 1998 (doi 10.1097/00004647-199812000-00011). Beside plug-flow exchange it
    lacks the return of agent from tissue to the same capillary.

    Parameters
    ----------
    flow_1_s
        F, ml/ml/s, positive.
    blood_volume
        vb, ml/ml, positive.
    interstitial_volume
        vi, ml/ml, positive.
    permeability_surface_1_s
        PS, ml/ml/s, positive.

    """

    flow_1_s: Float[Tensor, "*batch"]
    blood_volume: Float[Tensor, "*batch"]
    interstitial_volume: Float[Tensor, "*batch"]
    permeability_surface_1_s: Float[Tensor, "*batch"]

    def response(self, elapsed_s: Float[Tensor, "... elapsed"]) -> Float[Tensor, "*batch elapsed"]:
        """Return h, 1/s."""
        after_s = elapsed_s - self._transit_s
        tail = self._tail().response(after_s.clamp(min=0.0))
        return torch.where(after_s < 0.0, self.flow_1_s[..., None], tail)

    def step(self, elapsed_s: Float[Tensor, "... elapsed"]) -> Float[Tensor, "*batch elapsed"]:
        """Return the integral of h, dimensionless."""
        after_s = (elapsed_s - self._transit_s).clamp(min=0.0)
        return self.flow_1_s[..., None] * (elapsed_s - after_s) + self._tail().step(after_s)

    def ramp(self, elapsed_s: Float[Tensor, "... elapsed"]) -> Float[Tensor, "*batch elapsed"]:
        """Return the double integral of h, s."""
        after_s = (elapsed_s - self._transit_s).clamp(min=0.0)
        plateau = (elapsed_s**2 - after_s**2) / 2.0
        return self.flow_1_s[..., None] * plateau + self._tail().ramp(after_s)

    @property
    def _transit_s(self) -> Float[Tensor, "*batch 1"]:
        return (self.blood_volume / self.flow_1_s)[..., None]

    def _tail(self) -> ExponentialResponse:
        crossed = -self.flow_1_s * torch.expm1(-self.permeability_surface_1_s / self.flow_1_s)
        rate = crossed / self.interstitial_volume
        return ExponentialResponse(
            amplitude_1_s=torch.stack([crossed], -1), rate_1_s=torch.stack([rate], -1)
        )
