"""Everything about the virtual patient that all series share."""

from dataclasses import dataclass

from models.phantom.bolus import BloodCurves, draw_blood_curves
from models.phantom.breathing import draw_breathing
from models.phantom.heart import Heart, draw_heart
from models.phantom.motion import BodyMotion, draw_body_motion
from models.phantom.perfusion import (
    FlowPattern,
    MyocardialCurves,
    TissueExchange,
    draw_flow_pattern,
    draw_tissue_exchange,
    myocardial_curves,
)
from models.phantom.protocol import PhantomState, Protocol
from models.phantom.randomness import stream
from models.phantom.rhythm import Rhythm, draw_rhythm
from models.phantom.thorax import Thorax, draw_thorax


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """One virtual patient in one state."""

    seed: int
    state: PhantomState
    protocol: Protocol
    heart: Heart
    thorax: Thorax
    rhythm: Rhythm
    blood: BloodCurves
    pattern: FlowPattern
    exchange: TissueExchange
    curves: MyocardialCurves
    body: BodyMotion


def draw_patient(seed: int, *, state: PhantomState, protocol: Protocol) -> Patient:
    """Draw a patient: anatomy by seed alone, physiology by seed and state."""
    rhythm = draw_rhythm(
        stream(seed, state, "rhythm"),
        state=state,
        n_beats=protocol.n_beats,
        shortest_s=protocol.last_trigger_delay_s,
    )
    duration_s = float(rhythm.trigger_s[-1] + rhythm.interval_s[-1])
    blood = draw_blood_curves(
        stream(seed, state, "bolus"), state=state, duration_s=duration_s
    ).scaled(protocol.dose_fraction)
    pattern = draw_flow_pattern(stream(seed, "flow"), state=state, n_slices=protocol.n_slices)
    exchange = draw_tissue_exchange(
        stream(seed, state, "exchange"),
        state=state,
        healthy_ml_min_g=pattern.healthy_ml_min_g,
        hematocrit_fraction=protocol.hematocrit_fraction,
        density_g_ml=protocol.density_g_ml,
    )
    trace = draw_breathing(
        stream(seed, state, "breathing"),
        breathing=protocol.breathing,
        range_mm=protocol.breathing_range_mm,
        duration_s=duration_s,
    )
    return Patient(
        seed=seed,
        state=state,
        protocol=protocol,
        heart=draw_heart(stream(seed, "heart")),
        thorax=draw_thorax(stream(seed, "thorax")),
        rhythm=rhythm,
        blood=blood,
        pattern=pattern,
        exchange=exchange,
        curves=myocardial_curves(exchange, blood),
        body=draw_body_motion(stream(seed, state, "body"), trace),
    )
