"""What fits of plug-flow exchange share: the problem, a dictionary to start from, the descent."""

from dataclasses import dataclass
from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.perfusion.btex import DELAY, Belief, Bounds, tissue_curves
from pipeline.perfusion.exchange_table import ExchangeTable
from pipeline.perfusion.noise import Whitening
from pipeline.perfusion.solver import Prior, Solution, minimise

BATCH = 2048
LOWEST_NOISE_MMOL_L = 0.004
N_START_FLOWS = 11
START_FLOWS_ML_MIN_ML = (0.15, 7.0)
START_VOLUMES = (0.05, 0.1, 0.18)
START_SURFACES_ML_MIN_ML = (0.7, 1.9)
START_INTERSTITIA = (0.12, 0.25)
START_DELAY_STEP_S = 0.4
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
class Dictionary:
    """Curves over the whole range of parameters, and what comparing with them needs."""

    parameters: Float[Tensor, "entry five"]
    weighed: Float[Tensor, "entry time"]
    """Curves times the inverse covariance of a measured one."""
    power: Float[Tensor, " entry"]
    """Weighted sum of squares of each curve."""
    penalty: Float[Tensor, " entry"]
    """How far the parameters lie from what is believed, in squared standard deviations."""


def make_dictionary(problem: Problem) -> Dictionary:
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
    prior = belief_prior(problem.belief, parameters)
    away = parameters - prior.centre
    return Dictionary(
        parameters=parameters,
        weighed=weighed,
        power=(curves * weighed).sum(1).clamp_min(1e-12),
        penalty=(prior.precision * away.square()).sum(1),
    )


def belief_prior(belief: Belief, like: Tensor) -> Prior:
    """Return the same belief for every voxel."""
    centre = like.new_tensor(belief.centre).expand_as(like)
    precision = like.new_tensor([sd**-2 for sd in belief.sd]).expand_as(like)
    return Prior(centre=centre, precision=precision)


def begin(
    problem: Problem, dictionary: Dictionary, tissue: Tensor
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
    return start, noise_variance(residual, tissue)


def _rows_times(rows: Tensor, matrix: Tensor) -> Tensor:
    """Return a product whose digits do not depend on the number of rows: its shape is fixed."""
    padded = torch.nn.functional.pad(rows, (0, 0, 0, BATCH - rows.shape[0]))
    return (padded @ matrix)[: rows.shape[0]]


def noise_variance(residual: Float[Tensor, " voxel"], tissue: Tensor) -> Float[Tensor, " voxel"]:
    """Return the noise variance that a weighted sum of squares tells."""
    n_free = max(tissue.shape[1] - 3, 1)
    return (residual / n_free).clamp_min(LOWEST_NOISE_MMOL_L**2)


def descend(
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
