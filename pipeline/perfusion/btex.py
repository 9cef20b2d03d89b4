"""Plug-flow exchange as a model to be fitted: parameters, bounds, what is known beforehand.

Parameters of a voxel are log F (blood flow, 1/s), log vb (blood volume), log PS (plasma, 1/s),
log vi (interstitial volume) and the delay t0 (s). Blood concentration feeds the model, so volume
and PS of plasma enter divided by (1 - Hct). Bounds and priors are physiology from the literature,
written down before any image was fitted and not touched since:

- flow 0.05 ml/min/g to the configured bound, log-normal about 1.5 with factor 2.2, so that healthy
  flow at rest (0.7) and at stress (3) lie one standard deviation away. It matters only where
  sampling once per beat cannot tell high flow that arrives late from moderate flow that is early;
- blood volume 0.02 to 0.30 ml/ml, log-normal about 0.10 with factor 1.4 (the ranges that published
  look-up tables and fits span are 0.07 to 0.17 in blood units);
- PS 0.2 to 5 ml/min/ml, about 1.2 with factor 1.8 (published tables span 0.35 to 4);
- interstitial volume 0.05 to 0.60 ml/ml, about 0.20 with factor 1.5 (tables span 0.1 to 0.48);
- delay 0 s to the configured bound, about 0.8 s with standard deviation 1 s.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.perfusion.exchange_table import ExchangeTable, look_up

FLOW, VOLUME, SURFACE, INTERSTITIUM, DELAY = range(5)
LOWEST_FLOW_ML_MIN_G = 0.05
VOLUME_RANGE = (0.02, 0.30)
SURFACE_RANGE_1_S = (0.2 / 60, 5.0 / 60)
INTERSTITIUM_RANGE = (0.05, 0.60)
USUAL = (math.log(1.5 * 1.05 / 60), math.log(0.10), math.log(1.2 / 60), math.log(0.20), 0.8)
"""Centre of each prior."""
PRIOR_SD = (math.log(2.2), math.log(1.4), math.log(1.8), math.log(1.5), 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """What is known of the parameters before a curve is seen; an infinite spread for nothing."""

    centre: tuple[float, float, float, float, float] = USUAL
    sd: tuple[float, float, float, float, float] = PRIOR_SD


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Lowest and highest value of each parameter; float32."""

    lower: Float[Tensor, " parameter"]
    upper: Float[Tensor, " parameter"]


def search_range(
    *, max_flow_ml_min_g: float, max_delay_s: float, density_g_ml: float, device: torch.device
) -> Bounds:
    """Return the bounds of the fit."""
    per_second = density_g_ml / 60.0
    pairs = (
        (LOWEST_FLOW_ML_MIN_G * per_second, max_flow_ml_min_g * per_second),
        VOLUME_RANGE,
        SURFACE_RANGE_1_S,
        INTERSTITIUM_RANGE,
    )
    lower = [math.log(low) for low, _ in pairs] + [0.0]
    upper = [math.log(high) for _, high in pairs] + [max_delay_s]
    return Bounds(
        lower=torch.tensor(lower, dtype=torch.float32, device=device),
        upper=torch.tensor(upper, dtype=torch.float32, device=device),
    )


def tissue_curves(
    table: ExchangeTable,
    at_s: Float[Tensor, " time"],
    parameters: Float[Tensor, "voxel five"],
    *,
    hematocrit_fraction: float,
) -> Float[Tensor, "voxel six time"]:
    """Return the derivative of the tissue curve by each parameter, and last the curve itself.

    Curves in mmol per litre of tissue; float32.
    """
    log_flow, log_volume, log_surface, log_interstitium, delay_s = parameters.unbind(1)
    plasma = math.log(1.0 - hematocrit_fraction)
    transit_s = torch.exp(log_volume - log_flow)
    seen = look_up(
        table,
        at_s,
        delay_s=delay_s,
        transit_s=transit_s,
        log_exchange=log_surface - plasma - log_flow,
        log_rate=log_surface - log_interstitium,
    )
    flow, transit_s = log_flow.exp()[:, None], transit_s[:, None]
    curve = flow * (seen.supply - seen.washout)
    filling = flow * transit_s * seen.washout_rate
    exchange, rate = flow * seen.by_exchange, flow * seen.by_rate
    by_delay = flow * (seen.washout_rate - seen.supply_rate)
    return torch.stack(
        [curve - filling + exchange, filling, -exchange - rate, rate, by_delay, curve], dim=1
    )
