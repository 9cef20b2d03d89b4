"""The linear half of the fit: best flow for a given delay and transit time.

For a delay and a width the model is F [(1 - e) v + e r] with known curves v (vascular) and r
(retained), so flow F and retained fraction e have a closed form and only delay and width are
searched (variable projection, Golub & Pereyra 1973, doi 10.1137/0710036).
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.perfusion.fermi import (
    MAX_RETAINED,
    VOLUME_LOG_SD,
    VOLUME_MEDIAN,
    VOLUME_RANGE,
    FermiTable,
)

_SINGULAR = 1e-7
"""Below this the two curves are the same within the first pass and e is not identified."""
_UNSEEN_FRACTION = 0.75
"""A transit longer than this part of the first pass has no visible end: low volume is no news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What all voxels share."""

    table: FermiTable
    at_s: Float[Tensor, " time"]
    spill: Float[Tensor, "time time"]
    """Filter of `spill_filter`; curves that are handed in have passed it already."""
    max_flow_1_s: float
    max_delay_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Pairs of delay and width, each with its best flow and what that leaves unexplained.

    Shape `(voxel, candidate)` after `project_all`, `(voxel,)` after `project_each`.
    """

    delay_s: Float[Tensor, "*shape"]
    width_index: Float[Tensor, "*shape"]
    flow_1_s: Float[Tensor, "*shape"]
    residual: Float[Tensor, "*shape"]
    """Sum of squares, (mmol/l)²."""


def project_all(
    problem: Problem,
    curves: Float[Tensor, "voxel time"],
    delay_s: Float[Tensor, " candidate"],
    width_index: Float[Tensor, " candidate"],
) -> Candidates:
    """Solve every candidate for every voxel, by matrix products."""
    vascular, retained = _basis(problem, delay_s, width_index)
    flow, residual = _solve(
        power=curves.square().sum(1, keepdim=True),
        dots=(curves @ vascular.T, curves @ retained.T),
        norms=_norms(vascular, retained),
        limits=_limits(problem, problem.table.width_s(width_index)),
    )
    return Candidates(
        delay_s=delay_s.expand_as(flow),
        width_index=width_index.expand_as(flow),
        flow_1_s=flow,
        residual=residual,
    )


def project_each(
    problem: Problem,
    curves: Float[Tensor, "voxel time"],
    delay_s: Float[Tensor, " voxel"],
    width_index: Float[Tensor, " voxel"],
) -> Candidates:
    """Solve one candidate per voxel."""
    vascular, retained = _basis(problem, delay_s, width_index)
    flow, residual = _solve(
        power=curves.square().sum(1),
        dots=((curves * vascular).sum(1), (curves * retained).sum(1)),
        norms=_norms(vascular, retained),
        limits=_limits(problem, problem.table.width_s(width_index)),
    )
    return Candidates(delay_s=delay_s, width_index=width_index, flow_1_s=flow, residual=residual)


def cost(
    problem: Problem, candidates: Candidates, variance: Float[Tensor, " voxel"]
) -> Float[Tensor, "*shape"]:
    """Return residual plus noise variance times the squared distance from the usual blood volume.

    Parameters
    ----------
    problem
        What all voxels share.
    candidates
        What is judged.
    variance
        Noise variance of the curve of each voxel, (mmol/l)².

    """
    width_s = problem.table.width_s(candidates.width_index)
    excess = (candidates.flow_1_s * width_s).clamp_min(1e-6).log() - math.log(VOLUME_MEDIAN)
    excess = torch.where(_is_seen(problem, width_s), excess, excess.clamp_min(0.0))
    column = (-1,) + (1,) * (candidates.residual.ndim - 1)
    return candidates.residual + variance.view(column) * (excess / VOLUME_LOG_SD).square()


def _basis(
    problem: Problem,
    delay_s: Float[Tensor, " candidate"],
    width_index: Float[Tensor, " candidate"],
) -> tuple[Tensor, Tensor]:
    """Return both parts after the filter."""
    vascular, retained = problem.table.basis(problem.at_s, delay_s, width_index)
    return vascular @ problem.spill, retained @ problem.spill


def _norms(vascular: Tensor, retained: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return vascular.square().sum(1), (vascular * retained).sum(1), retained.square().sum(1)


def _solve(
    *,
    power: Tensor,
    dots: tuple[Tensor, Tensor],
    norms: tuple[Tensor, Tensor, Tensor],
    limits: tuple[Tensor, Tensor],
) -> tuple[Tensor, Tensor]:
    """Return flow (1/s) and residual from inner products of the curves with the two parts.

    The retained fraction is bounded first: the cone of allowed mixtures is convex, so the bounded
    optimum lies on the edge that the free one crossed. Then flow is bounded by volume and range.
    """
    (with_vascular, with_retained), (vascular, mixed, retained) = dots, norms
    determinant = vascular * retained - mixed.square()
    first = with_vascular * retained - with_retained * mixed
    second = with_retained * vascular - with_vascular * mixed
    solvable = (determinant > _SINGULAR * vascular * retained) & (first + second > 0)
    fraction = torch.where(solvable, second / (first + second), 0.0).clamp(0.0, MAX_RETAINED)
    kept = 1.0 - fraction
    dot = kept * with_vascular + fraction * with_retained
    norm = kept.square() * vascular + 2.0 * fraction * kept * mixed + fraction.square() * retained
    lowest, highest = limits
    flow = torch.minimum(torch.maximum(dot / norm.clamp_min(1e-30), lowest), highest)
    return flow, power - 2.0 * flow * dot + flow.square() * norm


def _limits(problem: Problem, width_s: Float[Tensor, " candidate"]) -> tuple[Tensor, Tensor]:
    """Return the lowest and highest flow that the volume bounds allow at a transit time, 1/s."""
    lowest = torch.where(_is_seen(problem, width_s), VOLUME_RANGE[0] / width_s, 0.0)
    highest = (VOLUME_RANGE[1] / width_s).clamp_max(problem.max_flow_1_s)
    return torch.minimum(lowest, highest), highest


def _is_seen(problem: Problem, width_s: Float[Tensor, "*shape"]) -> Bool[Tensor, "*shape"]:
    """Return whether a transit ends within the first pass, so that its volume is bounded below."""
    return torch.lt(width_s, _UNSEEN_FRACTION * float(problem.at_s[-1] - problem.at_s[0]))
