"""Myocardial tissue of the myo_pinn project (MIT): 144 curves of two-compartment exchange."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.kinetics import ExponentialResponse, convolve, two_compartment_exchange
from pipeline.parameters import FermiBounds
from pipeline.perfusion import fit
from pipeline.types import ArterialInput, ArterialInputSource, FlowModel
from tests.agreement.row import Row

PEAK_MMOL_L = 5.0
"""Their input has no unit of ours; flow does not depend on it, noise priors do."""
VALLEY_FRACTION = 0.1


@dataclass(frozen=True)
class Cases:
    time_min: Tensor
    arterial: Tensor
    flow_1_min: Tensor
    response: ExponentialResponse
    curves: Tensor

    def errors(self, modelled: Tensor) -> Tensor:
        """Return rms over peak of each curve."""
        return (modelled - self.curves).square().mean(1).sqrt() / self.curves.amax(1)


def cases(folder: Path) -> Cases:
    data = np.load(folder / "myo_pinn_dro" / "myo_2cxm_dro.npz")
    flow, plasma, interstitium, surface = torch.from_numpy(data["params_F_vp_ve_PS"]).T
    response = two_compartment_exchange(
        flow_1_s=flow,
        blood_volume=plasma,
        interstitial_volume=interstitium,
        permeability_surface_1_s=surface,
    )
    return Cases(
        time_min=torch.from_numpy(data["t_min"]),
        arterial=torch.from_numpy(data["aif"]),
        flow_1_min=flow,
        response=response,
        curves=torch.from_numpy(data["curves"]),
    )


def by_their_rule(given: Cases) -> Tensor:
    """Convolve by a sum of rectangles of one sample each."""
    values = given.response.response(given.time_min)
    place = torch.arange(len(given.time_min))
    lag = place[:, None] - place
    shifted = torch.where(lag >= 0, values[:, lag.clamp(min=0)], 0.0)
    return float(given.time_min[1] - given.time_min[0]) * (shifted @ given.arterial)


def same_rule(folder: Path) -> Row:
    given = cases(folder)
    errors = given.errors(by_their_rule(given))
    return Row(
        what="myocardial two-compartment exchange, by their sum of rectangles",
        whose="myo_pinn DRO, 1.2 s",
        n_cases=len(errors),
        measure="rms over peak, largest",
        found=float(errors.max()),
        allowed=1e-6,
    )


def exact_rule(folder: Path) -> Row:
    given = cases(folder)
    errors = given.errors(convolve(given.response, given.arterial, given.time_min))
    return Row(
        what="the same, convolved exactly: what their rule is off by",
        whose="myo_pinn DRO, 1.2 s",
        n_cases=len(errors),
        measure="rms over peak, largest",
        found=float(errors.max()),
        allowed=0.15,
    )


def exact_rule_typically(folder: Path) -> Row:
    given = cases(folder)
    errors = given.errors(convolve(given.response, given.arterial, given.time_min))
    return Row(
        what="the same",
        whose="myo_pinn DRO, 1.2 s",
        n_cases=len(errors),
        measure="rms over peak, median",
        found=float(errors.median()),
        allowed=0.05,
    )


def arterial_input(given: Cases) -> ArterialInput:
    """Return their input, which begins at the first sample and does not recirculate."""
    curve = PEAK_MMOL_L / given.arterial.max() * given.arterial
    peak = int(curve.argmax())
    return ArterialInput(
        time_s=60.0 * given.time_min,
        concentration_mmol_l=curve,
        mask=torch.ones(2, 2, dtype=torch.bool),
        source=ArterialInputSource.DUAL_SEQUENCE,
        foot=0,
        peak=peak,
        valley=peak + int((curve[peak:] < VALLEY_FRACTION * PEAK_MMOL_L).nonzero()[0]),
    )


def flow_errors(given: Cases, curves: Tensor, model: FlowModel) -> Tensor:
    """Return the relative error of flow of all curves, by the fits of our maps."""
    found = fit(
        PEAK_MMOL_L / given.arterial.max() * curves,
        time_s=60.0 * given.time_min,
        arterial_input=arterial_input(given),
        bounds=FermiBounds(max_flow_ml_min_g=8.0, max_delay_s=3.0),
        density_g_ml=1.0,
        model=model,
    )
    return found.flow_ml_min_g / given.flow_1_min - 1.0


def flow_row(folder: Path, *, model: FlowModel, is_exact: bool) -> Row:
    given = cases(folder)
    exact = convolve(given.response, given.arterial, given.time_min)
    errors = flow_errors(given, exact if is_exact else given.curves, model)
    return Row(
        what=f"flow by {model.value} of {'exact' if is_exact else 'their'} curves, no noise",
        whose="myo_pinn DRO, 1.2 s",
        n_cases=len(errors),
        measure="relative error, median",
        found=float(errors.median()),
        allowed=None,
    )


FLOW_ROWS = tuple(
    partial(flow_row, model=model, is_exact=is_exact)
    for is_exact in (True, False)
    for model in FlowModel
)
