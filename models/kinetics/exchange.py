"""Two well-mixed compartments, blood and interstitium, that exchange through the capillary wall."""

import torch
from jaxtyping import Float
from torch import Tensor

from models.kinetics.exponential import ExponentialResponse


def two_compartment_exchange(
    *,
    flow_1_s: Float[Tensor, "*batch"],
    blood_volume: Float[Tensor, "*batch"],
    interstitial_volume: Float[Tensor, "*batch"],
    permeability_surface_1_s: Float[Tensor, "*batch"],
) -> ExponentialResponse:
    """Return h(t) = F [E exp(-K- t) + (1 - E) exp(-K+ t)].

    Sourbron & Buckley 2012 (doi 10.1088/0031-9155/57/2/R1):
    K+- = (1/Tp + 1/Te +- sqrt((1/Tp + 1/Te)^2 - 4 / (Tb Te))) / 2, E = (K+ - 1/Tb) / (K+ - K-),
    Tb = vb/F, Tp = vb/(F + PS), Te = vi/PS. Feed whole-blood concentration with the volumes and PS
    divided by (1 - Hct), or plasma concentration with plasma flow and plasma volumes: same curve.

    Parameters
    ----------
    flow_1_s
        F, ml/ml/s, positive.
    blood_volume
        vb, ml/ml, positive.
    interstitial_volume
        vi, ml/ml, positive.
    permeability_surface_1_s
        PS, ml/ml/s, positive.

    """
    rate_blood = flow_1_s / blood_volume
    rate_exit = (flow_1_s + permeability_surface_1_s) / blood_volume
    rate_return = permeability_surface_1_s / interstitial_volume
    total = rate_exit + rate_return
    root = torch.sqrt(total**2 - 4.0 * rate_blood * rate_return)
    fast = (total + root) / 2.0
    # K- = (total - root) / 2 cancels for slow exchange; the product of both rates is known.
    slow = rate_blood * rate_return / fast
    extraction = (fast - rate_blood) / root
    return ExponentialResponse(
        amplitude_1_s=flow_1_s[..., None] * torch.stack([extraction, 1.0 - extraction], -1),
        rate_1_s=torch.stack([slow, fast], -1),
    )
