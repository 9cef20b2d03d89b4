"""The pixels of the flow benchmark: tissue drawn at random, with noise of SNR 20."""

from dataclasses import dataclass

import torch
from torch import Tensor

from models.kinetics import BloodTissueExchange, convolve_uniform, interpolate
from pipeline.types import ArterialInput
from tests.pipeline.perfusion.curves import DENSITY_G_ML, Beats, arterial_input, beats

N_PIXELS = 3 * 128 * 128
N_BEATS = 70
N_TISSUES = 1024
NOISE_MMOL_L = 0.035
HEMATOCRIT = 0.42
_FINE_S = 0.02


@dataclass(frozen=True)
class Pixels:
    when: Beats
    artery: ArterialInput
    curves: Tensor
    flow_ml_min_g: Tensor


def pixels() -> Pixels:
    """Return noisy curves of tissue drawn at random."""
    when = beats(3, interval_s=0.8, n_beats=N_BEATS)
    generator = torch.Generator().manual_seed(1)

    def drawn(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(N_TISSUES, generator=generator, dtype=torch.float64)

    flow = drawn(0.3, 5.0)
    response = BloodTissueExchange(
        flow_1_s=flow * DENSITY_G_ML / 60.0,
        blood_volume=drawn(0.06, 0.16),
        interstitial_volume=drawn(0.2, 0.5),
        permeability_surface_1_s=drawn(1.0, 4.0) / 60.0,
    )
    fine = convolve_uniform(response, when.fine_mmol_l, _FINE_S)
    delay_s = drawn(0.0, 2.0)
    clean = torch.cat(
        [
            interpolate(each, when.fine_s, when.tissue_s - late)
            for each, late in zip(fine.split(1), delay_s, strict=True)
        ]
    )
    n_repeats = -(-N_PIXELS // N_TISSUES)
    curves = clean.repeat(n_repeats, 1)[:N_PIXELS]
    noise = torch.randn(curves.shape, generator=generator, dtype=torch.float64)
    return Pixels(
        when=when,
        artery=arterial_input(when),
        curves=(curves + NOISE_MMOL_L * noise).float(),
        flow_ml_min_g=flow.repeat(n_repeats)[:N_PIXELS],
    )
