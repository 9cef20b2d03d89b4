"""Curves with known truth: a bolus at uneven beats and tissue that answers it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from models.kinetics import BloodTissueExchange, RecirculatingBolus, convolve_uniform, interpolate
from pipeline.parameters import FermiBounds
from pipeline.perfusion.arterial_input import first_pass
from pipeline.types import ArterialInput

BOUNDS = FermiBounds(max_flow_ml_min_g=8.0, max_delay_s=3.0)
DENSITY_G_ML = 1.05
_FINE_S = 0.02
_BOLUS = RecirculatingBolus(
    peak_mmol_l=4.0,
    arrival_s=7.0,
    rise_s=4.5,
    shape=3.0,
    recirculation_delay_s=13.0,
    recirculation_fraction=0.2,
    remainder_fraction=0.15,
    clearance_s=120.0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beats:
    """Sample times of artery and tissue and the artery on the fine grid."""

    arterial_s: Tensor
    tissue_s: Tensor
    fine_s: Tensor
    fine_mmol_l: Tensor


def beats(seed: int = 0, *, interval_s: float = 0.7, n_beats: int = 60) -> Beats:
    """Return uneven beats; the tissue is sampled later in the beat than the artery."""
    generator = torch.Generator().manual_seed(seed)
    jitter = 0.06 * torch.randn(n_beats, generator=generator, dtype=torch.float64)
    trigger_s = (interval_s + jitter).cumsum(0)
    fine_s = torch.arange(0.0, 60.0, _FINE_S, dtype=torch.float64)
    return Beats(
        arterial_s=trigger_s + 0.04,
        tissue_s=trigger_s + 0.31,
        fine_s=fine_s,
        fine_mmol_l=_BOLUS.concentration_mmol_l(fine_s),
    )


def arterial_input(when: Beats) -> ArterialInput:
    """Return the artery as sampled."""
    sampled = interpolate(when.fine_mmol_l, when.fine_s, when.arterial_s)
    return first_pass(sampled, when.arterial_s, torch.ones(2, 2, dtype=torch.bool))


def tissue(when: Beats, flow_ml_min_g: Tensor, *, delay_s: float = 0.8) -> Tensor:
    """Return plug-flow exchange tissue of stress-like volumes, shape (voxel, time)."""
    same = torch.ones_like(flow_ml_min_g, dtype=torch.float64)
    response = BloodTissueExchange(
        flow_1_s=flow_ml_min_g.double() * DENSITY_G_ML / 60.0,
        blood_volume=0.11 * same,
        interstitial_volume=0.33 * same,
        permeability_surface_1_s=2.0 / 60.0 * same,
    )
    fine = convolve_uniform(response, when.fine_mmol_l, _FINE_S)
    return interpolate(fine, when.fine_s, when.tissue_s - delay_s)
