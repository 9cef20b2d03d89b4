"""Tissue curves without images: many voxels of known flow that share one arterial input.

Noise is that of the signal, brought to concentration by the slope of the saturation-recovery
curve; the baseline is subtracted as a scanner's would be. Ranges are those of the literature, wide
and independent of one another, so that no relation between them can be learned from these curves.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from models.kinetics import convolve_uniform, interpolate
from models.phantom import PhantomState, Protocol
from models.phantom.bolus import SPACING_S, draw_wide_blood_curves
from models.phantom.randomness import log_uniform, normals, stream, uniform
from models.phantom.rhythm import steady_rhythm
from models.phantom.tissue_models import TissueModel, feeding_blood, tissue_response
from models.physics import AGENTS, SaturationRecovery, native_relaxation, relaxation_rate
from pipeline.perfusion.arterial_input import first_pass
from pipeline.types import ArterialInput

DENSITY_G_ML = 1.05
HEMATOCRIT = 0.42
FLOW_ML_MIN_G = (0.3, 5.0)
DELAY_S = (0.0, 3.0)
BLOOD_VOLUME = (0.05, 0.18)
"""ml of blood per ml of tissue."""
INTERSTITIAL_VOLUME = (0.12, 0.35)
PERMEABILITY_ML_MIN_G = (0.3, 2.5)
"""PS of plasma for a gadolinium chelate."""
_REFERENCE_MMOL_L = 0.6
"""Concentration at the peak of healthy stressed wall; its signal over the noise is the SNR."""
_ARTERIAL_NOISE = 0.004
"""Of the mean of a pool of some forty pixels, relative to the peak."""
_N_BEATS = 60
_BATCH = 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CurveTruth:
    """What is behind each curve, in the units of a flow map."""

    flow_ml_min_g: Float[Tensor, " voxel"]
    delay_s: Float[Tensor, " voxel"]
    blood_volume: Float[Tensor, " voxel"]
    interstitial_volume: Float[Tensor, " voxel"]
    permeability_surface_ml_min_g: Float[Tensor, " voxel"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CurveSet:
    """Voxels of one exam without its images."""

    tissue_mmol_l: Float[Tensor, "voxel time"]
    """With noise, baseline subtracted."""
    noise_free_mmol_l: Float[Tensor, "voxel time"]
    time_s: Float[Tensor, " time"]
    arterial_input: ArterialInput
    truth: CurveTruth
    tissue_model: TissueModel
    signal_to_noise: float
    heart_rate_bpm: float


def draw_curves(
    seed: int,
    n_voxels: int,
    *,
    tissue_model: TissueModel = TissueModel.PLUG_FLOW,
    signal_to_noise: float | None = None,
    heart_rate_bpm: float | None = None,
    n_missed: int = 0,
    flow_ml_min_g: tuple[float, float] = FLOW_ML_MIN_G,
    delay_s: tuple[float, float] = DELAY_S,
) -> CurveSet:
    """Draw curves and their truth; what is None is drawn too.

    Parameters
    ----------
    seed
        The same seed gives the same curves.
    n_voxels
        How many.
    tissue_model
        How the agent passes through them.
    signal_to_noise
        Peak signal of healthy wall over noise of a pixel; 10-40 when None.
    heart_rate_bpm
        45-130 when None; beats too short for three slices are imaged every second time.
    n_missed
        Triggers that are missed.
    flow_ml_min_g
        Range of flow, every factor equally likely.
    delay_s
        Range of arrival after the arterial input.

    """
    generator = stream(seed, "curves")
    drawn_snr, drawn_rate = log_uniform(generator, 10.0, 40.0), uniform(generator, 45.0, 130.0)
    snr, rate = signal_to_noise or drawn_snr, heart_rate_bpm or drawn_rate
    protocol = Protocol()
    rhythm = steady_rhythm(
        generator,
        heart_rate_bpm=rate,
        n_missed=n_missed,
        n_beats=_N_BEATS,
        shortest_s=protocol.last_trigger_delay_s,
    )
    blood = draw_wide_blood_curves(
        generator,
        state=PhantomState.STRESS,
        duration_s=float(rhythm.trigger_s[-1] + rhythm.interval_s[-1]),
    )
    time_s = rhythm.trigger_s + protocol.slice_trigger_delay_s(1)
    truth = _draw_truth(generator, n_voxels, flow_ml_min_g, delay_s)
    fed = feeding_blood(tissue_model, blood.left_ventricle, SPACING_S)
    clean = _respond(truth, tissue_model, fed, time_s)
    arterial_s = rhythm.trigger_s + protocol.arterial_trigger_delay_s
    return CurveSet(
        tissue_mmol_l=_with_noise(generator, clean, protocol, snr),
        noise_free_mmol_l=clean,
        time_s=time_s,
        arterial_input=_sampled(generator, blood.left_ventricle, blood.time_s, arterial_s),
        truth=truth,
        tissue_model=tissue_model,
        signal_to_noise=snr,
        heart_rate_bpm=rate,
    )


def _draw_truth(
    generator: Generator, n_voxels: int, flow: tuple[float, float], delay: tuple[float, float]
) -> CurveTruth:
    places = torch.rand(5, n_voxels, generator=generator, dtype=torch.float64)
    return CurveTruth(
        flow_ml_min_g=_log_range(places[0], flow),
        delay_s=_range(places[1], delay),
        blood_volume=_range(places[2], BLOOD_VOLUME),
        interstitial_volume=_range(places[3], INTERSTITIAL_VOLUME),
        permeability_surface_ml_min_g=_log_range(places[4], PERMEABILITY_ML_MIN_G),
    )


def _range(place: Float[Tensor, " voxel"], ends: tuple[float, float]) -> Float[Tensor, " voxel"]:
    return ends[0] + (ends[1] - ends[0]) * place


def _log_range(
    place: Float[Tensor, " voxel"], ends: tuple[float, float]
) -> Float[Tensor, " voxel"]:
    return _range(place, (math.log(ends[0]), math.log(ends[1]))).exp()


def _respond(
    truth: CurveTruth,
    model: TissueModel,
    blood: Float[Tensor, " fine"],
    time_s: Float[Tensor, " time"],
) -> Float[Tensor, "voxel time"]:
    """Return the concentration of each voxel at the sample times."""
    n_voxels = truth.flow_ml_min_g.shape[0]
    per_second = DENSITY_G_ML / 60.0
    plasma = 1.0 - HEMATOCRIT
    parts = []
    for batch in torch.split(torch.arange(n_voxels), _BATCH):
        response = tissue_response(
            model,
            flow_1_s=truth.flow_ml_min_g[batch] * per_second,
            blood_volume=truth.blood_volume[batch],
            interstitial_volume=truth.interstitial_volume[batch] / plasma,
            permeability_surface_1_s=(
                truth.permeability_surface_ml_min_g[batch] * per_second / plasma
            ),
        )
        prompt = convolve_uniform(response, blood, SPACING_S)
        parts.append(_delayed(prompt, time_s - truth.delay_s[batch, None]))
    return torch.cat(parts)


def _delayed(
    curves: Float[Tensor, "voxel fine"], at_s: Float[Tensor, "voxel time"]
) -> Float[Tensor, "voxel time"]:
    """Return each curve at times of its own; zero before the clock begins."""
    place = (at_s / SPACING_S).clamp(0.0, curves.shape[1] - 1.001)
    left = place.floor().long()
    return torch.lerp(curves.gather(1, left), curves.gather(1, left + 1), place - left)


def _with_noise(
    generator: Generator, clean: Float[Tensor, "voxel time"], protocol: Protocol, snr: float
) -> Float[Tensor, "voxel time"]:
    """Add noise of the signal and subtract the mean before any voxel enhances."""
    reference = torch.full((1,), _REFERENCE_MMOL_L, dtype=torch.float64)
    sd = float(_signal(protocol.perfusion, reference)) / snr
    step = 1e-4
    slope = (_signal(protocol.perfusion, clean + step) - _signal(protocol.perfusion, clean)) / step
    drawn = normals(generator, clean.numel()).reshape(clean.shape)
    noisy = clean + sd / slope * drawn
    n_before = max(int((clean.amax(dim=0) <= 1e-3).int().cumprod(0).sum()), 2)
    return noisy - noisy[:, :n_before].mean(dim=1, keepdim=True)


def _signal(
    sequence: SaturationRecovery, concentration: Float[Tensor, " *shape"]
) -> Float[Tensor, " *shape"]:
    return sequence.signal(
        relaxation_rate(
            concentration,
            native_t1_s=native_relaxation(3.0).t1_myocardium_s,
            relaxivity_l_mmol_s=AGENTS["gadobutrol"].relaxivity_l_mmol_s(3.0),
        )
    )


def _sampled(
    generator: Generator,
    blood: Float[Tensor, " fine"],
    fine_s: Float[Tensor, " fine"],
    time_s: Float[Tensor, " time"],
) -> ArterialInput:
    """Return the arterial input at the beats, with a little noise."""
    noise = _ARTERIAL_NOISE * float(blood.max()) * normals(generator, time_s.shape[0])
    pool = torch.ones(1, 1, dtype=torch.bool)
    return first_pass(interpolate(blood, fine_s, time_s) + noise, time_s, pool)
