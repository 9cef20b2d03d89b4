import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.networks.warping import affine_field, warp
from models.training.losses import (
    bending_energy,
    correlation,
    local_correlation,
    low_rank_loss,
    normalised_mutual_information,
)


def noise(seed: int = 0, n_frames: int = 1) -> torch.Tensor:
    return torch.rand(n_frames, 32, 32, generator=torch.Generator().manual_seed(seed))


@given(gain=st.floats(0.1, 10), offset=st.floats(-5, 5))
def test_correlation_is_one_up_to_gain_and_offset(gain: float, offset: float) -> None:
    images = noise().double()
    assert float(correlation(images, gain * images + offset)) == pytest.approx(1, abs=1e-6)
    assert float(correlation(images, offset - gain * images)) == pytest.approx(-1, abs=1e-6)


def test_correlation_of_four_known_numbers() -> None:
    first = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    second = torch.tensor([[[1.0, 3.0], [2.0, 6.0]]])
    assert float(correlation(first, second)) == pytest.approx(7 / math.sqrt(5 * 14))


def test_mutual_information_of_two_levels_is_that_of_coins() -> None:
    """Two levels far apart are two bins: independent coins give 1, equal ones 2."""
    coin = torch.tensor([0.0, 0.0, 1.0, 1.0]).repeat(4, 1)[None]
    other = coin.transpose(1, 2).contiguous()
    # Each level spreads over its own and the next bin, with weights 1 : exp(-2).
    share = 1 / (1 + math.exp(-2))
    spread = -(share * math.log(share) + (1 - share) * math.log(1 - share))
    alone = math.log(2) + spread
    assert float(normalised_mutual_information(coin, other)) == pytest.approx(1, abs=1e-3)
    assert float(normalised_mutual_information(coin, coin)) == pytest.approx(
        2 * alone / (math.log(2) + 2 * spread), abs=0.01
    )


def test_mutual_information_does_not_care_which_is_bright() -> None:
    images = noise()
    direct = normalised_mutual_information(images, images)
    torch.testing.assert_close(normalised_mutual_information(images, 1 - images), direct)
    assert float(normalised_mutual_information(images, noise(1))) < float(direct) - 0.3


def test_local_correlation_ignores_shading() -> None:
    images = noise()
    shading = torch.linspace(0.5, 2, 32)[:, None]
    assert float(local_correlation(images, images * shading)) > 0.8
    assert float(correlation(images, images * shading)) < float(
        local_correlation(images, images * shading)
    )


def test_an_affine_does_not_bend_and_a_parabola_does() -> None:
    affine = torch.rand(1, 2, 3, generator=torch.Generator().manual_seed(0))
    like = torch.zeros(12, 12)
    assert float(bending_energy(affine_field(affine, like))) == pytest.approx(0, abs=1e-9)
    rows = torch.arange(12.0)[:, None].expand(12, 12)
    field = torch.stack([rows.square(), torch.zeros(12, 12)])[None]
    # d2u/dr2 = 2 in one of two components.
    assert float(bending_energy(field)) == pytest.approx(2.0)


def test_blank_images_have_a_finite_loss_and_gradient() -> None:
    blank = torch.zeros(1, 32, 32, requires_grad=True)
    loss = low_rank_loss((blank, blank), (noise(), noise(1))) - local_correlation(blank, noise())
    loss.backward()
    assert bool(loss.isfinite())
    assert blank.grad is not None
    assert bool(blank.grad.isfinite().all())


def test_the_loss_of_step_one_is_lowest_in_place() -> None:
    images = torch.nn.functional.avg_pool2d(noise(2)[:, None], 5, 1, 2)[:, 0]
    images = (images - images.min()) / (images.max() - images.min())
    fixed = (images, images)

    def loss(shift_px: float) -> float:
        field = affine_field(torch.tensor([[[0, 0, shift_px], [0, 0, 0.0]]]), images)
        moved = warp(images, field)
        return float(low_rank_loss((moved, moved), fixed))

    assert loss(0.0) < loss(1.0) < loss(3.0)
