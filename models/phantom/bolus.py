"""Gadolinium in blood: vein, right heart, lungs, left heart, aorta."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from models.kinetics import RecirculatingBolus
from models.phantom.protocol import PhantomState
from models.phantom.randomness import log_uniform, uniform

SPACING_S = 0.05
"""Spacing of the fine time grid of all concentrations, s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BloodCurves:
    """Whole-blood concentration over the exam, mmol/l."""

    time_s: Float[Tensor, " time"]
    right_ventricle: Float[Tensor, " time"]
    lungs: Float[Tensor, " time"]
    left_ventricle: Float[Tensor, " time"]

    def scaled(self, factor: float) -> "BloodCurves":
        """Return the curves of another dose."""
        return BloodCurves(
            time_s=self.time_s,
            right_ventricle=factor * self.right_ventricle,
            lungs=factor * self.lungs,
            left_ventricle=factor * self.left_ventricle,
        )


def draw_blood_curves(
    generator: Generator, *, state: PhantomState, duration_s: float
) -> BloodCurves:
    """Draw the passage of one bolus; rest is slower than stress."""
    pace = 1.0 if state is PhantomState.STRESS else 1.25
    left_peak = uniform(generator, 3.2, 4.8)
    arrival_s = uniform(generator, 6.5, 8.5)
    passage = _Passage(pace=pace, left_peak_mmol_l=left_peak, arrival_s=arrival_s)
    return _draw_passage(generator, passage, duration_s)


def draw_wide_blood_curves(
    generator: Generator, *, state: PhantomState, duration_s: float
) -> BloodCurves:
    """Draw the passage of one bolus through a fast or failing heart, injected early or late.

    A short exam gets a fast passage, for else it would end before the blood of the left ventricle
    is brightest.
    """
    usual = 1.0 if state is PhantomState.STRESS else 1.25
    in_time = min(duration_s / 40.0, 1.0)
    passage = _Passage(
        pace=max(usual * log_uniform(generator, 0.75, 1.6) * in_time, 0.6),
        left_peak_mmol_l=uniform(generator, 2.5, 5.5),
        arrival_s=uniform(generator, 2.5, 9.0) * in_time,
    )
    return _draw_passage(generator, passage, duration_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Passage:
    """How fast and dense the bolus comes."""

    pace: float
    """Duration relative to that at stress."""
    left_peak_mmol_l: float
    arrival_s: float


def _draw_passage(generator: Generator, passage: _Passage, duration_s: float) -> BloodCurves:
    time_s = SPACING_S * torch.arange(int(duration_s / SPACING_S) + 2, dtype=torch.float64)
    pace, left_peak, arrival_s = passage.pace, passage.left_peak_mmol_l, passage.arrival_s
    right = RecirculatingBolus(
        peak_mmol_l=left_peak * uniform(generator, 1.5, 1.9),
        arrival_s=arrival_s,
        rise_s=pace * uniform(generator, 2.8, 3.6),
        shape=uniform(generator, 2.2, 3.0),
        recirculation_delay_s=pace * uniform(generator, 10.0, 12.0),
        recirculation_fraction=0.06,
        remainder_fraction=0.10,
        clearance_s=180.0,
    )
    rise_s, shape = pace * uniform(generator, 4.4, 5.4), uniform(generator, 2.4, 3.0)
    left = RecirculatingBolus(
        peak_mmol_l=left_peak,
        arrival_s=arrival_s + right.rise_s + pace * uniform(generator, 5.3, 7.2) - rise_s,
        rise_s=rise_s,
        shape=shape,
        # So late, counted in widths of the first pass, that a valley stays between the passes.
        recirculation_delay_s=uniform(generator, 3.9, 4.4) * rise_s / math.sqrt(shape),
        recirculation_fraction=uniform(generator, 0.10, 0.16),
        remainder_fraction=uniform(generator, 0.12, 0.16),
        clearance_s=180.0,
    )
    curves = [bolus.concentration_mmol_l(time_s) for bolus in (right, left)]
    return BloodCurves(
        time_s=time_s,
        right_ventricle=curves[0],
        lungs=_delayed(curves[0], 2.0) / 2.0 + curves[1] / 2.0,
        left_ventricle=curves[1],
    )


def _delayed(curve: Float[Tensor, " time"], delay_s: float) -> Float[Tensor, " time"]:
    steps = round(delay_s / SPACING_S)
    return torch.cat([curve.new_zeros(steps), curve[: curve.shape[0] - steps]])
