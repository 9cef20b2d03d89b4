"""Putting what is asked of the myocardium in the place of what was drawn."""

from dataclasses import replace

from models.phantom.asked_tissue import AskedTissue
from models.phantom.heart import Heart
from models.phantom.perfusion import FlowPattern, TissueExchange
from models.phantom.randomness import log_uniform, stream, uniform


def pattern_to_order(
    drawn: FlowPattern, asked: AskedTissue, *, heart: Heart, n_slices: int
) -> FlowPattern:
    """Return the drawn pattern with the flow and the defect that are asked for."""
    result = drawn
    if asked.healthy_flow_ml_min_g is not None or asked.defect_share is not None:
        healthy = asked.healthy_flow_ml_min_g or drawn.healthy_ml_min_g
        share = asked.defect_share or drawn.defect_ml_min_g / drawn.healthy_ml_min_g
        result = replace(drawn, healthy_ml_min_g=healthy, defect_ml_min_g=share * healthy)
    if asked.defect_width_mm is None:
        return result
    middle_mm = heart.cavity_radius_mm + 0.5 * heart.wall_mm
    return replace(
        result,
        defect_half_width_rad=0.5 * asked.defect_width_mm / middle_mm,
        defect_slices=tuple(range(n_slices)) if asked.defect_width_mm else (),
        defect_gradient=0.0,
    )


def exchange_to_order(drawn: TissueExchange, asked: AskedTissue, *, seed: int) -> TissueExchange:
    """Return the drawn exchange with the model, the arrival and the volumes that are asked for."""
    arrival_s = drawn.arrival_s if asked.arrival_s is None else asked.arrival_s
    result = replace(drawn, model=asked.model, arrival_s=arrival_s)
    if not asked.has_wide_exchange:
        return result
    generator = stream(seed, "wide exchange")
    return replace(
        result,
        plasma_volume=uniform(generator, 0.03, 0.1),
        interstitial_volume=uniform(generator, 0.12, 0.35),
        permeability_surface_ml_min_ml=log_uniform(generator, 0.4, 2.5),
    )
