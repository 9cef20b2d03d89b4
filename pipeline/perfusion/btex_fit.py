"""Fit plug-flow exchange to many voxels: dictionary, then bounded descent, then its error.

The most probable parameters under white noise, shining-in blood, an uncertain baseline (`noise`)
and what is known of tissue beforehand (`btex`) are found from the best entry of a small dictionary
by Levenberg-Marquardt. The curvature there gives the standard error of flow (Laplace).

Where the mean curve of the neighbourhood of each voxel is given, its own fit becomes the prior of
the voxel for all but flow: empirical Bayes. Volume, exchange and arrival change slowly along the
wall, and a single noisy curve hardly tells them apart from flow.
"""

from dataclasses import dataclass
from itertools import product

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.perfusion.btex import (
    DELAY,
    FLOW,
    Belief,
    Bounds,
    tissue_curves,
)
from pipeline.perfusion.exchange_table import ExchangeTable
from pipeline.perfusion.noise import Whitening
from pipeline.perfusion.solver import Prior, Solution, minimise, variance_of

N_FIRST = 5
N_SECOND = 12
N_SHARED = 8
BATCH = 2048
NEIGHBOUR_SD = (float("inf"), 0.15, 0.25, 0.2, 0.15)
"""How much a voxel may differ from its neighbourhood in the log of volume, exchange and
interstitium, and in arrival (s)."""
LOWEST_NOISE_MMOL_L = 0.004
N_START_FLOWS = 11
START_FLOWS_ML_MIN_ML = (0.15, 7.0)
START_VOLUMES = (0.05, 0.1, 0.18)
START_SURFACES_ML_MIN_ML = (0.7, 1.9)
START_INTERSTITIA = (0.12, 0.25)
START_DELAY_STEP_S = 0.4
PROFILE_STEP_S = 0.2
HELD_PRECISION = 1e4
"""A delay of a profile is held to 0.01 s."""
N_PROFILE = 25
MODEL_ERROR_FRACTION = 0.01
"""No model is true to better than this fraction of the height of a curve; the mean curve of a whole
heart has less noise than that and would be believed too much."""
START_SCALE = 1.22
"""An entry may be scaled by so much; the next flow takes over there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What all voxels share."""

    table: ExchangeTable
    at_s: Float[Tensor, " time"]
    weights: Whitening
    bounds: Bounds
    hematocrit_fraction: float
    belief: Belief

    def curves(self, parameters: Float[Tensor, "voxel five"]) -> Float[Tensor, "voxel six time"]:
        """Return derivatives and curve."""
        return tissue_curves(
            self.table, self.at_s, parameters, hematocrit_fraction=self.hematocrit_fraction
        )


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
    dictionary = _dictionary(problem)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dictionary:
    parameters: Float[Tensor, "entry five"]
    curves: Float[Tensor, "entry time"]
    weighed: Float[Tensor, "entry time"]
    power: Float[Tensor, " entry"]
    penalty: Float[Tensor, " entry"]


def _dictionary(problem: Problem) -> _Dictionary:
    """Return curves over the whole range of parameters."""
    lowest, highest = (value / 60.0 for value in START_FLOWS_ML_MIN_ML)
    device = problem.at_s.device
    flows = torch.logspace(0, 1, N_START_FLOWS, base=highest / lowest, device=device) * lowest
    last_delay_s = float(problem.bounds.upper[-1])
    delays = [
        START_DELAY_STEP_S * step for step in range(int(last_delay_s / START_DELAY_STEP_S) + 1)
    ]
    surfaces = [value / 60.0 for value in START_SURFACES_ML_MIN_ML]
    grid = torch.tensor(
        list(product(flows.tolist(), START_VOLUMES, surfaces, START_INTERSTITIA, delays)),
        dtype=torch.float32,
        device=device,
    )
    parameters = torch.cat([grid[:, :-1].log(), grid[:, -1:]], dim=1)
    parameters = parameters.clamp(problem.bounds.lower, problem.bounds.upper)
    curves = problem.curves(parameters)[:, -1]
    weighed = problem.weights.weigh(curves)
    prior = _prior(problem.belief, parameters)
    away = parameters - prior.centre
    return _Dictionary(
        parameters=parameters,
        curves=curves,
        weighed=weighed,
        power=(curves * weighed).sum(1).clamp_min(1e-12),
        penalty=(prior.precision * away.square()).sum(1),
    )


