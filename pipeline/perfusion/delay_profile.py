"""One curve fitted at every delay, for where a single minimum would hide another."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.perfusion.btex import DELAY, FLOW, Belief
from pipeline.perfusion.btex_start import (
    Problem,
    begin,
    belief_prior,
    descend,
    make_dictionary,
    noise_variance,
)
from pipeline.perfusion.solver import Prior

PROFILE_STEP_S = 0.2
HELD_PRECISION = 1e4
"""A delay of a profile is held to 0.01 s."""
N_PROFILE = 25
MODEL_ERROR_FRACTION = 0.01
"""No model is true to better than this fraction of the height of a curve; the mean curve of a whole
heart has less noise than that and would be believed too much."""

PIXEL_SD = (0.6, 0.15, 0.3, 0.2, 0.15)
"""How much a pixel may differ from the whole heart in the log of flow (factor 1.8: a defect at half
flow lies little further away), volume, exchange and interstitium, and in arrival (s)."""
LEVEL_TOLERANCE, LEVEL_SD = 0.15, 0.1
"""How far, in log of flow, a whole heart may lie from what deconvolution without a model says until
it counts against it, and how soon it does. The level of the deconvolution scatters by about that
much over kinds of tissue; that of the fit, along its valley, by several times as much where a curve
happens to be ambiguous."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayProfile:
    """One curve fitted at every delay: what it says of the others, and how well."""

    parameters: Float[Tensor, "delay five"]
    variance: Float[Tensor, "delay five"]
    weight: Float[Tensor, " delay"]
    """Posterior probability of each delay (Laplace); they sum to one."""


def profile_delays(problem: Problem, tissue: Float[Tensor, " time"]) -> DelayProfile:
    """Fit one curve at each of many delays.

    Early arrival with low flow and late arrival with high flow look alike at one sample per beat,
    and the cost has a valley, at times two, between them. A single minimum hides that.

    Parameters
    ----------
    problem
        Weights, bounds and belief.
    tissue
        Concentration at `problem.at_s`, mmol/l, finite.

    """
    n_delays = round(float(problem.bounds.upper[DELAY]) / PROFILE_STEP_S) + 1
    curves = tissue.expand(n_delays, -1).contiguous()
    start, _ = begin(problem, make_dictionary(problem), curves)
    delays = PROFILE_STEP_S * torch.arange(n_delays, dtype=start.dtype, device=start.device)
    start[:, DELAY] = delays
    usual = belief_prior(problem.belief, start)
    held = Prior(
        centre=torch.cat([usual.centre[:, :DELAY], delays[:, None]], dim=1),
        precision=torch.cat(
            [usual.precision[:, :DELAY], torch.full_like(delays[:, None], HELD_PRECISION)], dim=1
        ),
    )
    floor = (MODEL_ERROR_FRACTION * tissue.amax()).square()
    rough = descend(problem, curves, start, held, floor.expand(n_delays), N_PROFILE)
    variance = torch.maximum(noise_variance(rough.residual * floor, curves).amin(), floor)
    variance = variance.expand(n_delays)
    last = descend(problem, curves, rough.parameters, held, variance, N_PROFILE)
    away = last.parameters - usual.centre
    cost = last.residual + (usual.precision * away.square()).sum(1)
    inverse = torch.linalg.inv(last.curvature.double())
    volume = torch.linalg.slogdet(inverse[:, :DELAY, :DELAY])[1]
    return DelayProfile(
        parameters=last.parameters.double(),
        variance=inverse.diagonal(dim1=1, dim2=2),
        weight=torch.softmax(0.5 * (volume - cost.double()), dim=0),
    )


def belief_from(profile: DelayProfile, level: float) -> Belief:
    """Return mean and spread over all delays, widened by how much pixels differ.

    Parameters
    ----------
    profile
        The mean curves fitted at every delay.
    level
        Log of the flow without a model, 1/s. Along the valley of the fit, from early with little
        flow to late with much, it says which end the heart is at; NaN says nothing.

    """
    weight = profile.weight[:, None]
    if math.isfinite(level):
        away = (profile.parameters[:, FLOW] - level).abs() - LEVEL_TOLERANCE
        away = away.clamp_min(0.0) / LEVEL_SD
        weight = torch.softmax(profile.weight.log() - 0.5 * away.square(), dim=0)[:, None]
    centre = (weight * profile.parameters).sum(0)
    away = (profile.parameters - centre).square()
    variance = (weight * (profile.variance + away)).sum(0)
    sd = (variance + variance.new_tensor(PIXEL_SD).square()).sqrt()
    flow, volume, surface, interstitium, delay = centre.tolist()
    return Belief(centre=(flow, volume, surface, interstitium, delay), sd=tuple(sd.tolist()))
