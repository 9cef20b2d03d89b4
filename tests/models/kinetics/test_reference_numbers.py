"""Two-compartment exchange against numbers that others published."""

import csv

import numpy as np
import pytest
import torch

from models.kinetics import convolve, two_compartment_exchange


def osipi_rows(folder, name):
    path = folder / "osipi" / "DCEmodels" / name
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def vector(cell):
    return torch.tensor([float(word) for word in cell.split()], dtype=torch.float64)


@pytest.mark.parametrize("delay_s", [0, 5])
def test_osipi_exchange_leaves_only_the_stated_noise(reference_data, delay_s):
    residuals = []
    for row in osipi_rows(reference_data, f"2cxm_sd_0.001_delay_{delay_s}.csv"):
        time_s = vector(row["t"])
        model = two_compartment_exchange(
            flow_1_s=torch.tensor(float(row["fp"]) / 6000.0, dtype=torch.float64),
            blood_volume=torch.tensor(float(row["vp"]), dtype=torch.float64),
            interstitial_volume=torch.tensor(float(row["ve"]), dtype=torch.float64),
            permeability_surface_1_s=torch.tensor(float(row["ps"]) / 60.0, dtype=torch.float64),
        )
        arrival_s = time_s - float(row["arterial_delay"])
        modelled = convolve(model, vector(row["cp_aif"]), time_s, at_s=arrival_s)
        residuals.append(float((modelled - vector(row["C_t"])).square().mean().sqrt()))
    assert len(residuals) == 24
    assert residuals == pytest.approx([0.001] * 24, rel=0.1)


def test_myocardial_curves_of_others_follow_from_their_rectangle_rule(reference_data):
    data = np.load(reference_data / "myo_pinn_dro" / "myo_2cxm_dro.npz")
    time_min = torch.from_numpy(data["t_min"])
    arterial = torch.from_numpy(data["aif"])
    flow, plasma, interstitium, surface = torch.from_numpy(data["params_F_vp_ve_PS"]).T
    model = two_compartment_exchange(
        flow_1_s=flow,
        blood_volume=plasma,
        interstitial_volume=interstitium,
        permeability_surface_1_s=surface,
    )
    curves = torch.from_numpy(data["curves"])
    peak = curves.amax(1)
    step_min = float(time_min[1] - time_min[0])
    response = model.response(time_min)
    lag = torch.arange(100)[:, None] - torch.arange(100)
    shifted = torch.where(lag >= 0, response[:, lag.clamp(min=0)], 0.0)
    rectangle = step_min * (shifted @ arterial)
    assert float(((rectangle - curves).abs().amax(1) / peak).max()) < 1e-6
    exact = convolve(model, arterial, time_min)
    difference = (exact - curves).square().mean(1).sqrt() / peak
    assert 0.02 < float(difference.median()) < 0.05
    assert float(difference.max()) < 0.15
