"""The Fermi function as an impulse response of the myocardium."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
"""B_2, B_4, ..., B_14: enough for 16 digits where the argument is at most log 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FermiResponse:
    """h(t) = F (1 + b) / (1 + b exp(k t)), b = exp(-k w), with exact integrals.

    Jerosch-Herold 1998 (doi 10.1118/1.598163), written so that h(0) = F is the flow. With
    x = k (w - t) the decay is sigmoid(x) / sigmoid(k w); the integral of sigmoid is log(1 + e^x)
    and the integral of that the dilogarithm -Li2(-e^x).

    Parameters
    ----------
    flow_1_s
        F, ml of blood per ml of tissue per second.
    decay_1_s
        k, 1/s, positive.
    width_s
        w, time until the decay sets in, s.

    """

    flow_1_s: Float[Tensor, "*batch"]
    decay_1_s: Float[Tensor, "*batch"]
    width_s: Float[Tensor, "*batch"]

    def response(self, elapsed_s: Float[Tensor, "... elapsed"]) -> Float[Tensor, "*batch elapsed"]:
        """Return h, 1/s."""
        return fermi_response(
            elapsed_s,
            flow_1_s=self.flow_1_s,
            decay_1_s=self.decay_1_s,
            width_s=self.width_s,
        )

    def step(self, elapsed_s: Float[Tensor, "... elapsed"]) -> Float[Tensor, "*batch elapsed"]:
        """Return the integral of h, dimensionless."""
        decay, start = self._decay_and_start()
        passed = _log_1_exp(start) - _log_1_exp(start - decay * elapsed_s)
        return self._height(start) * passed / decay

    def ramp(self, elapsed_s: Float[Tensor, "... elapsed"]) -> Float[Tensor, "*batch elapsed"]:
        """Return the double integral of h, s; its relative rounding grows as 1 / (k t)²."""
        decay, start = self._decay_and_start()
        passed = _dilogarithm(start) - _dilogarithm(start - decay * elapsed_s)
        return self._height(start) * (elapsed_s * _log_1_exp(start) - passed / decay) / decay

    def _decay_and_start(self) -> tuple[Tensor, Tensor]:
        """Return k and k w."""
        decay = self.decay_1_s[..., None]
        return decay, decay * self.width_s[..., None]

    def _height(self, start: Tensor) -> Tensor:
        return self.flow_1_s[..., None] / torch.sigmoid(start)


def fermi_response(
    elapsed_s: Float[Tensor, "... elapsed"],
    *,
    flow_1_s: Float[Tensor, "*batch"],
    decay_1_s: Float[Tensor, "*batch"],
    width_s: Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch elapsed"]:
    """Return h(t) of `FermiResponse`, 1/s.

    Parameters
    ----------
    elapsed_s
        Time after arrival (>= 0), s.
    flow_1_s, decay_1_s, width_s
        F, k and w of `FermiResponse`.

    """
    decay = decay_1_s[..., None]
    width = width_s[..., None]
    # sigmoid(k (w - t)) / sigmoid(k w) is the same ratio without overflow of exp(k t).
    plateau = torch.sigmoid(decay * (width - elapsed_s)) / torch.sigmoid(decay * width)
    return flow_1_s[..., None] * plateau


def _log_1_exp(x: Tensor) -> Tensor:
    """Return log(1 + e^x) to full precision; torch's `softplus` is linear above 20."""
    return torch.logaddexp(x, torch.zeros_like(x))


def _dilogarithm(x: Tensor) -> Tensor:
    """Return -Li2(-e^x), the integral of log(1 + e^x) from minus infinity.

    With p = log(1 + e^-|x|) <= log 2 it is p + p²/4 + sum_n B_n p^(n+1) / (n+1)! over even n for
    x <= 0 (Maximon 2003, doi 10.1098/rspa.2003.1156); above 0 by Li2(-e^x) + Li2(-e^-x) =
    -pi²/6 - x²/2.
    """
    p = _log_1_exp(torch.where(x > 0.0, -x, x))
    series = torch.zeros_like(p)
    for place in reversed(range(len(_BERNOULLI))):
        order = 2 * place + 3
        series = p**2 * series + _BERNOULLI[place] / math.factorial(order)
    below = p * (1.0 + p / 4.0 + p**2 * series)
    return torch.where(x > 0.0, math.pi**2 / 6.0 + x**2 / 2.0 - below, below)
