"""The shipped network on a virtual patient that it has never seen."""

import pytest
import torch

from models.networks import shipped_networks
from models.phantom import Breathing, PhantomSeries, Protocol, make_exam
from pipeline.errors import CannotQuantifyError
from pipeline.segment import segment
from pipeline.segment.trust import DOUBTFUL_DICE
from pipeline.types import HeartMasks


@pytest.fixture(scope="module")
def series() -> PhantomSeries:
    protocol = Protocol(
        n_slices=1,
        matrix=(112, 112),
        spacing_mm=2.4,
        n_saturation_recovery=45,
        breathing=Breathing.HELD,
    )
    return make_exam(5003, protocol=protocol).slices[0]


def outlined(series: PhantomSeries, frames: torch.Tensor) -> HeartMasks:
    return segment(
        frames,
        spacing_mm=series.spacing_mm,
        n_proton_density=series.n_proton_density,
        networks=shipped_networks("cpu"),
    )


def dice(first: torch.Tensor, second: torch.Tensor) -> float:
    return float(2 * (first & second).sum() / (first.sum() + second.sum()))


def test_the_heart_is_outlined(series: PhantomSeries) -> None:
    masks, truth = outlined(series, series.frames.float()), series.truth
    assert masks.method == "network"
    assert dice(masks.myocardium, truth.reference_myocardium) > 0.85
    assert dice(masks.left_ventricle, truth.reference_left_ventricle) > 0.93
    assert masks.right_ventricle is not None
    assert dice(masks.right_ventricle, truth.reference_right_ventricle) > 0.9
    assert masks.insertions_px is not None
    assert masks.expected_dice is not None
    assert masks.expected_dice > 0.85


def test_a_turned_and_brighter_image_has_the_same_outlines(series: PhantomSeries) -> None:
    frames = series.frames.float()
    upright = outlined(series, frames)
    turned = outlined(series, 37 * frames.rot90(1, (1, 2)).contiguous())
    assert dice(turned.myocardium, upright.myocardium.rot90(1, (0, 1))) > 0.97


def test_noise_is_no_heart(series: PhantomSeries) -> None:
    generator = torch.Generator().manual_seed(0)
    frames = series.frames.float()
    shuffled = frames.flatten(1)[:, torch.randperm(frames[0].numel(), generator=generator)]
    try:
        expected = outlined(series, shuffled.reshape(frames.shape)).expected_dice
    except CannotQuantifyError:
        expected = 0.0
    assert expected is not None
    assert expected < DOUBTFUL_DICE
