"""Responses that are sums of decaying exponentials, with exact integrals."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

_SERIES_BELOW = 0.1
_SERIES_TERMS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ExponentialResponse:
    """h(t) = sum_i A_i exp(-k_i t).

    Parameters
    ----------
    amplitude_1_s
        A, 1/s. Shape `(*batch, term)`.
    rate_1_s
        k >= 0, 1/s. Shape `(*batch, term)`.

    """

    amplitude_1_s: Float[Tensor, "*batch term"]
    rate_1_s: Float[Tensor, "*batch term"]

    def response(self, elapsed_s: Float[Tensor, "... elapsed"]) -> Float[Tensor, "*batch elapsed"]:
        """Return h, 1/s."""
        return self._sum(torch.exp(-self._exponent(elapsed_s)))

    def step(self, elapsed_s: Float[Tensor, "... elapsed"]) -> Float[Tensor, "*batch elapsed"]:
        """Return the integral of h: sum A t (1 - exp(-x)) / x with x = k t."""
        return elapsed_s * self._sum(_first_moment(self._exponent(elapsed_s)))

    def ramp(self, elapsed_s: Float[Tensor, "... elapsed"]) -> Float[Tensor, "*batch elapsed"]:
        """Return the double integral of h: sum A t^2 (x - 1 + exp(-x)) / x^2 with x = k t."""
        return elapsed_s**2 * self._sum(_second_moment(self._exponent(elapsed_s)))

    def _exponent(self, elapsed_s: Float[Tensor, "... elapsed"]) -> Tensor:
        """Return x = k t, one row per term."""
        return self.rate_1_s[..., None] * elapsed_s[..., None, :]

    def _sum(self, terms: Float[Tensor, "*batch term elapsed"]) -> Float[Tensor, "*batch elapsed"]:
        return (self.amplitude_1_s[..., None] * terms).sum(-2)


def _first_moment(x: Tensor) -> Tensor:
    divisor = torch.where(x < _SERIES_BELOW, 1.0, x)
    return torch.where(x < _SERIES_BELOW, _series(x, order=1), -torch.expm1(-x) / divisor)


def _second_moment(x: Tensor) -> Tensor:
    divisor = torch.where(x < _SERIES_BELOW, 1.0, x)
    return torch.where(x < _SERIES_BELOW, _series(x, order=2), (x + torch.expm1(-x)) / divisor**2)


def _series(x: Tensor, *, order: int) -> Tensor:
    """Return sum_n (-x)^n / (n + order)!, where the closed forms lose digits."""
    # Powers of a large x overflow, and a branch not taken still passes its NaN to the gradient.
    small = x.clamp(max=_SERIES_BELOW)
    total = torch.zeros_like(x)
    for power in reversed(range(_SERIES_TERMS)):
        total = 1.0 / math.factorial(power + order) - small * total
    return total
