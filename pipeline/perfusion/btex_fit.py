"""Fit plug-flow exchange to many voxels: dictionary, then bounded descent, then its error.

The most probable parameters under white noise, shining-in blood, an uncertain baseline (`noise`)
and what is known of tissue beforehand (`btex`) are found from the best entry of a small dictionary
by Levenberg-Marquardt. The curvature there gives the standard error of flow (Laplace).

Where the mean curve of the neighbourhood of each voxel is given, its own fit becomes the prior of
the voxel for all but flow: empirical Bayes. Volume, exchange and arrival change slowly along the
wall, and a single noisy curve hardly tells them apart from flow.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.perfusion.btex import FLOW
from pipeline.perfusion.btex_start import (
    BATCH,
    Dictionary,
    Problem,
    begin,
    belief_prior,
    descend,
    make_dictionary,
    noise_variance,
)
from pipeline.perfusion.solver import Prior, Solution, variance_of

N_FIRST = 5
N_SECOND = 12
N_SHARED = 8
NEIGHBOUR_SD = (float("inf"), 0.15, 0.25, 0.2, 0.15)
"""How much a voxel may differ from its neighbourhood in the log of volume, exchange and
interstitium, and in arrival (s)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeFit:
    """Result of the fit, one entry per voxel."""

    parameters: Float[Tensor, "voxel five"]
    log_flow_variance: Float[Tensor, " voxel"]
    residual: Float[Tensor, " voxel"]
    """Sum of squares as weighted, (mmol/l)²."""
    at_bound: Bool[Tensor, " voxel"]


def fit_exchange(
    problem: Problem,
    tissue: Float[Tensor, "voxel time"],
    shared: Float[Tensor, "voxel time"] | None,
) -> ExchangeFit:
    """Fit all voxels, batch by batch.

    Parameters
    ----------
    problem
        What all voxels share.
    tissue
        Concentration at `problem.at_s`, mmol/l, finite.
    shared
        Mean curve of the neighbourhood of each voxel; None leaves each voxel to itself.

    """
    dictionary = make_dictionary(problem)
    parts = []
    for start in range(0, tissue.shape[0], BATCH):
        some = slice(start, start + BATCH)
        beside = None if shared is None else shared[some]
        parts.append(_fit_batch(problem, dictionary, tissue[some], beside))
    return ExchangeFit(
        parameters=torch.cat([part.parameters for part in parts]),
        log_flow_variance=torch.cat([part.log_flow_variance for part in parts]),
        residual=torch.cat([part.residual for part in parts]),
        at_bound=torch.cat([part.at_bound for part in parts]),
    )


def _fit_batch(
    problem: Problem, dictionary: Dictionary, tissue: Tensor, shared: Tensor | None
) -> ExchangeFit:
    if shared is None:
        start, variance = begin(problem, dictionary, tissue)
        first = descend(
            problem, tissue, start, belief_prior(problem.belief, start), variance, N_FIRST
        )
        variance = noise_variance(first.residual * variance, tissue)
        last = descend(
            problem,
            tissue,
            first.parameters,
            belief_prior(problem.belief, start),
            variance,
            N_SECOND,
        )
        return _answer(last, variance)
    start, variance = begin(problem, dictionary, shared)
    around = descend(
        problem, shared, start, belief_prior(problem.belief, start), variance, N_SECOND
    )
    start = _rescaled(problem, tissue, around.parameters)
    residual = _residual(problem, tissue, start)
    variance = noise_variance(residual, tissue)
    near = Prior(
        centre=around.parameters,
        precision=start.new_tensor([sd**-2 for sd in NEIGHBOUR_SD]).expand_as(start),
    )
    return _answer(descend(problem, tissue, start, near, variance, N_SHARED), variance)


def _rescaled(problem: Problem, tissue: Tensor, parameters: Tensor) -> Tensor:
    """Return the parameters of the neighbourhood with flow and volume scaled to the voxel."""
    curve = problem.curves(parameters)[:, -1]
    weighed = problem.weights.weigh(curve)
    scale = (weighed * tissue).sum(1) / (weighed * curve).sum(1).clamp_min(1e-12)
    moved = parameters.clone()
    moved[:, FLOW] += scale.clamp(0.2, 3.0).log()
    return moved.clamp(problem.bounds.lower, problem.bounds.upper)


def _residual(problem: Problem, tissue: Tensor, parameters: Tensor) -> Float[Tensor, " voxel"]:
    left = (tissue - problem.curves(parameters)[:, -1])[:, None]
    return problem.weights.inner(left)[:, 0, 0]


def _answer(solution: Solution, variance: Tensor) -> ExchangeFit:
    return ExchangeFit(
        parameters=solution.parameters,
        log_flow_variance=variance_of(solution.curvature, FLOW),
        residual=solution.residual * variance,
        at_bound=solution.at_bound[:, FLOW],
    )
