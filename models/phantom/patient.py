"""Everything about the virtual patient that all series share."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Generator

from models.phantom.bolus import BloodCurves, draw_blood_curves, draw_wide_blood_curves
from models.phantom.breathing import BreathingTrace, draw_breathing
from models.phantom.heart import Heart, draw_heart
from models.phantom.heart_variety import draw_wide_heart
from models.phantom.motion import BodyMotion, draw_body_motion
from models.phantom.motion_variety import draw_wide_body_motion
from models.phantom.perfusion import (
    LOWEST_ML_MIN_G,
    FlowPattern,
    MyocardialCurves,
    TissueExchange,
    draw_flow_pattern,
    draw_tissue_exchange,
    draw_wide_flow_pattern,
    myocardial_curves,
)
from models.phantom.protocol import PhantomState, Protocol
from models.phantom.randomness import stream
from models.phantom.rhythm import Rhythm, draw_rhythm, draw_wide_rhythm, steady_rhythm
from models.phantom.thorax import Thorax, draw_thorax
from models.phantom.thorax_variety import draw_wide_thorax
from models.phantom.tissue_to_order import exchange_to_order, pattern_to_order
from models.phantom.tissue_variety import draw_wide_tissues
from models.phantom.tissues import SOLID, Tissue, TissueConstants
from models.phantom.variety import Variety

_LOWER = 0.55
"""Flow levels begin at this share of the flow of a defect, which may be uneven itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """One virtual patient in one state."""

    seed: int
    state: PhantomState
    protocol: Protocol
    heart: Heart
    thorax: Thorax
    solid: Mapping[Tissue, TissueConstants]
    """Properties of the tissues outside the left ventricle."""
    rhythm: Rhythm
    blood: BloodCurves
    pattern: FlowPattern
    exchange: TissueExchange
    curves: MyocardialCurves
    body: BodyMotion


def draw_patient(seed: int, *, state: PhantomState, protocol: Protocol) -> Patient:
    """Draw a patient: anatomy by seed alone, physiology by seed and state."""
    is_wide = protocol.variety is Variety.WIDE
    rhythm = _draw_rhythm(seed, state, protocol)
    duration_s = float(rhythm.trigger_s[-1] + rhythm.interval_s[-1])
    blood = (draw_wide_blood_curves if is_wide else draw_blood_curves)(
        stream(seed, state, "bolus"), state=state, duration_s=duration_s
    ).scaled(protocol.dose_fraction)
    heart, thorax, solid = _draw_anatomy(seed, protocol)
    pattern, exchange = _draw_perfusion(seed, state, protocol, heart)
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
        heart=heart,
        thorax=thorax,
        solid=solid,
        rhythm=rhythm,
        blood=blood,
        pattern=pattern,
        exchange=exchange,
        curves=myocardial_curves(
            exchange,
            blood,
            lowest_ml_min_g=min(LOWEST_ML_MIN_G, _LOWER * pattern.defect_ml_min_g),
        ),
        body=_draw_body(stream(seed, state, "body"), protocol, trace, heart),
    )


def _draw_rhythm(seed: int, state: PhantomState, protocol: Protocol) -> Rhythm:
    """Draw the triggers: those of a patient, or as even as was asked for."""
    generator, shortest_s = stream(seed, state, "rhythm"), protocol.last_trigger_delay_s
    if protocol.heart_rate_bpm is not None:
        return steady_rhythm(
            generator,
            heart_rate_bpm=protocol.heart_rate_bpm,
            n_missed=protocol.n_missed_beats,
            n_beats=protocol.n_beats,
            shortest_s=shortest_s,
        )
    draw = draw_wide_rhythm if protocol.variety is Variety.WIDE else draw_rhythm
    return draw(generator, state=state, n_beats=protocol.n_beats, shortest_s=shortest_s)


def _draw_perfusion(
    seed: int, state: PhantomState, protocol: Protocol, heart: Heart
) -> tuple[FlowPattern, TissueExchange]:
    """Draw flow and exchange, then put in what was asked for."""
    is_wide = protocol.variety is Variety.WIDE
    drawn = (draw_wide_flow_pattern if is_wide else draw_flow_pattern)(
        stream(seed, "flow"), state=state, n_slices=protocol.n_slices
    )
    pattern = pattern_to_order(drawn, protocol.tissue, heart=heart, n_slices=protocol.n_slices)
    exchange = draw_tissue_exchange(
        stream(seed, state, "exchange"),
        state=state,
        healthy_ml_min_g=pattern.healthy_ml_min_g,
        hematocrit_fraction=protocol.hematocrit_fraction,
        density_g_ml=protocol.density_g_ml,
    )
    return pattern, exchange_to_order(exchange, protocol.tissue, seed=seed)


def _draw_anatomy(
    seed: int, protocol: Protocol
) -> tuple[Heart, Thorax, Mapping[Tissue, TissueConstants]]:
    """Draw heart, chest and the tissues of the chest."""
    if protocol.variety is Variety.USUAL:
        return draw_heart(stream(seed, "heart")), draw_thorax(stream(seed, "thorax")), SOLID
    beyond = protocol.anatomy_beyond
    heart = draw_wide_heart(
        stream(seed, "heart"), field_of_view_mm=protocol.field_of_view_mm, beyond=beyond
    )
    thorax = draw_wide_thorax(stream(seed, "thorax"), heart, beyond=beyond)
    return heart, thorax, draw_wide_tissues(stream(seed, "tissues"))


def _draw_body(
    generator: Generator, protocol: Protocol, trace: BreathingTrace, heart: Heart
) -> BodyMotion:
    if protocol.variety is Variety.USUAL:
        return draw_body_motion(generator, trace)
    return draw_wide_body_motion(generator, trace, heart, beyond=protocol.anatomy_beyond)
