"""Laws of the figures that are read from curves and maps."""

import math

import pytest
import torch

from pipeline.evaluation.curves import curve_error, curve_roughness, segment_curves
from pipeline.evaluation.flow_error import core, flow_error
from pipeline.evaluation.folding import folded_fraction
from pipeline.evaluation.phases import split_phases


def ring() -> torch.Tensor:
    axis = torch.arange(32) - 15.5
    distance = torch.hypot(axis[:, None], axis[None])
    return (distance > 6) & (distance < 11)


def test_a_straight_rise_is_not_rough() -> None:
    frames = torch.arange(10.0)[:, None, None].expand(-1, 32, 32)
    curves = segment_curves(frames, ring())
    assert curves.shape == (10, 6)
    assert curve_roughness(curves) == pytest.approx(0.0, abs=1e-9)


def test_a_jerk_is_rough_and_is_the_error() -> None:
    still = torch.arange(10.0)[:, None].expand(-1, 6)
    jerky = still + torch.tensor([0.9, -0.9]).repeat(5)[:, None]
    assert curve_roughness(jerky) > 0.2
    assert curve_error(jerky, still) == pytest.approx(0.1)
    assert curve_error(still, still) == 0


def test_an_empty_wall_has_no_curves() -> None:
    curves = segment_curves(torch.zeros(5, 8, 8), torch.zeros(8, 8).bool())
    assert math.isnan(curve_roughness(curves))
    assert math.isnan(curve_error(curves, curves))


def test_flow_error_is_read_in_the_core_where_both_maps_know() -> None:
    wall = ring()
    still = torch.full((32, 32), 2.0)
    found = torch.where(core(wall), 2.5, 9.0)
    found[:16] = torch.nan
    assert flow_error(found, still, wall).median == pytest.approx(0.5)
    assert flow_error(found, still, wall).root_mean_square == pytest.approx(0.5)
    assert math.isnan(flow_error(torch.full_like(still, torch.nan), still, wall).median)


def test_a_thin_wall_is_its_own_core() -> None:
    line = torch.zeros(16, 16).bool()
    line[8] = True
    assert torch.equal(core(line), line)


def test_a_mirrored_image_folds_and_a_shift_does_not() -> None:
    rows = torch.arange(12.0)[:, None].expand(12, 12)
    mirror = torch.stack([-2 * rows, torch.zeros_like(rows)])[None]
    assert folded_fraction(mirror) == 1.0
    assert folded_fraction(torch.ones(2, 2, 12, 12)) == 0.0


def test_every_frame_has_one_phase() -> None:
    masks = split_phases(torch.arange(20.0), n_proton_density=3, arrival_s=8.0, peak_s=12.0)
    assert masks.sum(dim=0).tolist() == [1] * 20
    assert masks.sum(dim=1).tolist() == [3, 5, 5, 7]
