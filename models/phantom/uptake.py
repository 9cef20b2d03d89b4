"""Contrast agent in every class of the picture over the fine time grid."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from models.kinetics import BloodTissueExchange, convolve_uniform, interpolate
from models.phantom.bolus import SPACING_S, BloodCurves
from models.phantom.perfusion import MyocardialCurves
from models.phantom.protocol import Protocol
from models.phantom.tissues import BLOOD, SOLID, Tissue, TissueConstants
from models.phantom.transverse import dephasing_1_s, native_t2_s
from models.physics import native_relaxation

_AORTIC_DELAY_S = 1.2
_OTHER_INTERSTITIUM = 0.2
_OTHER_PERMEABILITY_ML_MIN_ML = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassProperties:
    """Everything the scanner sees of each class; the flow levels of the myocardium come last."""

    proton_density: Float[Tensor, " class"]
    native_t1_s: Float[Tensor, " class"]
    transverse_relaxivity_l_mmol_s: Float[Tensor, " class"]
    native_t2_s: Float[Tensor, " class"]
    dephasing_1_s: Float[Tensor, " class"]
    """R2* - R2 without contrast agent."""
    time_s: Float[Tensor, " time"]
    concentration_mmol_l: Float[Tensor, "class time"]


def class_properties(
    tissues: tuple[Tissue, ...],
    blood: BloodCurves,
    curves: MyocardialCurves,
    protocol: Protocol,
    solid: Mapping[Tissue, TissueConstants] = SOLID,
) -> ClassProperties:
    """Gather the properties of the tissues of a picture and of the myocardial flow levels."""
    native = native_relaxation(protocol.field_strength_t)
    at_3_t = native == native_relaxation(3.0)
    n_levels = curves.flow_ml_min_g.shape[0]
    density = [1.0 if tissue in BLOOD else solid[tissue].proton_density for tissue in tissues]
    t1_s = [
        native.t1_blood_s if tissue in BLOOD else _t1_s(solid[tissue], at_3_t=at_3_t)
        for tissue in tissues
    ]
    transverse = [
        protocol.blood_transverse_relaxivity_l_mmol_s if tissue in BLOOD else 0.0
        for tissue in tissues
    ]
    t2_s = [native_t2_s(tissue, native) for tissue in tissues]
    dephasing = [dephasing_1_s(tissue, protocol.field_strength_t) for tissue in tissues]
    wall = Tissue.RIGHT_WALL
    wall_density = SOLID[Tissue.RIGHT_WALL].proton_density
    others = torch.stack([_concentration(tissue, blood, protocol, solid) for tissue in tissues])
    return ClassProperties(
        proton_density=_column(density, wall_density, n_levels),
        native_t1_s=_column(t1_s, native.t1_myocardium_s, n_levels),
        transverse_relaxivity_l_mmol_s=_column(transverse, 0.0, n_levels),
        native_t2_s=_column(t2_s, native_t2_s(wall, native), n_levels),
        dephasing_1_s=_column(dephasing, dephasing_1_s(wall, protocol.field_strength_t), n_levels),
        time_s=blood.time_s,
        concentration_mmol_l=torch.cat([others, curves.concentration_mmol_l]),
    )


def _column(values: list[float], level_value: float, n_levels: int) -> Float[Tensor, " class"]:
    return torch.tensor(values + [level_value] * n_levels, dtype=torch.float64)


def _t1_s(constants: TissueConstants, *, at_3_t: bool) -> float:
    return constants.t1_3_t_s if at_3_t else constants.t1_1_5_t_s


def _concentration(
    tissue: Tissue,
    blood: BloodCurves,
    protocol: Protocol,
    solid: Mapping[Tissue, TissueConstants],
) -> Float[Tensor, " time"]:
    pools = {
        Tissue.RIGHT_BLOOD: blood.right_ventricle,
        Tissue.LUNG_VESSEL: blood.lungs,
        Tissue.LEFT_BLOOD: blood.left_ventricle,
        Tissue.AORTA: interpolate(
            blood.left_ventricle, blood.time_s, blood.time_s - _AORTIC_DELAY_S
        ),
    }
    if tissue in pools:
        return pools[tissue]
    feeding = blood.lungs if tissue is Tissue.LUNG else blood.left_ventricle
    return _taken_up(solid[tissue], feeding, blood.time_s, protocol)


def _taken_up(
    constants: TissueConstants,
    feeding: Float[Tensor, " time"],
    time_s: Float[Tensor, " time"],
    protocol: Protocol,
) -> Float[Tensor, " time"]:
    plasma = 1.0 - protocol.hematocrit_fraction
    response = BloodTissueExchange(
        flow_1_s=_scalar(constants.flow_ml_min_g * protocol.density_g_ml / 60.0),
        blood_volume=_scalar(constants.blood_volume),
        interstitial_volume=_scalar(_OTHER_INTERSTITIUM / plasma),
        permeability_surface_1_s=_scalar(
            _OTHER_PERMEABILITY_ML_MIN_ML * min(constants.flow_ml_min_g, 1.0) / plasma / 60.0
        ),
    )
    curve = convolve_uniform(response, feeding, SPACING_S)
    return interpolate(curve, time_s, time_s - constants.arrival_s)


def _scalar(value: float) -> Float[Tensor, ""]:
    return torch.tensor(value, dtype=torch.float64)
