"""Flow without a tissue model: regularised deconvolution over the first pass.

Nothing is assumed of the tissue but that its response falls, the sooner the steeper. The price:
what happens faster than a beat is smoothed away. On synthetic curves (SNR 20, one sample per 0.6
to 1.3 s) the flow of plug-flow tissue is within 15 % from 0.3 to 4 ml/min/g and 25 % low at 5;
tissue whose capillaries are well mixed, so that its response falls at once, reads 15 % low at 1
and 30 % low at 3. It is a third opinion beside the models, not the map to begin with.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.parameters import FermiBounds
from pipeline.perfusion.flow_fit import FlowFit
from pipeline.perfusion.regularisation import Deconvolved, candidates, weigh
from pipeline.perfusion.spill import spill_filter
from pipeline.perfusion.window import arriving_bolus, first_pass_s
from pipeline.types import ArterialInput

_AFTER_VALLEY_S = 5.0
"""Recirculation is no harm to a response without a model, and every sample tells of the tail."""
_MIN_SAMPLES = 6
_BATCH = 4096


def deconvolve(
    tissue_mmol_l: Float[Tensor, "voxel time"],
    *,
    time_s: Float[Tensor, " time"],
    arterial_input: ArterialInput,
    bounds: FermiBounds,
    density_g_ml: float,
    regional_mmol_l: Float[Tensor, "voxel time"] | None = None,
) -> FlowFit:
    """Estimate the flow of each voxel as the start of its impulse response.

    Parameters
    ----------
    tissue_mmol_l
        Baseline-subtracted concentration, mmol/l.
    time_s
        Sample times of the tissue on the clock of the exam, s.
    arterial_input
        Whole-blood concentration at its own times on the same clock.
    bounds
        Largest flow and delay.
    density_g_ml
        Density of the myocardium, g/ml.
    regional_mmol_l
        Mean curve of the neighbourhood of each voxel: helps to tell its arrival.

    Returns
    -------
    Flow 60 h(0) / density, R² and delay. NaN for a voxel with a NaN or without any change in the
    first pass, and for all voxels when the first pass has fewer than 6 samples.

    """
    end_s = float(arterial_input.time_s[arterial_input.valley]) + _AFTER_VALLEY_S
    inside = (time_s >= first_pass_s(arterial_input)[0]) & (time_s <= end_s)
    if int(inside.sum()) < _MIN_SAMPLES or tissue_mmol_l.shape[0] == 0:
        nothing = torch.full_like(tissue_mmol_l[:, 0], torch.nan)
        return FlowFit(flow_ml_min_g=nothing, fit_quality=nothing, delay_s=nothing)
    curves = tissue_mmol_l[:, inside].double()
    spread = (curves - curves.mean(1, keepdim=True)).square().sum(1)
    usable = curves.isfinite().all(1) & (spread > 1e-12 * curves.square().sum(1))
    curves = torch.where(usable[:, None], curves, 0.0)
    near = curves if regional_mmol_l is None else regional_mmol_l[:, inside].double()
    found = _solve(
        curves,
        None if regional_mmol_l is None else torch.where(near.isfinite(), near, curves),
        at_s=time_s[inside],
        arterial_input=arterial_input,
        max_delay_s=bounds.max_delay_s,
    )
    flow = (60.0 / density_g_ml * found.flow_1_s).clamp(max=bounds.max_flow_ml_min_g)
    flow, quality, delay = (
        torch.where(usable, each, torch.nan).to(tissue_mmol_l.dtype)
        for each in (flow, 1.0 - found.residual / spread, found.delay_s)
    )
    return FlowFit(
        flow_ml_min_g=flow,
        fit_quality=quality,
        delay_s=delay,
        at_bound=usable & (flow >= bounds.max_flow_ml_min_g),
    )


def _solve(
    curves: Float[Tensor, "voxel time"],
    regional: Float[Tensor, "voxel time"] | None,
    *,
    at_s: Float[Tensor, " time"],
    arterial_input: ArterialInput,
    max_delay_s: float,
) -> Deconvolved:
    """Deconvolve curves that are finite, batch by batch."""
    concentration, arterial_s = arriving_bolus(arterial_input)
    given = candidates(
        concentration,
        arterial_s,
        at_s=at_s,
        whiten=spill_filter(concentration, arterial_s, at_s),
        max_delay_s=max_delay_s,
    )
    near = [None] * len(curves) if regional is None else torch.split(regional, _BATCH)
    parts = [weigh(given, *both) for both in zip(torch.split(curves, _BATCH), near, strict=False)]
    return Deconvolved(
        flow_1_s=torch.cat([part.flow_1_s for part in parts]),
        delay_s=torch.cat([part.delay_s for part in parts]),
        log_strength=torch.cat([part.log_strength for part in parts]),
        residual=torch.cat([part.residual for part in parts]),
    )
