"""What is known of a sequence, as the readouts of the signal model."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from models.physics import (
    BalancedSteadyState,
    EchoPlanarGradientEcho,
    Preparation,
    Readout,
    SaturationRecovery,
    SpoiledGradientEcho,
)
from node.translate.acquisition import Acquisition

_PREPARATIONS = {"half_alpha": Preparation.HALF_ALPHA, "ramp": Preparation.RAMP}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequences:
    """The two readouts of one series; None where too little is known of them."""

    saturation_recovery: SaturationRecovery | None
    proton_density: Readout | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Train:
    """The pulses of a readout, known in full."""

    spacing_s: float
    echo_s: float
    n_before: int


def build_sequences(known: Acquisition) -> Sequences:
    """Return the readouts of a series."""
    kind, train = known.readout.value, _train(known)
    flip_deg = known.flip_angle_deg.value
    if kind is None or train is None or flip_deg is None:
        return Sequences(saturation_recovery=None, proton_density=None)
    readout = _BUILDERS[kind](known, train, math.radians(flip_deg))
    if readout is None:
        return Sequences(saturation_recovery=None, proton_density=None)
    # Proton-density frames of balanced series are spoiled.
    reference = "spoiled" if kind == "balanced" else kind
    density_deg = known.proton_density_flip_angle_deg.value
    return Sequences(
        saturation_recovery=_saturation_recovery(known, readout),
        proton_density=None
        if density_deg is None
        else _BUILDERS[reference](known, train, math.radians(density_deg)),
    )


def _train(known: Acquisition) -> _Train | None:
    spacing_ms, echo_ms = known.pulse_spacing_ms.value, known.echo_time_ms.value
    n_before = known.pulses_before_centre.value
    if spacing_ms is None or echo_ms is None or n_before is None:
        return None
    return _Train(spacing_s=spacing_ms / 1e3, echo_s=echo_ms / 1e3, n_before=n_before)


def _spoiled(_known: Acquisition, train: _Train, flip_rad: float) -> Readout:
    return SpoiledGradientEcho(
        repetition_time_s=train.spacing_s,
        echo_time_s=train.echo_s,
        flip_angle_rad=flip_rad,
        pulses_before_centre=train.n_before,
    )


def _balanced(known: Acquisition, train: _Train, flip_rad: float) -> Readout:
    return BalancedSteadyState(
        repetition_time_s=train.spacing_s,
        flip_angle_rad=flip_rad,
        pulses_before_centre=train.n_before,
        preparation=_PREPARATIONS[known.balanced_preparation.value or "ramp"],
        n_ramp=known.ramp_pulses.value or 1,
    )


def _echo_planar(known: Acquisition, train: _Train, flip_rad: float) -> Readout | None:
    """Return the train of shots; None when the echo comes after the next shot.

    Headers do not give the spacing of the echoes, and the signal of the centre does not depend on
    it: they are spread over the time that is left.
    """
    if train.echo_s >= train.spacing_s:
        return None
    n_echoes = known.echo_train_length.value or 1
    return EchoPlanarGradientEcho(
        repetition_time_s=train.spacing_s,
        echo_time_s=train.echo_s,
        flip_angle_rad=flip_rad,
        pulses_before_centre=train.n_before,
        echo_train_length=n_echoes,
        echo_spacing_s=(train.spacing_s - train.echo_s) / n_echoes,
    )


_BUILDERS: dict[str, Callable[[Acquisition, _Train, float], Readout | None]] = {
    "spoiled": _spoiled,
    "balanced": _balanced,
    "echo_planar": _echo_planar,
}


def _saturation_recovery(known: Acquisition, readout: Readout) -> SaturationRecovery | None:
    """Return preparation and readout, or None when the delay before the readout is not positive."""
    delay_s = _saturation_delay_s(known, readout)
    efficiency_percent = known.saturation_efficiency_percent.value
    if delay_s is None or delay_s <= 0 or efficiency_percent is None:
        return None
    return SaturationRecovery(
        saturation_delay_s=delay_s,
        residual_fraction=1.0 - efficiency_percent / 100,
        readout=readout,
    )


def _saturation_delay_s(known: Acquisition, readout: Readout) -> float | None:
    if known.saturation_delay_ms.value is not None:
        return known.saturation_delay_ms.value / 1e3
    if known.inversion_time_ms.value is None or known.inversion_time_meaning.value is None:
        return None
    until_centre_s = readout.time_to_centre_s
    is_to_centre = known.inversion_time_meaning.value == "to_centre"
    return known.inversion_time_ms.value / 1e3 - (until_centre_s if is_to_centre else 0.0)
