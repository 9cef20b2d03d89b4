"""Finite k-space keeps means and places; the grid of every matrix has the same edges."""

import pytest
import torch

from models.phantom.acquisition import add_noise, render
from models.phantom.artefacts import Artefacts, spoil
from models.phantom.coils import coil_sensitivity
from models.phantom.randomness import stream
from models.phantom.reconstruction import Reconstruction, acquire, noise_window
from models.phantom.shapes import grid_mm


@pytest.mark.parametrize("matrix", [(144, 144), (48, 64), (96, 80)])
def test_a_uniform_image_stays_uniform(matrix):
    image = acquire(torch.full((1, 288, 288), 3.0), matrix, Reconstruction())
    assert torch.allclose(image, torch.full((1, *matrix), 3.0), atol=1e-4)


@pytest.mark.parametrize("matrix", [(144, 144), (48, 64), (96, 80)])
def test_a_blob_stays_where_it_is(matrix):
    rows, columns = grid_mm((288, 288), (1.0, 1.0))
    blob = torch.exp(-((rows - 21.0) ** 2 + (columns + 33.0) ** 2) / (2.0 * 12.0**2))
    image = acquire(blob[None], matrix, Reconstruction())[0]
    coarse = grid_mm(matrix, (288.0 / matrix[0], 288.0 / matrix[1]))
    found = [float((axis * image).sum() / image.sum()) for axis in coarse]
    assert found == pytest.approx([21.0, -33.0], abs=0.05)


def test_an_edge_rings():
    image = torch.zeros(1, 288, 288)
    image[:, 100:200] = 1.0
    seen = acquire(image, (144, 144), Reconstruction())[0, :, 72]
    assert 1.005 < float(seen.max()) < 1.1
    assert -0.1 < float(seen.min()) < -0.005


def test_the_coil_is_smooth_and_one_at_its_point():
    grid = grid_mm((288, 288), (1.0, 1.0))
    shading = coil_sensitivity(stream(1, "coil"), grid, (0.5, 10.5))
    assert float(shading[144, 154]) == pytest.approx(1.0, abs=1e-5)
    assert float(shading.diff(dim=0).abs().max()) < 0.05
    assert float(shading.amax() / shading.amin()) > 1.5


def test_rendering_follows_the_device_of_its_input():
    # The meta device refuses to mix with the CPU, as a GPU does.
    meta = torch.device("meta")
    frames = render(
        torch.rand(5, 64, 48, device=meta),
        torch.rand(2, 20, 5, device=meta),
        shares=torch.rand(2, 64, 48, device=meta),
        inverse_displacement=torch.zeros(20, 2, 32, 24, device=meta),
        sensitivity=torch.ones(64, 48, device=meta),
        matrix=(32, 24),
        reconstruction=Reconstruction(fold_over_fraction=0.25),
    )
    artefacts = Artefacts(
        ghost_phase_rad=0.1, residual_aliasing=0.1, incoherent_aliasing=0.1, streaks=0.1
    )
    seen = spoil(frames, artefacts, 0, stream(1, "artefacts"))
    window = noise_window((24, 24), Reconstruction())
    noisy = add_noise(stream(1, "noise"), seen, 0.1, window=window)
    assert (frames.device, seen.device, noisy.device) == (meta, meta, meta)
    assert noisy.shape == (20, 24, 24)


def test_chunks_leave_no_seams():
    generator = torch.Generator().manual_seed(1)
    weights, signals = torch.rand(4, 32, 32, generator=generator), torch.rand(1, 40, 4)
    still = {
        "shares": None,
        "inverse_displacement": None,
        "sensitivity": torch.ones(32, 32),
        "matrix": (16, 16),
        "reconstruction": Reconstruction(),
    }
    together = render(weights, signals, **still)
    apart = torch.cat([render(weights, signals[:, [frame]], **still) for frame in range(40)])
    assert torch.allclose(together, apart, atol=1e-5)
