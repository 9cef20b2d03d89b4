"""Models and signals of dcmri (Apache-2.0), computed beside ours."""

import math
from pathlib import Path

import dcmri
import numpy as np
import torch
from torch import Tensor

from models.kinetics import (
    BloodTissueExchange,
    ExtendedTofts,
    Response,
    convolve_uniform,
    gamma_variate,
    parker_bolus,
    two_compartment_exchange,
    two_compartment_uptake,
)
from models.physics import SaturationRecovery, SpoiledGradientEcho
from tests.agreement.row import Row

N_TISSUES = 60
STEP_S = 0.05
TIME_S = STEP_S * torch.arange(1201, dtype=torch.float64)
ARTERIAL = 5.0 * gamma_variate(TIME_S, arrival_s=3.0, rise_s=4.5, shape=3.0)


def drawn(low: float, high: float, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return low + (high - low) * torch.rand(N_TISSUES, generator=generator, dtype=torch.float64)


FLOW_1_S = drawn(0.3 / 60, 5.0 / 60, 1)
VOLUME = drawn(0.05, 0.17, 2)
INTERSTITIUM = drawn(0.1, 0.6, 3)
SURFACE_1_S = drawn(0.3 / 60, 4.0 / 60, 4)


def compared(what: str, kinetics: str, response: Response, given: dict[str, Tensor]) -> Row:
    """Compare all tissues, in the blood form: hematocrit 0 leaves volumes as they are."""
    ours = convolve_uniform(response, ARTERIAL, STEP_S).numpy()
    worst = 0.0
    for tissue in range(N_TISSUES):
        parameters = {name: float(values[tissue]) for name, values in given.items()}
        if kinetics not in {"NX", "NXP"}:
            parameters["H"] = 0.0
        theirs = dcmri.conc_tissue(
            ARTERIAL.numpy(), t=TIME_S.numpy(), kinetics=kinetics, **parameters
        )
        worst = max(worst, float(np.abs(ours[tissue] - theirs).max() / theirs.max()))
    return Row(
        what=what,
        whose=f"dcmri {kinetics}",
        n_cases=N_TISSUES,
        measure="largest difference over peak",
        found=worst,
        allowed=1e-3,
    )


def exchange(_: Path) -> Row:
    response = two_compartment_exchange(
        flow_1_s=FLOW_1_S,
        blood_volume=VOLUME,
        interstitial_volume=INTERSTITIUM,
        permeability_surface_1_s=SURFACE_1_S,
    )
    given = {"vb": VOLUME, "vi": INTERSTITIUM, "Fb": FLOW_1_S, "PS": SURFACE_1_S}
    return compared("two-compartment exchange, flow 0.3 to 5 ml/min/ml", "2CX", response, given)


def uptake(_: Path) -> Row:
    response = two_compartment_uptake(
        flow_1_s=FLOW_1_S, blood_volume=VOLUME, permeability_surface_1_s=SURFACE_1_S
    )
    given = {"vb": VOLUME, "Fb": FLOW_1_S, "PS": SURFACE_1_S}
    return compared("two-compartment uptake, flow 0.3 to 5 ml/min/ml", "2CU", response, given)


def extended_tofts(_: Path) -> Row:
    response = ExtendedTofts(
        transfer_1_s=SURFACE_1_S, plasma_volume=VOLUME, interstitial_volume=INTERSTITIUM
    )
    given = {"vb": VOLUME, "vi": INTERSTITIUM, "PS": SURFACE_1_S}
    return compared("extended Tofts, Ktrans 0.3 to 4 /min", "HF", response, given)


def plug_flow(_: Path) -> Row:
    """Without exchange only the plug remains; dcmri has no plug flow with exchange."""
    response = BloodTissueExchange(
        flow_1_s=FLOW_1_S,
        blood_volume=VOLUME,
        interstitial_volume=INTERSTITIUM,
        permeability_surface_1_s=torch.full_like(FLOW_1_S, 1e-12),
    )
    return compared("plug flow without exchange", "NXP", response, {"vb": VOLUME, "Fb": FLOW_1_S})


def parker(_: Path) -> Row:
    theirs = 1000.0 * dcmri.aif_parker(TIME_S.numpy() * 5.0)
    error = np.abs(parker_bolus(TIME_S * 5.0).numpy() - theirs).max()
    return Row(
        what="population arterial input",
        whose="dcmri Parker",
        n_cases=len(theirs),
        measure="mmol/l, largest",
        found=float(error),
        allowed=1e-5,
    )


def saturation_recovery(_: Path) -> Row:
    rates_1_s = np.array([0.3, 0.7, 1.5, 4.0, 12.0, 40.0, 90.0])
    repetition_s, angle_deg = drawn(1.5e-3, 4e-3, 5), drawn(5.0, 30.0, 6)
    delay_s, left = drawn(0.004, 0.15, 7), drawn(0.0, 0.1, 8)
    n_pulses = drawn(0.0, 70.0, 9).int()
    worst = 0.0
    for each in range(N_TISSUES):
        repetition, angle, n = (
            float(repetition_s[each]),
            float(angle_deg[each]),
            int(n_pulses[each]),
        )
        readout = SpoiledGradientEcho(
            repetition_time_s=repetition,
            echo_time_s=1e-3,
            flip_angle_rad=math.radians(angle),
            pulses_before_centre=n,
        )
        sequence = SaturationRecovery(
            saturation_delay_s=float(delay_s[each]),
            residual_fraction=float(left[each]),
            readout=readout,
        )
        theirs = dcmri.signal_spgr(
            *(1.0, rates_1_s, n * repetition, repetition, angle),
            TP=float(delay_s[each]),
            n0=float(left[each]),
        )
        ours = sequence.signal(torch.from_numpy(rates_1_s)).numpy()
        worst = max(worst, float((np.abs(ours - theirs) / theirs).max()))
    return Row(
        what="saturation-recovery spoiled gradient echo, signal",
        whose="dcmri SPGR",
        n_cases=N_TISSUES * len(rates_1_s),
        measure="relative, largest",
        found=worst,
        allowed=1e-8,
    )
