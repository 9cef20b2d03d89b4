"""Regional flow of the myocardium, the defect, and the uptake that follows from it."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from models.kinetics import Response, convolve_uniform, interpolate
from models.phantom.bolus import SPACING_S, BloodCurves
from models.phantom.heart import HeartSection
from models.phantom.protocol import PhantomState
from models.phantom.randomness import chance, uniform
from models.phantom.shapes import Plane, smooth_step
from models.phantom.tissue_models import TissueModel, feeding_blood, tissue_response

LOWEST_ML_MIN_G = 0.3
"""The lowest flow that is drawn anywhere."""
_N_LEVELS = 32
_EDGE_RAD = math.radians(10.0)
"""Angle over which the border of a defect fades."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPattern:
    """Blood flow of the left ventricle, ml/min/g, by slice, angle and depth."""

    healthy_ml_min_g: float
    variation: float
    """Relative amplitude of the smooth circumferential variation."""
    variation_angle_rad: float
    transmural_gradient: float
    """Relative difference between endocardium and epicardium of healthy wall."""
    defect_ml_min_g: float
    defect_angle_rad: float
    """Centre, relative to the right ventricle."""
    defect_half_width_rad: float
    defect_slices: tuple[int, ...]
    defect_gradient: float
    """Relative fall of the defect's flow from its mean towards the endocardium."""

    def flow_ml_min_g(self, slice_index: int, angle: Plane, depth: Plane) -> Plane:
        """Return the flow at angles relative to the right ventricle and depths 0-1."""
        swing = 1.0 + self.variation * torch.cos(angle - self.variation_angle_rad)
        layers = 1.0 + self.transmural_gradient * (0.5 - depth)
        healthy = self.healthy_ml_min_g * swing * layers
        if slice_index not in self.defect_slices:
            return healthy
        ischaemic = self.defect_ml_min_g * (1.0 + self.defect_gradient * (depth - 0.5))
        return torch.lerp(healthy, ischaemic, self._inside(angle))

    def is_defect(self, slice_index: int, angle: Plane) -> Bool[Tensor, "row column"]:
        """Return whether the flow at each angle is nearer to that of the defect than to healthy."""
        return (self._inside(angle) > 0.5) & (slice_index in self.defect_slices)

    def _inside(self, angle: Plane) -> Plane:
        relative = angle - self.defect_angle_rad
        distance = torch.atan2(torch.sin(relative), torch.cos(relative)).abs()
        return smooth_step(0.5 - (distance - self.defect_half_width_rad) / _EDGE_RAD)


def sample_flow_coordinates(
    section: HeartSection, rows: Plane, columns: Plane
) -> tuple[Float[Tensor, "row column"], Float[Tensor, "row column"]]:
    """Return angle relative to the right ventricle, rad in -pi..pi, and transmural depth 0-1."""
    _, angle = section.polar(rows, columns)
    relative = angle - section.heart.right_ventricle_angle_rad
    wrapped = torch.atan2(torch.sin(relative), torch.cos(relative))
    return wrapped, section.depth(rows, columns).clamp(0.0, 1.0)


def draw_flow_pattern(generator: Generator, *, state: PhantomState, n_slices: int) -> FlowPattern:
    """Draw where and how much blood flows."""
    stress = state is PhantomState.STRESS
    first = int(uniform(generator, 0.0, max(n_slices - 1.0, 1.0)))
    return FlowPattern(
        healthy_ml_min_g=uniform(generator, *((2.5, 3.2) if stress else (0.8, 1.05))),
        variation=uniform(generator, 0.02, 0.06),
        variation_angle_rad=uniform(generator, -math.pi, math.pi),
        transmural_gradient=uniform(generator, 0.0, 0.08),
        defect_ml_min_g=uniform(generator, *((0.8, 1.4) if stress else (0.55, 0.75))),
        defect_angle_rad=uniform(generator, -math.pi, math.pi),
        defect_half_width_rad=math.radians(uniform(generator, 30.0, 45.0)),
        defect_slices=tuple(range(first, min(first + 2, n_slices))),
        defect_gradient=uniform(generator, 0.1, 0.3),
    )


