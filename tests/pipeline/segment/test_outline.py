import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code
from pipeline.segment import segment
from pipeline.segment.bolus import non_negative_parts
from pipeline.types import HeartMasks
from tests.pipeline.toy import Toy, make_toy


def dice(first: Tensor, second: Tensor) -> float:
    return float(2 * (first & second).sum() / (first.sum() + second.sum()))


def segment_toy(toy: Toy, frames: Tensor | None = None) -> HeartMasks:
    return segment(
        toy.frames if frames is None else frames,
        spacing_mm=toy.spacing_mm,
        n_proton_density=toy.n_proton_density,
    )


@pytest.mark.parametrize("noise", [0.0, 12.0, 40.0])
def test_the_ring_and_both_pools_are_found(noise: float) -> None:
    toy = make_toy(amplitude_mm=0.0, noise=noise)
    masks = segment_toy(toy)
    assert masks.right_ventricle is not None
    assert dice(masks.left_ventricle, toy.left_ventricle) > 0.93
    assert dice(masks.myocardium, toy.myocardium) > 0.85
    assert dice(masks.right_ventricle, toy.right_ventricle) > 0.85
    inside = (masks.myocardium & toy.myocardium).sum() / masks.myocardium.sum()
    assert float(inside) > 0.97


@settings(max_examples=8, deadline=None)
@given(turns=st.integers(0, 3), is_flipped=st.booleans(), scale=st.floats(1e-3, 1e3))
def test_orientation_and_gain_do_not_matter(turns: int, is_flipped: bool, scale: float) -> None:
    toy = make_toy(amplitude_mm=0.0)
    frames, truth = toy.frames.rot90(turns, (1, 2)), toy.myocardium.rot90(turns, (0, 1))
    if is_flipped:
        frames, truth = frames.flip(2), truth.flip(1)
    masks = segment_toy(toy, scale * frames.contiguous())
    assert dice(masks.myocardium, truth) > 0.85


def test_masks_do_not_overlap() -> None:
    masks = segment_toy(make_toy(amplitude_mm=0.0))
    assert masks.right_ventricle is not None
    assert not bool((masks.myocardium & masks.left_ventricle).any())
    assert not bool((masks.myocardium & masks.right_ventricle).any())
    assert not bool((masks.left_ventricle & masks.right_ventricle).any())


@pytest.mark.parametrize("fill", [0.0, float("nan")])
def test_broken_frames_are_left_out(fill: float) -> None:
    toy = make_toy(amplitude_mm=0.0)
    frames = toy.frames.clone()
    frames[[4, 20]] = fill
    assert dice(segment_toy(toy, frames).myocardium, toy.myocardium) > 0.85


def test_a_defect_stays_inside_the_outline() -> None:
    toy = make_toy(amplitude_mm=0.0)
    frames = toy.frames.clone()
    place = torch.arange(96)
    row, column = torch.meshgrid(place, place, indexing="ij")
    defect = toy.myocardium & (row > 52) & (column > 48)
    frames[:, defect] = 130 + 0.25 * (frames[:, defect] - 130)
    masks = segment_toy(toy, frames)
    assert float((masks.myocardium & defect).sum() / defect.sum()) > 0.6


def refused(frames: Tensor) -> Code:
    with pytest.raises(CannotQuantifyError) as caught:
        segment(frames, spacing_mm=(2.0, 2.0), n_proton_density=2)
    return caught.value.code


@pytest.mark.parametrize("seed", range(4))
def test_noise_is_refused(seed: int) -> None:
    frames = 100 + torch.randn(40, 64, 64, generator=torch.Generator().manual_seed(seed))
    assert refused(frames) in (Code.BOLUS_NOT_COVERED, Code.SEGMENTATION_UNCERTAIN)


def test_a_series_without_bolus_is_refused() -> None:
    toy = make_toy(amplitude_mm=0.0)
    still = toy.frames[3:6].repeat(14, 1, 1)
    assert refused(still) is Code.BOLUS_NOT_COVERED


def test_a_series_that_ends_early_is_refused() -> None:
    assert refused(make_toy().frames[:10]) is Code.BOLUS_NOT_COVERED


@pytest.mark.parametrize("shape", [(0, 8, 8), (1, 64, 64), (40, 1, 1), (40, 10, 90)])
def test_any_shape_is_answered_or_refused(shape: tuple[int, int, int]) -> None:
    refused(torch.rand(shape, generator=torch.Generator().manual_seed(0)))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_amounts_of_a_known_mixture_are_found(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    basis = torch.rand(3, 40, generator=generator)
    amounts = (torch.rand(3, 50, generator=generator) - 0.3).clamp_min(0)
    found = non_negative_parts(basis.T @ amounts, basis, n_sweeps=400)
    torch.testing.assert_close(found, amounts, atol=0.02, rtol=0)
