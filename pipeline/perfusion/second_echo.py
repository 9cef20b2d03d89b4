"""What a second echo tells: how much of the first one T2* has taken.

R2*(t) = ln(S0 / S1) / (TE1 - TE0). At the peak of the bolus the two signals are far above the
noise and the quotient is taken as it is; before contrast it would be mostly noise. So R2* is a
random walk in time, weighted by how well each beat knows it (Whittaker 1923).
"""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.perfusion.pool_signal import PoolSignal

_WALK_1_S = 20.0
"""Change of R2* in one second, standard deviation: T2* falls to about 10 ms within a rise of five
seconds (Kellman 2017, doi 10.1186/s12968-017-0355-5)."""
_LEAST_NOISE = 1e-3
"""Relative noise of a pool that no image is better than."""


def decay_1_s(
    first: PoolSignal,
    second: PoolSignal,
    *,
    time_s: Float[Tensor, " time"],
    spacing_s: float,
) -> Float[Tensor, " time"]:
    """Return R2* of a pool in every beat, 1/s.

    Parameters
    ----------
    first, second
        Signals of the same pixels at the two echoes, over the same reference.
    time_s
        Times of the beats, s.
    spacing_s
        Time between the echoes, s.

    """
    early, late = first.curve, second.curve
    seen = (early > 0) & (late > 0)
    quotient = torch.where(seen, early / late.clamp_min(1e-12), 1.0).clamp_min(1e-12)
    noise = max(first.noise, second.noise) / max(first.n_pixels, 1) ** 0.5
    variance = sum(
        (noise / curve.clamp_min(1e-12)).square() + _LEAST_NOISE**2 for curve in (early, late)
    )
    weight = torch.where(seen, spacing_s**2 / variance, 0.0)
    return _walk(quotient.log() / spacing_s, weight, time_s)


def _walk(
    measured: Float[Tensor, " time"], weight: Float[Tensor, " time"], time_s: Float[Tensor, " time"]
) -> Float[Tensor, " time"]:
    """Return x that minimises sum w (x - measured)^2 + sum (dx)^2 / (walk^2 dt)."""
    n_beats = len(measured)
    step = torch.eye(n_beats, dtype=torch.float64, device=measured.device).diff(dim=0)
    stiffness = 1.0 / (_WALK_1_S**2 * time_s.double().diff())
    system = torch.diag(weight) + step.T @ (stiffness[:, None] * step)
    tiny = 1e-12 * system.diagonal().max()
    regular = system + tiny * torch.eye(n_beats).to(system)
    solved: Tensor = torch.linalg.solve(regular, weight * measured)
    return solved
