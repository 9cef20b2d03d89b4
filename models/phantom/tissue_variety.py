"""Tissues around the heart in any brightness, from black to brighter than blood."""

from collections.abc import Mapping
from dataclasses import replace

from torch import Generator

from models.phantom.randomness import chance, log_uniform, uniform
from models.phantom.tissues import SOLID, Tissue, TissueConstants

_NEAR_HEART = (Tissue.RIGHT_WALL, Tissue.FLUID)
"""These keep about their own brightness."""
_BRIGHTEST = 2.2
"""Proton density relative to blood: a receive coil close by does the rest of it."""


def draw_wide_tissues(generator: Generator) -> Mapping[Tissue, TissueConstants]:
    """Draw proton density, T1 and uptake of every tissue outside the left ventricle."""
    return {tissue: _varied(generator, tissue, usual) for tissue, usual in SOLID.items()}


def _varied(generator: Generator, tissue: Tissue, usual: TissueConstants) -> TissueConstants:
    is_known = tissue in _NEAR_HEART or chance(generator, 0.5)
    near = usual.proton_density * log_uniform(generator, 0.7, 1.3)
    anything = uniform(generator, 0.02, _BRIGHTEST)
    if tissue is Tissue.LUNG:
        anything *= 0.25
    if tissue is Tissue.FAT:
        near = log_uniform(generator, 0.1, 0.9)
    longer = log_uniform(generator, 0.85, 1.15) if is_known else log_uniform(generator, 0.5, 1.8)
    return replace(
        usual,
        proton_density=near if is_known else anything,
        t1_1_5_t_s=usual.t1_1_5_t_s * longer,
        t1_3_t_s=usual.t1_3_t_s * longer,
        flow_ml_min_g=usual.flow_ml_min_g * log_uniform(generator, 0.4, 2.5),
        blood_volume=usual.blood_volume * log_uniform(generator, 0.5, 1.5),
        arrival_s=usual.arrival_s + uniform(generator, 0.0, 3.0),
    )
