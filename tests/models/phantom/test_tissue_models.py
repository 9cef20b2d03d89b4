"""Tissue of every kinetic model has the flow, volume and mass it is said to have."""

import pytest
import torch

from models.phantom.tissue_models import (
    DISPERSION_S,
    RELATIVE_DISPERSION,
    TissueModel,
    feeding_blood,
    tissue_response,
)

FLOW = torch.tensor([0.3, 1.0, 4.0], dtype=torch.float64) / 60.0


def _response(model: TissueModel) -> object:
    return tissue_response(
        model,
        flow_1_s=FLOW,
        blood_volume=torch.full_like(FLOW, 0.1),
        interstitial_volume=torch.full_like(FLOW, 0.3),
        permeability_surface_1_s=torch.full_like(FLOW, 1.0 / 60.0),
    )


@pytest.mark.parametrize("model", TissueModel)
def test_response_begins_with_the_flow(model: TissueModel) -> None:
    """h(0) = F: the integral over the first moment is flow times time."""
    elapsed_s = torch.tensor([1e-4], dtype=torch.float64)
    assert torch.allclose(_response(model).step(elapsed_s)[:, 0] / 1e-4, FLOW, rtol=1e-3)


@pytest.mark.parametrize("model", TissueModel)
def test_response_holds_all_volumes(model: TissueModel) -> None:
    """The integral of h to infinity is the distribution volume vb + vi, whatever the model."""
    elapsed_s = torch.tensor([1e5], dtype=torch.float64)
    volume = _response(model).step(elapsed_s)[:, 0]
    assert torch.allclose(volume, torch.full_like(FLOW, 0.4), rtol=1e-2)


def test_parallel_paths_pass_unequally() -> None:
    """Before the mean transit has passed, the fast paths have begun to wash out."""
    elapsed_s = torch.tensor([0.8 * 0.1 * 60.0], dtype=torch.float64)
    even, uneven = (
        _response(model).step(elapsed_s)[1, 0]
        for model in (TissueModel.PLUG_FLOW, TissueModel.PARALLEL)
    )
    assert 0.9 * even < uneven < 0.995 * even
    assert RELATIVE_DISPERSION > 0.0


def test_dispersion_widens_and_keeps_the_area() -> None:
    """The dispersed bolus has the same area, later by the time constant."""
    time_s = 0.05 * torch.arange(2000, dtype=torch.float64)
    bolus = torch.exp(-(((time_s - 20.0) / 3.0) ** 2))
    wide = feeding_blood(TissueModel.DISPERSED, bolus, 0.05)
    assert float(wide.sum()) == pytest.approx(float(bolus.sum()), rel=1e-3)
    late_s = float((wide * time_s).sum() / wide.sum() - (bolus * time_s).sum() / bolus.sum())
    assert late_s == pytest.approx(DISPERSION_S, rel=0.01)
    assert feeding_blood(TissueModel.PLUG_FLOW, bolus, 0.05) is bolus
