"""Tissue that exchanges contrast agent in other ways than the model that is fitted.

Every one has the same flow F, blood volume, interstitial volume and PS, so that the truth of an
exam means the same. A fit that is right only on tissue of its own model is an inverse crime.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import torch
from jaxtyping import Float
from torch import Tensor

from models.kinetics import (
    BloodTissueExchange,
    ExponentialResponse,
    Response,
    convolve_uniform,
    two_compartment_exchange,
)

RELATIVE_DISPERSION = 0.35
"""Standard deviation over mean of flow between the paths of one pixel; of the size that is known
between pieces of myocardium of 0.2 g (Bassingthwaighte 1989, doi 10.1161/01.res.65.3.578)."""
DISPERSION_S = 0.7
"""Time constant by which the bolus is widened on its way to dispersed tissue; of plausible size."""
_HERMITE = (
    (0.0, 16 / 35),
    (1.154405394739968, 0.2401231786050126),
    (2.366759410734541, 0.03075712396758651),
    (3.750439717725742, 0.0005482688559722179),
)
"""Nodes and weights of the seven-point rule for a standard normal variable, one side."""


class TissueModel(StrEnum):
    """How contrast agent passes through a pixel of myocardium."""

    PLUG_FLOW = "plug flow"
    """Blood-tissue exchange along one capillary."""
    TWO_COMPARTMENT = "two compartments"
    """Blood and interstitium, each well mixed."""
    PARALLEL = "parallel paths"
    """Capillaries of unequal flow side by side."""
    DISPERSED = "dispersed"
    """Plug flow behind arteries that widen the bolus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelPaths:
    """The sum of responses side by side.

    Parameters
    ----------
    paths
        Responses, each weighted already.

    """

    paths: tuple[Response, ...]

    def step(self, elapsed_s: Float[Tensor, " elapsed"]) -> Float[Tensor, "*batch elapsed"]:
        """Return the integral of the response."""
        return torch.stack([path.step(elapsed_s) for path in self.paths]).sum(0)

    def ramp(self, elapsed_s: Float[Tensor, " elapsed"]) -> Float[Tensor, "*batch elapsed"]:
        """Return the double integral of the response, s."""
        return torch.stack([path.ramp(elapsed_s) for path in self.paths]).sum(0)


def tissue_response(
    model: TissueModel,
    *,
    flow_1_s: Float[Tensor, " level"],
    blood_volume: Float[Tensor, " level"],
    interstitial_volume: Float[Tensor, " level"],
    permeability_surface_1_s: Float[Tensor, " level"],
) -> Response:
    """Return the impulse response of tissue; volumes and PS divided by (1 - Hct).

    Parameters
    ----------
    model
        How the agent passes. Dispersed tissue answers as plug flow; see `feeding_blood`.
    flow_1_s
        F, ml of blood per ml of tissue per second.
    blood_volume, interstitial_volume
        ml/ml.
    permeability_surface_1_s
        PS, ml/ml/s.

    """
    exchange = BloodTissueExchange(
        flow_1_s=flow_1_s,
        blood_volume=blood_volume,
        interstitial_volume=interstitial_volume,
        permeability_surface_1_s=permeability_surface_1_s,
    )
    if model is TissueModel.TWO_COMPARTMENT:
        return two_compartment_exchange(
            flow_1_s=flow_1_s,
            blood_volume=blood_volume,
            interstitial_volume=interstitial_volume,
            permeability_surface_1_s=permeability_surface_1_s,
        )
    return _parallel(exchange) if model is TissueModel.PARALLEL else exchange


def _parallel(mean: BloodTissueExchange) -> ParallelPaths:
    """Spread the flow log-normally over paths that share the tissue by weight w.

    A path with the share w of the tissue has the flow, volumes and PS of w times its own; the
    response of the pixel is linear in all of them together.
    """
    log_sd = math.sqrt(math.log1p(RELATIVE_DISPERSION**2))
    nodes = [(side * place, weight) for place, weight in _HERMITE for side in (1.0, -1.0) if place]
    nodes.append(_HERMITE[0])
    return ParallelPaths(
        paths=tuple(
            BloodTissueExchange(
                flow_1_s=weight * math.exp(log_sd * place - 0.5 * log_sd**2) * mean.flow_1_s,
                blood_volume=weight * mean.blood_volume,
                interstitial_volume=weight * mean.interstitial_volume,
                permeability_surface_1_s=weight * mean.permeability_surface_1_s,
            )
            for place, weight in nodes
        )
    )


def feeding_blood(
    model: TissueModel, arterial: Float[Tensor, " time"], spacing_s: float
) -> Float[Tensor, " time"]:
    """Return what arrives at tissue of the arterial concentration, but for the delay.

    Parameters
    ----------
    model
        How the agent passes.
    arterial
        Concentration at even times, mmol/l.
    spacing_s
        Between them, s.

    """
    if model is not TissueModel.DISPERSED:
        return arterial
    rate = torch.full((1,), 1.0 / DISPERSION_S, dtype=arterial.dtype)
    return convolve_uniform(
        ExponentialResponse(amplitude_1_s=rate, rate_1_s=rate), arterial, spacing_s
    )
