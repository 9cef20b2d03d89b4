"""The clinical point with another readout of the slices."""

import math
from dataclasses import replace

from models.phantom import Protocol
from models.physics import (
    BalancedSteadyState,
    EchoPlanarGradientEcho,
    Preparation,
    Readout,
    SaturationRecovery,
    SpoiledGradientEcho,
)

_SATURATION_TIME_S = 0.11


def echo_planar(base: Protocol) -> Protocol:
    """Return the protocol with interleaved echo-planar readouts: four lines per pulse."""
    readout = EchoPlanarGradientEcho(
        repetition_time_s=0.0065,
        echo_time_s=0.0033,
        flip_angle_rad=math.radians(25.0),
        pulses_before_centre=8,
        echo_train_length=4,
        echo_spacing_s=0.001,
    )
    without = replace(readout, flip_angle_rad=math.radians(5.0))
    return _with(base, readout, without)


def balanced(base: Protocol) -> Protocol:
    """Return the protocol at 1.5 T with balanced readouts; proton density is spoiled."""
    readout = BalancedSteadyState(
        repetition_time_s=0.0026,
        flip_angle_rad=math.radians(50.0),
        pulses_before_centre=20,
        preparation=Preparation.HALF_ALPHA,
        n_ramp=5,
    )
    without = SpoiledGradientEcho(
        repetition_time_s=readout.repetition_time_s,
        echo_time_s=readout.echo_time_s,
        flip_angle_rad=math.radians(5.0),
        pulses_before_centre=readout.pulses_before_centre,
    )
    return replace(_with(base, readout, without), field_strength_t=1.5)


def _with(base: Protocol, readout: Readout, without: Readout) -> Protocol:
    perfusion = SaturationRecovery(
        saturation_delay_s=_SATURATION_TIME_S - readout.time_to_centre_s,
        residual_fraction=0.0,
        readout=readout,
    )
    return replace(base, perfusion=perfusion, perfusion_proton_density=without)
