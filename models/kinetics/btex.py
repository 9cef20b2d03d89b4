"""Plug-flow blood-tissue exchange: blood runs through the capillary and leaks on its way.

Sangren & Sheppard 1953 ("Exchange of a labeled substance between a liquid flowing in a vessel and
an external compartment"), a model of the kind that Xue 2019 (doi 10.1002/mrm.27954) uses for
myocardial perfusion, here without axial diffusion and without consumption:

    vb dcb/dt = -F L dcb/dx + PS (ci - cb),   vi dci/dt = PS (cb - ci)

The outflow after an impulse has the Laplace transform exp(-s T) exp(-g) exp(g k / (s + k)) with
T = vb/F, g = PS/F, k = PS/vi. Its last two factors are a Poisson(g) number of visits to the
interstitium, each of exponential length with rate k, so the washed-out fraction at time T + u is

    W(u) = sum_n Poisson(n; g) P(n, k u),   P(0, x) = 1,  P(n, x) = 1 - sum_(m<n) Poisson(m; x)

(P: regularised lower incomplete gamma function), a series of positive terms without quadrature.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class BloodTissueExchange:
    """Impulse response h(t) = F (1 - washed-out fraction); batched over all parameters alike.

    Feed whole-blood concentration with the volumes and PS divided by (1 - Hct).

    Parameters
    ----------
    flow_1_s
        F, ml of blood per ml of tissue per second, positive. Shape `(*batch)`.
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
        visits = (self._rate_1_s * after_s).clamp(min=0.0)
        washed = sum(weight * inside for weight, inside, _ in self._visits(visits))
        return self.flow_1_s[..., None] * torch.where(after_s < 0.0, 1.0, 1.0 - washed)

    def step(self, elapsed_s: Float[Tensor, "... elapsed"]) -> Float[Tensor, "*batch elapsed"]:
        """Return the integral of h, dimensionless."""
        visits = (self._rate_1_s * (elapsed_s - self._transit_s)).clamp(min=0.0)
        washed = sum(
            weight * (visits * inside - number * _next(inside, mass))
            for number, (weight, inside, mass) in enumerate(self._visits(visits))
        )
        return self.flow_1_s[..., None] * (elapsed_s - washed / self._rate_1_s)

    def ramp(self, elapsed_s: Float[Tensor, "... elapsed"]) -> Float[Tensor, "*batch elapsed"]:
        """Return the double integral of h, s."""
        visits = (self._rate_1_s * (elapsed_s - self._transit_s)).clamp(min=0.0)
        washed = torch.zeros_like(visits)
        for number, (weight, inside, mass) in enumerate(self._visits(visits)):
            once = _next(inside, mass)
            twice = _next(once, mass * visits / (number + 1))
            moment = visits**2 * inside - 2.0 * number * visits * once
            washed = washed + weight * (moment + number * (number + 1) * twice) / 2.0
        return self.flow_1_s[..., None] * (elapsed_s**2 / 2.0 - washed / self._rate_1_s**2)

    @property
    def _transit_s(self) -> Float[Tensor, "*batch 1"]:
        return (self.blood_volume / self.flow_1_s)[..., None]

    @property
    def _rate_1_s(self) -> Float[Tensor, "*batch 1"]:
        return (self.permeability_surface_1_s / self.interstitial_volume)[..., None]

    def _visits(self, x: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield Poisson(n; g), P(n, x) and Poisson(n; x) for n = 0, 1, ..."""
        mean = (self.permeability_surface_1_s / self.flow_1_s)[..., None]
        weight, mass, inside = torch.exp(-mean), torch.exp(-x), torch.ones_like(x)
        largest = float(mean.detach().max())
        for number in range(int(largest + 10.0 * largest**0.5) + 20):
            yield weight, inside, mass
            inside = _next(inside, mass)
            weight = weight * mean / (number + 1)
            mass = mass * x / (number + 1)


def _next(inside: Tensor, mass: Tensor) -> Tensor:
    """Return P(n + 1, x) = P(n, x) - Poisson(n; x)."""
    return (inside - mass).clamp(min=0.0)
