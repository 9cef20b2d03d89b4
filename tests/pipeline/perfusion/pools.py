"""Arterial-input series painted by hand: ventricles, what enhances like them, noise, two echoes."""

import math

import torch
from torch import Tensor

from models.kinetics import RecirculatingBolus
from models.physics import Relaxation, SaturationRecovery, SpoiledGradientEcho
from pipeline.types import Geometry, ImageSeries

SHAPE, SPACING_MM = (48, 48), (5.0, 5.0)
N_FIRST = 3
BLOOD = Relaxation(
    native_t1_s=1.8,
    native_t2_s=0.25,
    native_t2_star_s=0.09,
    relaxivity_l_mmol_s=5.0,
    transverse_relaxivity_l_mmol_s=6.0,
)
LEFT, RIGHT = (24.0, 26.0), (24.0, 16.0)
"""Centres of the pools, px."""


def readout(flip_deg: float = 8.0, echo_s: float = 0.0007) -> SpoiledGradientEcho:
    return SpoiledGradientEcho(
        repetition_time_s=0.0015,
        echo_time_s=echo_s,
        flip_angle_rad=math.radians(flip_deg),
        pulses_before_centre=12,
    )


def recovery(echo_s: float = 0.0007, delay_s: float = 0.006) -> SaturationRecovery:
    return SaturationRecovery(
        saturation_delay_s=delay_s, residual_fraction=0.0, readout=readout(echo_s=echo_s)
    )


def disc(centre: tuple[float, float], radius: float) -> Tensor:
    rows, columns = (torch.arange(size, dtype=torch.float64) for size in SHAPE)
    return torch.hypot(rows[:, None] - centre[0], columns - centre[1]) <= radius


def times(n_beats: int = 50) -> Tensor:
    return torch.arange(N_FIRST + n_beats, dtype=torch.float64)


def bolus(peak: float, arrival_s: float, n_beats: int = 50) -> Tensor:
    """Return a first pass and what stays behind it, zero in the proton-density beats."""
    passage = RecirculatingBolus(
        peak_mmol_l=peak,
        arrival_s=arrival_s,
        rise_s=5.0,
        shape=3.0,
        recirculation_delay_s=12.0,
        recirculation_fraction=0.12,
        remainder_fraction=0.14,
        clearance_s=180.0,
    )
    return passage.concentration_mmol_l(times(n_beats) - N_FIRST)


def paint(
    tissues: list[tuple[Tensor, Tensor]],
    *,
    noise: float = 0.0,
    echo_s: float = 0.0007,
    r2_star: float = 6.0,
    delay_s: float = 0.006,
    has_first: bool = True,
    seed: int = 0,
) -> ImageSeries:
    """Return a series in which masks hold blood of given curves; all else is muscle without agent.

    `noise` is the standard deviation of each channel, `r2_star` the loss by the agent, l/(mmol s).
    """
    frames = torch.zeros((len(times()), *SHAPE), dtype=torch.float64)
    for mask, curve in [(disc((24.0, 22.0), 20.0), torch.zeros_like(times())), *tissues]:
        frames[:, mask] = signal(curve, recovery(echo_s, delay_s), r2_star)[:, None]
    generator = torch.Generator().manual_seed(seed)
    first, second = (torch.randn(frames.shape, generator=generator) for _ in range(2))
    kept = slice(0 if has_first else N_FIRST, None)
    return ImageSeries(
        frames=(4000.0 * torch.hypot(frames + noise * first, noise * second))[kept].float(),
        time_s=times()[kept],
        n_proton_density=N_FIRST if has_first else 0,
        geometry=Geometry(
            spacing_mm=SPACING_MM,
            thickness_mm=8.0,
            origin_mm=(0.0, 0.0, 0.0),
            row_direction=(1.0, 0.0, 0.0),
            column_direction=(0.0, 1.0, 0.0),
        ),
        sequence=recovery(echo_s, delay_s),
        proton_density=readout(5.0, echo_s) if has_first else None,
    )


def signal(curve: Tensor, sequence: SaturationRecovery, r2_star: float) -> Tensor:
    rate = BLOOD.longitudinal_1_s(curve)
    lost = r2_star * curve
    reference = readout(5.0, sequence.readout.echo_time_s)
    first = reference.signal(rate[:N_FIRST], lost[:N_FIRST])
    return torch.cat([first, sequence.signal(rate[N_FIRST:], lost[N_FIRST:])])
