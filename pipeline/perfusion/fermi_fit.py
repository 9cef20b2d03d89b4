"""Deconvolution constrained to the Fermi model: exhaustive dictionary, then a bounded descent.

All pairs of delay and width are tried at once, each with its best flow; around the best pair the
grid is halved a few times. The descent never leaves the bounds and never ends worse than it began,
and every voxel is solved alone, so the result does not depend on how voxels are batched.

Flow pulls against arrival and transit time in a noisy pixel, and noise then raises it. Where the
mean curve of the neighbourhood is given, delay and transit time come from that curve, and what is
left for the pixel, flow and retained fraction, is linear in its curve and so unbiased by noise.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.parameters import FermiBounds
from pipeline.perfusion.fermi import fermi_table
from pipeline.perfusion.flow_fit import FlowFit
from pipeline.perfusion.projection import (
    Candidates,
    Problem,
    cost,
    project_all,
    project_each,
)
from pipeline.perfusion.spill import spill_filter
from pipeline.perfusion.window import arriving_bolus, first_pass_s
from pipeline.types import ArterialInput

_DELAY_STEP_S = 0.1
_N_HALVINGS = 4
_MIN_SAMPLES = 6
_N_FREE = 4
_BATCH = 2048
_MOVES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1), (1, -1), (-1, 1))


def fit_fermi(
    tissue_mmol_l: Float[Tensor, "voxel time"],
    *,
    time_s: Float[Tensor, " time"],
    arterial_input: ArterialInput,
    bounds: FermiBounds,
    density_g_ml: float,
    regional_mmol_l: Float[Tensor, "voxel time"] | None = None,
) -> FlowFit:
    """Fit the response model to each voxel over the first pass.

    Parameters
    ----------
    tissue_mmol_l
        Baseline-subtracted concentration, mmol/l.
    time_s
        Sample times of the tissue on the clock of the exam, s.
    arterial_input
        Arterial concentration at its own times on the same clock.
    bounds
        Largest flow and delay.
    density_g_ml
        Density of the myocardium, g/ml.
    regional_mmol_l
        Mean curve of the neighbourhood of each voxel: gives delay and transit time. None leaves
        them to the voxel alone.

    Returns
    -------
    Flow 60 F / density with F = h(0), R² and delay. NaN for a voxel with a NaN or without any
    change in the first pass, and for all voxels when the first pass has fewer than 6 samples.

    """
    start_s, end_s = first_pass_s(arterial_input)
    inside = (time_s >= start_s) & (time_s <= end_s)
    if int(inside.sum()) < _MIN_SAMPLES or tissue_mmol_l.shape[0] == 0:
        return _nothing(tissue_mmol_l)
    concentration, arterial_s = arriving_bolus(arterial_input)
    problem = Problem(
        table=fermi_table(concentration, arterial_s, end_s=end_s),
        at_s=time_s[inside].double(),
        spill=spill_filter(concentration, arterial_s, time_s[inside]),
        max_flow_1_s=bounds.max_flow_ml_min_g * density_g_ml / 60.0,
        max_delay_s=bounds.max_delay_s,
    )
    curves = torch.split(tissue_mmol_l[:, inside].double(), _BATCH)
    regional: tuple[Tensor | None, ...] = (None,) * len(curves)
    if regional_mmol_l is not None:
        regional = torch.split(regional_mmol_l[:, inside].double(), _BATCH)
    parts = [_fit_batch(problem, *both) for both in zip(curves, regional, strict=True)]
    flow, quality, delay = (
        torch.cat(each).to(tissue_mmol_l.dtype) for each in zip(*parts, strict=True)
    )
    return FlowFit(flow_ml_min_g=60.0 / density_g_ml * flow, fit_quality=quality, delay_s=delay)


def _nothing(tissue: Float[Tensor, "voxel time"]) -> FlowFit:
    empty = torch.full_like(tissue[:, 0], torch.nan)
    return FlowFit(flow_ml_min_g=empty, fit_quality=empty, delay_s=empty)


def _fit_batch(
    problem: Problem, curves: Float[Tensor, "voxel time"], regional: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return flow (1/s), R² and delay of a batch."""
    spread = (curves - curves.mean(1, keepdim=True)).square().sum(1)
    usable = curves.isfinite().all(1) & (spread > 1e-12 * curves.square().sum(1))
    curves = torch.where(usable[:, None], curves, 0.0)
    filtered = curves @ problem.spill
    if regional is None:
        best = _best(problem, filtered)
    else:
        known = torch.where(regional.isfinite(), regional, curves)
        shared = _best(problem, known @ problem.spill)
        best = project_each(problem, filtered, shared.delay_s, shared.width_index)
    results = (best.flow_1_s, 1.0 - best.residual / spread, best.delay_s)
    flow, quality, delay = (torch.where(usable, each, torch.nan) for each in results)
    return flow, quality, delay


def _best(problem: Problem, curves: Float[Tensor, "voxel time"]) -> Candidates:
    """Return the best candidate of each voxel."""
    delay_s, width_index = _grid(problem)
    every = project_all(problem, curves, delay_s, width_index)
    variance = every.residual.amin(1) / max(problem.at_s.shape[0] - _N_FREE, 1)
    place = cost(problem, every, variance).argmin(1)
    start = project_each(problem, curves, delay_s[place], width_index[place])
    return _descend(problem, curves, start, variance)


def _grid(problem: Problem) -> tuple[Float[Tensor, " candidate"], Float[Tensor, " candidate"]]:
    """Return all pairs of delay and place in the table of widths."""
    like = problem.table.log_width
    n_delays = round(problem.max_delay_s / _DELAY_STEP_S) + 1
    delays = torch.linspace(
        0.0, problem.max_delay_s, n_delays, dtype=like.dtype, device=like.device
    )
    widths = torch.arange(like.shape[0], dtype=like.dtype, device=like.device)
    delay_s, width_index = torch.meshgrid(delays, widths, indexing="ij")
    return delay_s.flatten(), width_index.flatten()


def _descend(
    problem: Problem,
    curves: Float[Tensor, "voxel time"],
    best: Candidates,
    variance: Float[Tensor, " voxel"],
) -> Candidates:
    """Try ever smaller steps around each candidate and keep what lowers its cost."""
    lowest = cost(problem, best, variance)
    last_width = problem.table.log_width.shape[0] - 1.0
    for halving in range(1, _N_HALVINGS + 1):
        for later, wider in _MOVES:
            delay_s = best.delay_s + later * _DELAY_STEP_S * 0.5**halving
            trial = project_each(
                problem,
                curves,
                delay_s.clamp(0.0, problem.max_delay_s),
                (best.width_index + wider * 0.5**halving).clamp(0.0, last_width),
            )
            trial_cost = cost(problem, trial, variance)
            is_lower = trial_cost < lowest
            best = _choose(is_lower, trial, best)
            lowest = torch.where(is_lower, trial_cost, lowest)
    return best


def _choose(is_first: Tensor, first: Candidates, second: Candidates) -> Candidates:
    return Candidates(
        delay_s=torch.where(is_first, first.delay_s, second.delay_s),
        width_index=torch.where(is_first, first.width_index, second.width_index),
        flow_1_s=torch.where(is_first, first.flow_1_s, second.flow_1_s),
        residual=torch.where(is_first, first.residual, second.residual),
    )