def _prior(belief: Belief, like: Tensor) -> Prior:
    """Return the same belief for every voxel."""
    centre = like.new_tensor(belief.centre).expand_as(like)
    precision = like.new_tensor([sd**-2 for sd in belief.sd]).expand_as(like)
    return Prior(centre=centre, precision=precision)


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
    start, _ = _begin(problem, _dictionary(problem), curves)
    delays = PROFILE_STEP_S * torch.arange(n_delays, dtype=start.dtype, device=start.device)
    start[:, DELAY] = delays
    usual = _prior(problem.belief, start)
    held = Prior(
        centre=torch.cat([usual.centre[:, :DELAY], delays[:, None]], dim=1),
        precision=torch.cat(
            [usual.precision[:, :DELAY], torch.full_like(delays[:, None], HELD_PRECISION)], dim=1
        ),
    )
    floor = (MODEL_ERROR_FRACTION * tissue.amax()).square()
    rough = _descend(problem, curves, start, held, floor.expand(n_delays), N_PROFILE)
    variance = torch.maximum(_variance(rough.residual * floor, curves).amin(), floor)
    variance = variance.expand(n_delays)
    last = _descend(problem, curves, rough.parameters, held, variance, N_PROFILE)
    away = last.parameters - usual.centre
    cost = last.residual + (usual.precision * away.square()).sum(1)
    inverse = torch.linalg.inv(last.curvature.double())
    volume = torch.linalg.slogdet(inverse[:, :DELAY, :DELAY])[1]
    return DelayProfile(
        parameters=last.parameters.double(),
        variance=inverse.diagonal(dim1=1, dim2=2),
        weight=torch.softmax(0.5 * (volume - cost.double()), dim=0),
    )


def _fit_batch(
    problem: Problem, dictionary: _Dictionary, tissue: Tensor, shared: Tensor | None
) -> ExchangeFit:
    if shared is None:
        start, variance = _begin(problem, dictionary, tissue)
        first = _descend(problem, tissue, start, _prior(problem.belief, start), variance, N_FIRST)
        variance = _variance(first.residual * variance, tissue)
        last = _descend(
            problem, tissue, first.parameters, _prior(problem.belief, start), variance, N_SECOND
        )
        return _answer(last, variance)
    start, variance = _begin(problem, dictionary, shared)
    around = _descend(problem, shared, start, _prior(problem.belief, start), variance, N_SECOND)
    start = _rescaled(problem, tissue, around.parameters)
    residual = _residual(problem, tissue, start)
    variance = _variance(residual, tissue)
    near = Prior(
        centre=around.parameters,
        precision=start.new_tensor([sd**-2 for sd in NEIGHBOUR_SD]).expand_as(start),
    )
    return _answer(_descend(problem, tissue, start, near, variance, N_SHARED), variance)


def _begin(
    problem: Problem, dictionary: _Dictionary, tissue: Tensor
) -> tuple[Tensor, Float[Tensor, " voxel"]]:
    """Return the best entry of the dictionary for each voxel, and the variance of its noise."""
    scatter = tissue.diff(dim=1).abs().median(dim=1).values / (0.6745 * 2.0**0.5)
    variance = scatter.clamp_min(LOWEST_NOISE_MMOL_L).square()
    dot = _rows_times(tissue, dictionary.weighed.T)
    scale = (dot / dictionary.power).clamp(1.0 / START_SCALE, START_SCALE)
    cost = scale * (scale * dictionary.power - 2.0 * dot)
    lowest, best = (cost + variance[:, None] * dictionary.penalty).min(1)
    scale = scale.gather(1, best[:, None])
    start = dictionary.parameters[best]
    start = torch.cat([start[:, :DELAY] + scale.log(), start[:, DELAY:]], dim=1)
    start = start.clamp(problem.bounds.lower, problem.bounds.upper)
    own = problem.weights.inner(tissue[:, None])[:, 0, 0]
    residual = own + lowest - variance * dictionary.penalty[best]
    return start, _variance(residual, tissue)


def _rows_times(rows: Tensor, matrix: Tensor) -> Tensor:
    """Return a product whose digits do not depend on the number of rows: its shape is fixed."""
    padded = torch.nn.functional.pad(rows, (0, 0, 0, BATCH - rows.shape[0]))
    return (padded @ matrix)[: rows.shape[0]]


def _variance(residual: Float[Tensor, " voxel"], tissue: Tensor) -> Float[Tensor, " voxel"]:
    """Return the noise variance that a weighted sum of squares tells."""
    n_free = max(tissue.shape[1] - 3, 1)
    return (residual / n_free).clamp_min(LOWEST_NOISE_MMOL_L**2)


def _descend(
    problem: Problem,
    tissue: Tensor,
    start: Tensor,
    prior: Prior,
    variance: Tensor,
    n_iterations: int,
) -> Solution:
    """Minimise the sum of squares over the noise variance plus the prior."""

    def evaluate(parameters: Tensor, voxels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        curves = problem.curves(parameters)
        curves[:, -1] -= tissue[voxels]
        inner = problem.weights.inner(curves) / variance[voxels, None, None]
        return inner[:, :-1, :-1], inner[:, :-1, -1], inner[:, -1, -1]

    return minimise(
        evaluate,
        start,
        lower=problem.bounds.lower,
        upper=problem.bounds.upper,
        prior=prior,
        n_iterations=n_iterations,
    )


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
