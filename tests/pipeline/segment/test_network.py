"""Where the network looks, and what becomes of its answer; the network itself is replaced."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks import Networks
from models.networks.segmentation import SegmentationNetwork
from models.networks.summary import SIZE, SPACING_MM
from pipeline.errors import CannotQuantifyError
from pipeline.segment import locate_heart, segment
from pipeline.segment.neighbours import without_other_organs
from pipeline.segment.network import HeartShares, agreement, look_at_heart
from pipeline.segment.orientations import N_ORIENTATIONS, turned, turned_back
from pipeline.segment.refine import refined
from pipeline.segment.sanity import masks_of
from pipeline.segment.square import HeartSquare
from pipeline.segment.trust import DOUBTFUL_DICE, expected_dice
from pipeline.types import HeartMasks
from tests.pipeline.toy import make_toy

SQUARE = HeartSquare(centre_row=50.0, centre_column=40.0, image_spacing_mm=(1.4, 1.4))


def dice(first: Tensor, second: Tensor) -> float:
    return float(2 * (first & second).sum() / (first.sum() + second.sum()))


def _covered(distance_mm: Tensor) -> Tensor:
    return (0.5 - distance_mm / SPACING_MM).clamp(0.0, 1.0)


def rings(
    inner_mm: float = 20.0, outer_mm: float = 30.0, at: tuple[float, float] = (0.0, 0.0)
) -> Tensor:
    """Shares of a ring with a crescent to its left, on the square."""
    line = (torch.arange(SIZE) - (SIZE - 1) / 2) * SPACING_MM
    row, column = torch.meshgrid(line - at[0], line - at[1], indexing="ij")
    radius = torch.hypot(row, column)
    left, outer = _covered(radius - inner_mm), _covered(radius - outer_mm)
    right = _covered(torch.hypot(row, column + 0.8 * outer_mm) - 0.9 * outer_mm) * (1 - outer)
    return torch.stack([1 - outer - right, left, outer - left, right])


def seen_as(shares: Tensor) -> HeartShares:
    return HeartShares(
        square=SQUARE, tissues=shares.expand(N_ORIENTATIONS, -1, -1, -1).contiguous()
    )


@pytest.mark.parametrize("index", range(N_ORIENTATIONS))
def test_every_orientation_is_turned_back(index: int) -> None:
    images = torch.rand(3, 7, 7, generator=torch.Generator().manual_seed(0))
    assert torch.equal(turned_back(turned(images, index), index), images)


def test_the_orientations_differ() -> None:
    image = torch.rand(1, 5, 5, generator=torch.Generator().manual_seed(0))
    seen = [turned(image, index) for index in range(N_ORIENTATIONS)]
    assert not any(torch.equal(seen[a], seen[b]) for a in range(N_ORIENTATIONS) for b in range(a))


@pytest.mark.parametrize("spacing_mm", [(1.4, 1.4), (2.3, 1.1)])
def test_what_is_cut_out_is_spread_back_in_its_place(spacing_mm: tuple[float, float]) -> None:
    square = HeartSquare(centre_row=41.3, centre_column=60.2, image_spacing_mm=spacing_mm)
    row, column = torch.meshgrid(torch.arange(96.0), torch.arange(110.0), indexing="ij")
    image = torch.sin(row / 9) + torch.cos(column / 11)
    back = square.spread(square.cut(image[None]), (96, 110))[0]
    away = torch.stack([(row - 41.3) * spacing_mm[0], (column - 60.2) * spacing_mm[1]]).abs()
    is_inside = away.amax(dim=0) < SIZE * SPACING_MM / 2 - 4
    assert float((back - image)[is_inside].abs().max()) < 0.12
    assert not bool(back[away.amax(dim=0) > SIZE * SPACING_MM / 2 + 4].any())
    place = square.in_image((SIZE - 1) / 2, (SIZE - 1) / 2)
    assert place == pytest.approx((41.3, 60.2))


def test_masks_are_the_shares_on_the_pixels_of_the_image() -> None:
    masks = masks_of(seen_as(rings()), (100, 80))
    pixel_mm2 = 1.4 * 1.4
    assert float(masks.left_ventricle.sum()) * pixel_mm2 == pytest.approx(1256.6, rel=0.015)
    assert float(masks.myocardium.sum()) * pixel_mm2 == pytest.approx(1570.8, rel=0.015)
    middle = masks.left_ventricle.nonzero().float().mean(dim=0)
    assert middle.tolist() == pytest.approx([50.0, 40.0], abs=0.2)
    assert masks.right_ventricle is not None
    assert not bool((masks.right_ventricle & masks.myocardium).any())
    assert masks.method == "network"


def test_holes_are_closed_and_islands_left_out() -> None:
    shares = rings()
    shares[:, 56, 82] = torch.tensor([1.0, 0.0, 0.0, 0.0])  # a hole in the wall
    shares[:, 5:9, 5:9] = torch.tensor([0.0, 0.0, 1.0, 0.0])[:, None, None]  # an island
    shares[:, 54:58, 54:58] = torch.tensor([0.0, 0.0, 1.0, 0.0])[:, None, None]  # a papillary
    plain, found = masks_of(seen_as(rings()), (100, 80)), masks_of(seen_as(shares), (100, 80))
    assert torch.equal(plain.left_ventricle, found.left_ventricle)
    assert int((plain.myocardium ^ found.myocardium).sum()) == 0


def test_an_apex_without_a_cavity_is_a_heart() -> None:
    masks = masks_of(seen_as(rings(inner_mm=-2.0, outer_mm=18.0)), (100, 80))
    assert not bool(masks.left_ventricle.any())
    assert bool(masks.myocardium.any())


@pytest.mark.parametrize("shares", [rings(-2.0, -2.0), rings(5.0, 8.0), rings(29.5, 30.0)])
def test_what_cannot_be_a_left_ventricle_is_refused(shares: Tensor) -> None:
    with pytest.raises(CannotQuantifyError):
        masks_of(seen_as(shares), (100, 80))


def test_the_outer_border_moves_to_where_muscle_ends() -> None:
    toy = make_toy(amplitude_mm=0.0)
    outer = toy.myocardium | toy.left_ventricle
    grown = functional.max_pool2d(outer[None, None].float(), 3, stride=1, padding=1)[0, 0] > 0
    wide = HeartMasks(
        myocardium=grown & ~toy.left_ventricle & ~toy.right_ventricle,
        left_ventricle=toy.left_ventricle,
        right_ventricle=toy.right_ventricle,
        method="network",
    )
    found = refined(wide, toy.frames[toy.n_proton_density :], (2.0, 2.0))
    assert torch.equal(found.left_ventricle, toy.left_ventricle)
    before, after = (dice(masks.myocardium, toy.myocardium) for masks in (wide, found))
    assert before < 0.9
    assert after > before + 0.04


def test_disagreement_is_doubt() -> None:
    assert agreement(seen_as(rings())) == pytest.approx(1.0)
    assert expected_dice(seen_as(rings())) > 0.9
    shaken = torch.stack([rings(at=(float(index), 0.0)) for index in range(N_ORIENTATIONS)])
    assert expected_dice(HeartShares(square=SQUARE, tissues=shaken)) < DOUBTFUL_DICE


class KnowsBlood(nn.Module):
    """Stands in for the network: what brightens late and falls again is the left ventricle."""

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        late = inputs[:, 4]
        logits = torch.stack([-8 * late, 8 * late, torch.zeros_like(late), -9 + 0 * late], dim=1)
        return logits, torch.full_like(late, -9.0)


def test_the_look_is_centred_on_what_was_found() -> None:
    toy = make_toy(amplitude_mm=0.0)
    region = locate_heart(toy.frames, spacing_mm=(2.0, 2.0), n_proton_density=2)
    network = SegmentationNetwork(width=8, n_levels=1)
    network.forward = KnowsBlood().forward  # type: ignore[method-assign]  # a fake
    seen = look_at_heart(toy.frames, 2, network, region=region, spacing_mm=(2.0, 2.0))
    assert seen.tissues.shape == (N_ORIENTATIONS, 4, SIZE, SIZE)
    assert float((seen.tissues - seen.tissues[:1]).abs().max()) < 1e-2


def test_nothing_is_looked_for_beyond_reach_of_what_the_exam_knows() -> None:
    toy = make_toy(amplitude_mm=0.0)
    region = locate_heart(toy.frames, spacing_mm=(2.0, 2.0), n_proton_density=2)
    elsewhere = replace(region, centre_row=region.centre_row + 30.0)
    network = SegmentationNetwork(width=8, n_levels=1)
    network.forward = KnowsBlood().forward  # type: ignore[method-assign]  # a fake
    free, bound = (
        look_at_heart(
            toy.frames, 2, network, region=elsewhere, spacing_mm=(2.0, 2.0), reach_mm=reach_mm
        )
        for reach_mm in (None, 35.0)
    )
    assert abs(free.square.centre_row - region.centre_row) < 10
    assert float(free.tissues[:, 1:].sum()) > 100
    assert bound.square.centre_row == elsewhere.centre_row
    row, column = (
        round(each) for each in bound.square.of_image((region.centre_row, region.centre_column))
    )
    assert float(bound.tissues[:, 0, row, column].min()) == 1.0


def _discs(*middles: tuple[int, int]) -> Tensor:
    line = torch.arange(60.0)
    heart = torch.zeros(60, 60)
    for row, column in middles:
        heart += (torch.hypot(line[:, None] - row, line - column) < 6).float()
    return torch.stack([1 - heart, torch.zeros_like(heart), heart, torch.zeros_like(heart)])


def test_of_two_hearts_the_one_beside_the_place_is_another_organ() -> None:
    both, one = _discs((30, 14), (30, 40)), _discs((30, 40))
    seen = both.expand(8, -1, -1, -1)
    torch.testing.assert_close(without_other_organs(seen, (32.0, 37.0), 15.0)[3], one)
    assert without_other_organs(seen, (32.0, 27.0), 15.0) is seen
    gone = without_other_organs(seen, (5.0, 55.0), 15.0)
    assert float(gone[:, 0].min()) == 1.0


def test_a_network_that_knows_nothing_leaves_it_to_the_bolus() -> None:
    toy = make_toy(amplitude_mm=0.0)
    torch.manual_seed(0)
    ignorant = SegmentationNetwork(width=8, n_levels=2).eval().requires_grad_(requires_grad=False)
    nothing = Networks(anatomy=None, published=None, segmentation=None)
    blind = Networks(anatomy=None, published=None, segmentation=ignorant)
    alone, beside = (
        segment(toy.frames, spacing_mm=(2.0, 2.0), n_proton_density=2, networks=networks)
        for networks in (nothing, blind)
    )
    assert alone.method == beside.method == "bolus"
    assert torch.equal(alone.myocardium, beside.myocardium)
