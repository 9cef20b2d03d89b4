"""Bounded least squares for very many small problems at once: Levenberg-Marquardt.

Every voxel has its own parameters, damping and end; none sees another, so the result does not
depend on how voxels are batched. Minimised is

    |residual|² + sum_i weight_i (parameter_i - centre_i)²

within bounds (Levenberg 1944; Marquardt 1963, doi 10.1137/0111030; parameters that press against
a bound are held there, Bertsekas 1982, doi 10.1137/0320018).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

FIRST_DAMPING = 1e-2
LESS = 0.3
MORE = 5.0
MOST_DAMPING = 1e6
SMALL_GAIN = 1e-4
"""Relative fall of the cost below which a voxel is done."""

Evaluate = Callable[
    [Float[Tensor, "voxel parameter"], Tensor],
    tuple[Float[Tensor, "voxel parameter parameter"], Float[Tensor, "voxel parameter"], Tensor],
]
"""From parameters and the indices of their voxels to JᵀJ, Jᵀr and |r|², r = model - data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What is known of each parameter beforehand: a centre and one over its variance."""

    centre: Float[Tensor, "voxel parameter"]
    precision: Float[Tensor, "voxel parameter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Where the descent ended."""

    parameters: Float[Tensor, "voxel parameter"]
    curvature: Float[Tensor, "voxel parameter parameter"]
    """JᵀJ plus the precision of the prior."""
    residual: Float[Tensor, " voxel"]
    """|r|², without the prior."""
    at_bound: Bool[Tensor, "voxel parameter"]


@dataclass(slots=True)
class _State:
    """All voxels that are being worked on, or all there are."""

    parameters: Tensor
    curvature: Tensor
    slope: Tensor
    residual: Tensor
    cost: Tensor

    def take(self, index: Tensor) -> "_State":
        return _State(
            self.parameters[index],
            self.curvature[index],
            self.slope[index],
            self.residual[index],
            self.cost[index],
        )

    def put(self, index: Tensor, other: "_State", which: Tensor) -> None:
        place = index[which]
        self.parameters[place] = other.parameters[which]
        self.curvature[place] = other.curvature[which]
        self.slope[place] = other.slope[which]
        self.residual[place] = other.residual[which]
        self.cost[place] = other.cost[which]


def minimise(
    evaluate: Evaluate,
    start: Float[Tensor, "voxel parameter"],
    *,
    lower: Float[Tensor, " parameter"],
    upper: Float[Tensor, " parameter"],
    prior: Prior,
    n_iterations: int,
) -> Solution:
    """Descend from a start inside the bounds; no voxel ends worse than it began.

    Parameters
    ----------
    evaluate
        The model; called with the voxels that are not done.
    start
        First parameters; clamped to the bounds.
    lower, upper
        Bounds.
    prior
        Quadratic penalty; zero precision for none.
    n_iterations
        Most evaluations after the first.

    """
    everyone = torch.arange(start.shape[0], device=start.device)
    state = _weigh(evaluate, start.clamp(lower, upper), everyone, prior)
    damping = torch.full_like(state.cost, FIRST_DAMPING)
    active = everyone
    for _ in range(n_iterations):
        if active.numel() == 0:
            break
        here = state.take(active)
        step = _step(here, damping[active], lower, upper)
        trial_at = (here.parameters + step).clamp(lower, upper)
        trial = _weigh(evaluate, trial_at, active, prior)
        gain = here.cost - trial.cost
        is_better = gain > 0
        state.put(active, trial, is_better)
        factor = torch.where(is_better, LESS, MORE)
        damping[active] = (damping[active] * factor).clamp_max(MOST_DAMPING)
        is_done = is_better & (gain <= SMALL_GAIN * here.cost)
        is_stuck = ~is_better & (damping[active] >= MOST_DAMPING)
        is_still = (trial_at - here.parameters).abs().amax(1) < SMALL_GAIN
        active = active[~(is_done | is_stuck | is_still)]
    at_bound = (state.parameters <= lower) | (state.parameters >= upper)
    return Solution(
        parameters=state.parameters,
        curvature=state.curvature,
        residual=state.residual,
        at_bound=at_bound,
    )


def _weigh(evaluate: Evaluate, parameters: Tensor, voxels: Tensor, prior: Prior) -> _State:
    """Evaluate model and prior."""
    curvature, slope, residual = evaluate(parameters, voxels)
    precision = prior.precision[voxels]
    away = parameters - prior.centre[voxels]
    return _State(
        parameters=parameters,
        curvature=curvature + torch.diag_embed(precision),
        slope=slope + precision * away,
        residual=residual,
        cost=residual + (precision * away.square()).sum(1),
    )


def _step(state: _State, damping: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    """Return the damped Newton step of the parameters that are free to move."""
    diagonal = state.curvature.diagonal(dim1=1, dim2=2)
    is_held = ((state.parameters <= lower) & (state.slope > 0)) | (
        (state.parameters >= upper) & (state.slope < 0)
    )
    free = (~is_held).to(diagonal.dtype)
    matrix = state.curvature * free[:, :, None] * free[:, None, :]
    added = damping[:, None] * diagonal + 1e-12 * diagonal.amax(1, keepdim=True) + 1e-30
    matrix = matrix + torch.diag_embed(added + (1.0 - free) * diagonal)
    return -solve_positive(matrix, state.slope * free)


def solve_positive(
    matrix: Float[Tensor, "voxel size size"], right: Float[Tensor, "voxel size"]
) -> Float[Tensor, "voxel size"]:
    """Solve small symmetric positive definite systems, many at once, by Cholesky factors."""
    factor = cholesky(matrix)
    size = right.shape[1]
    middle: list[Tensor] = []
    for row in range(size):
        known = sum((factor[row][k] * middle[k] for k in range(row)), start=0.0 * right[:, row])
        middle.append((right[:, row] - known) / factor[row][row])
    result: list[Tensor] = [right[:, 0]] * size
    for row in reversed(range(size)):
        known = sum(
            (factor[k][row] * result[k] for k in range(row + 1, size)), start=0.0 * right[:, row]
        )
        result[row] = (middle[row] - known) / factor[row][row]
    return torch.stack(result, dim=1)


def cholesky(matrix: Float[Tensor, "voxel size size"]) -> list[list[Float[Tensor, " voxel"]]]:
    """Return the rows of the lower factor; a pivot lost to rounding is kept positive."""
    factor: list[list[Tensor]] = []
    tiny = torch.finfo(matrix.dtype).tiny ** 0.5
    for row in range(matrix.shape[1]):
        entries: list[Tensor] = []
        for column in range(row):
            total = matrix[:, row, column]
            for k in range(column):
                total = total - entries[k] * factor[column][k]
            entries.append(total / factor[column][column])
        pivot = matrix[:, row, row]
        for entry in entries:
            pivot = pivot - entry.square()
        floor = 1e-7 * matrix[:, row, row].abs() + tiny
        factor.append([*entries, torch.sqrt(torch.maximum(pivot, floor))])
    return factor


def variance_of(curvature: Float[Tensor, "voxel size size"], index: int) -> Float[Tensor, " voxel"]:
    """Return one diagonal entry of the inverse of each matrix."""
    unit = torch.zeros_like(curvature[:, :, 0])
    unit[:, index] = 1.0
    return solve_positive(curvature, unit)[:, index]