def draw_wide_flow_pattern(
    generator: Generator, *, state: PhantomState, n_slices: int
) -> FlowPattern:
    """Draw flow from poor to high, uneven, with a defect of any width and depth or none.

    Parameters as those of `draw_flow_pattern`.
    """
    stress = state is PhantomState.STRESS
    healthy = uniform(generator, *((1.3, 4.0) if stress else (0.6, 1.5)))
    has_defect = [chance(generator, 0.5) for _ in range(n_slices)]
    return FlowPattern(
        healthy_ml_min_g=healthy,
        variation=uniform(generator, 0.02, 0.1),
        variation_angle_rad=uniform(generator, -math.pi, math.pi),
        transmural_gradient=uniform(generator, -0.1, 0.2),
        defect_ml_min_g=max(healthy * uniform(generator, 0.15, 0.7), 0.55),
        defect_angle_rad=uniform(generator, -math.pi, math.pi),
        defect_half_width_rad=math.radians(uniform(generator, 15.0, 80.0)),
        defect_slices=tuple(index for index in range(n_slices) if has_defect[index]),
        defect_gradient=uniform(generator, 0.0, 0.8),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TissueExchange:
    """How volumes and permeability follow flow; plasma quantities, per ml of tissue."""

    healthy_ml_min_g: float
    plasma_volume: float
    interstitial_volume: float
    permeability_surface_ml_min_ml: float
    arrival_s: float
    """Arrival in healthy myocardium after the left ventricle, s."""
    hematocrit_fraction: float
    density_g_ml: float
    model: TissueModel = TissueModel.PLUG_FLOW

    def response(self, flow_ml_min_g: Float[Tensor, " level"]) -> Response:
        """Return the responses in blood form: volumes and PS divided by (1 - Hct).

        Ischaemic tissue recruits less of its capillaries: volume and PS fall with flow.
        """
        relative = (flow_ml_min_g / self.healthy_ml_min_g).clamp(max=1.3)
        plasma = 1.0 - self.hematocrit_fraction
        surface = self.permeability_surface_ml_min_ml * (0.5 + 0.5 * relative)
        return tissue_response(
            self.model,
            flow_1_s=flow_ml_min_g * self.density_g_ml / 60.0,
            blood_volume=self.plasma_volume * (0.75 + 0.25 * relative) / plasma,
            interstitial_volume=torch.full_like(relative, self.interstitial_volume / plasma),
            permeability_surface_1_s=surface / plasma / 60.0,
        )

    def delay_s(self, flow_ml_min_g: Float[Tensor, " *shape"]) -> Float[Tensor, " *shape"]:
        """Return the arrival after the left ventricle; blood reaches ischaemic tissue later."""
        lack = (1.0 - flow_ml_min_g / self.healthy_ml_min_g).clamp(0.0, 1.0)
        return self.arrival_s + 0.6 * lack


def draw_tissue_exchange(
    generator: Generator,
    *,
    state: PhantomState,
    healthy_ml_min_g: float,
    hematocrit_fraction: float,
    density_g_ml: float,
) -> TissueExchange:
    """Draw the exchange constants of one myocardium."""
    stress = state is PhantomState.STRESS
    return TissueExchange(
        healthy_ml_min_g=healthy_ml_min_g,
        plasma_volume=uniform(generator, *((0.055, 0.075) if stress else (0.045, 0.06))),
        interstitial_volume=uniform(generator, 0.17, 0.22),
        permeability_surface_ml_min_ml=uniform(generator, *((0.9, 1.4) if stress else (0.5, 0.8))),
        arrival_s=uniform(generator, 0.3, 0.9),
        hematocrit_fraction=hematocrit_fraction,
        density_g_ml=density_g_ml,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MyocardialCurves:
    """Concentration in myocardium for a range of flows on the fine time grid."""

    flow_ml_min_g: Float[Tensor, " level"]
    time_s: Float[Tensor, " time"]
    concentration_mmol_l: Float[Tensor, "level time"]

    def hats(self, flow_ml_min_g: Plane) -> Float[Tensor, "level row column"]:
        """Return the weights that interpolate between neighbouring levels; they sum to 1."""
        spacing = float(self.flow_ml_min_g[1] - self.flow_ml_min_g[0])
        levels = self.flow_ml_min_g.to(flow_ml_min_g.dtype)[:, None, None]
        inside = flow_ml_min_g.clamp(float(levels[0]), float(levels[-1]))
        return (1.0 - (inside - levels).abs() / spacing).clamp(min=0.0)


def myocardial_curves(
    exchange: TissueExchange, blood: BloodCurves, *, lowest_ml_min_g: float = LOWEST_ML_MIN_G
) -> MyocardialCurves:
    """Convolve the arterial input with the response at every flow level."""
    highest = 1.25 * exchange.healthy_ml_min_g
    flow = torch.linspace(lowest_ml_min_g, highest, _N_LEVELS, dtype=torch.float64)
    fed = feeding_blood(exchange.model, blood.left_ventricle, SPACING_S)
    prompt = convolve_uniform(exchange.response(flow), fed, SPACING_S)
    late = [
        interpolate(curve, blood.time_s, blood.time_s - float(delay_s))
        for curve, delay_s in zip(prompt, exchange.delay_s(flow), strict=True)
    ]
    return MyocardialCurves(
        flow_ml_min_g=flow, time_s=blood.time_s, concentration_mmol_l=torch.stack(late)
    )
