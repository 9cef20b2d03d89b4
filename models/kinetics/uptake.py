"""Two-compartment uptake: what has left the blood does not come back while it is watched."""

import torch
from jaxtyping import Float
from torch import Tensor

from models.kinetics.exponential import ExponentialResponse


def two_compartment_uptake(
    *,
    flow_1_s: Float[Tensor, "*batch"],
    blood_volume: Float[Tensor, "*batch"],
    permeability_surface_1_s: Float[Tensor, "*batch"],
) -> ExponentialResponse:
    """Return h(t) = F [(1 - E) exp(-t/Tp) + E], Tp = vb/(F + PS), E = PS/(F + PS).

    Sourbron & Buckley 2012 (doi 10.1088/0031-9155/57/2/R1): the limit of two-compartment exchange
    for a large interstitial volume.

    Parameters
    ----------
    flow_1_s
        F, ml/ml/s, positive.
    blood_volume
        vb, ml/ml, positive.
    permeability_surface_1_s
        PS, ml/ml/s, not negative.

    """
    leaving = flow_1_s + permeability_surface_1_s
    extraction = permeability_surface_1_s / leaving
    rate = leaving / blood_volume
    return ExponentialResponse(
        amplitude_1_s=flow_1_s[..., None] * torch.stack([1.0 - extraction, extraction], -1),
        rate_1_s=torch.stack([rate, torch.zeros_like(rate)], -1),
    )
