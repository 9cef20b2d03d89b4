"""Drawing the sequences of a random protocol: readout, saturation, timing within the beat."""

import math
from dataclasses import dataclass, replace

from torch import Generator

from models.phantom.randomness import chance, uniform
from models.physics import (
    BalancedSteadyState,
    EchoPlanarGradientEcho,
    Preparation,
    Readout,
    SaturationRecovery,
    SpoiledGradientEcho,
)

_SHORTEST_DELAY_S = 0.006
"""Spoiling after the saturation pulse."""
_ECHO_TRAIN = 4
_HURRIED = 0.35
"""Share of protocols that are as short as can be, for hearts that beat fast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequences:
    """The perfusion and arterial-input sequences of one protocol and when they are played."""

    perfusion: SaturationRecovery
    perfusion_proton_density: Readout
    arterial: SaturationRecovery
    arterial_proton_density: SpoiledGradientEcho
    arterial_second_echo_time_s: float | None
    arterial_trigger_delay_s: float
    first_slice_trigger_delay_s: float
    slice_interval_s: float


def draw_sequences(generator: Generator, *, field_strength_t: float) -> Sequences:
    """Draw a spoiled, echo-planar or balanced perfusion sequence and a spoiled arterial one."""
    is_hurried = chance(generator, _HURRIED)
    readout = _draw_readout(generator, field_strength_t, share=0.5 if is_hurried else 1.0)
    perfusion = _saturated(generator, readout, (0.080, 0.095 if is_hurried else 0.180))
    longest_gap_s = 0.004 if is_hurried else 0.03
    arterial = _saturated(generator, _draw_arterial(generator), (0.014, 0.040))
    first_echo = arterial.readout
    if not isinstance(first_echo, SpoiledGradientEcho):
        raise TypeError("arterial-input series are spoiled")
    after_arterial_s = 2.0 * first_echo.time_to_centre_s + uniform(generator, 0.002, longest_gap_s)
    arterial_s = arterial.saturation_time_s + uniform(generator, 0.002, longest_gap_s)
    train_s = perfusion.readout.time_to_centre_s
    return Sequences(
        perfusion=perfusion,
        perfusion_proton_density=_without_saturation(generator, readout),
        arterial=arterial,
        arterial_proton_density=replace(first_echo, flip_angle_rad=_degrees(generator, 3.0, 8.0)),
        arterial_second_echo_time_s=(
            first_echo.echo_time_s + uniform(generator, 0.7e-3, 1.6e-3)
            if chance(generator, 0.4)
            else None
        ),
        arterial_trigger_delay_s=arterial_s,
        first_slice_trigger_delay_s=arterial_s + after_arterial_s + perfusion.saturation_time_s,
        slice_interval_s=perfusion.saturation_time_s
        + train_s
        + uniform(generator, 0.002, longest_gap_s),
    )


def _draw_readout(generator: Generator, field_strength_t: float, *, share: float) -> Readout:
    """Draw how a slice is read, with a share of the usual pulses; seldom balanced at 3 T."""
    kind = uniform(generator, 0.0, 1.0)
    if kind < 0.5:
        return _spoiled(
            generator, (1.8e-3, 2.8e-3), (8.0, 20.0), (round(15 * share), round(40 * share))
        )
    if kind < (0.7 if field_strength_t < 2.0 else 0.85):
        return _echo_planar(generator, share)
    return _balanced(generator, field_strength_t, share)


def _draw_arterial(generator: Generator) -> SpoiledGradientEcho:
    return _spoiled(generator, (1.2e-3, 2.3e-3), (5.0, 12.0), (4, 14))


def _spoiled(
    generator: Generator,
    repetition_time_s: tuple[float, float],
    flip_angle_deg: tuple[float, float],
    n_pulses: tuple[int, int],
) -> SpoiledGradientEcho:
    repetition_s = uniform(generator, *repetition_time_s)
    return SpoiledGradientEcho(
        repetition_time_s=repetition_s,
        echo_time_s=repetition_s * uniform(generator, 0.38, 0.5),
        flip_angle_rad=_degrees(generator, *flip_angle_deg),
        pulses_before_centre=_count(generator, *n_pulses),
    )


def _echo_planar(generator: Generator, share: float) -> EchoPlanarGradientEcho:
    spacing_s = uniform(generator, 0.9e-3, 1.4e-3)
    first_echo_s = uniform(generator, 1.0e-3, 1.6e-3)
    effective_s = first_echo_s + (_ECHO_TRAIN // 2) * spacing_s
    return EchoPlanarGradientEcho(
        repetition_time_s=first_echo_s + _ECHO_TRAIN * spacing_s + uniform(generator, 1e-3, 2e-3),
        echo_time_s=effective_s,
        flip_angle_rad=_degrees(generator, 18.0, 30.0),
        pulses_before_centre=_count(generator, round(5 * share), round(12 * share)),
        echo_train_length=_ECHO_TRAIN,
        echo_spacing_s=spacing_s,
    )


def _balanced(generator: Generator, field_strength_t: float, share: float) -> BalancedSteadyState:
    flip_deg = (40.0, 60.0) if field_strength_t < 2.0 else (28.0, 45.0)
    return BalancedSteadyState(
        repetition_time_s=uniform(generator, 2.3e-3, 3.2e-3),
        flip_angle_rad=_degrees(generator, *flip_deg),
        pulses_before_centre=_count(generator, round(12 * share), round(30 * share)),
        preparation=Preparation.RAMP if chance(generator, 0.5) else Preparation.HALF_ALPHA,
        n_ramp=_count(generator, 2, 6),
    )


def _saturated(
    generator: Generator, readout: Readout, saturation_time_s: tuple[float, float]
) -> SaturationRecovery:
    """Put a saturation pulse before a readout; the train may leave no room for a short time."""
    asked_s = uniform(generator, *saturation_time_s)
    return SaturationRecovery(
        saturation_delay_s=max(asked_s - readout.time_to_centre_s, _SHORTEST_DELAY_S),
        residual_fraction=uniform(generator, -0.02, 0.05),
        readout=readout,
    )


def _without_saturation(generator: Generator, readout: Readout) -> Readout:
    """Return the readout of proton-density frames; spoiled also where perfusion is balanced."""
    flip_rad = _degrees(generator, 3.0, 8.0)
    if isinstance(readout, SpoiledGradientEcho | EchoPlanarGradientEcho):
        return replace(readout, flip_angle_rad=flip_rad)
    return SpoiledGradientEcho(
        repetition_time_s=readout.repetition_time_s,
        echo_time_s=readout.echo_time_s,
        flip_angle_rad=flip_rad,
        pulses_before_centre=readout.pulses_before_centre,
    )


def _degrees(generator: Generator, low: float, high: float) -> float:
    return math.radians(uniform(generator, low, high))


def _count(generator: Generator, low: int, high: int) -> int:
    """Draw a whole number between low and high, both included."""
    return min(low + int(uniform(generator, 0.0, high - low + 1.0)), high)
