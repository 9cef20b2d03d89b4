import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.segment import locate_heart
from tests.pipeline.toy import make_toy


def distance_to_left_ventricle_mm(frames: torch.Tensor, mask: torch.Tensor) -> float:
    region = locate_heart(frames, spacing_mm=(2.0, 2.0), n_proton_density=2)
    centre = mask.nonzero().float().mean(dim=0)
    found = torch.tensor([region.centre_row, region.centre_column])
    return float((found - centre).norm() * 2)


@settings(max_examples=8, deadline=None)
@given(turns=st.integers(0, 3), is_flipped=st.booleans(), amplitude_mm=st.floats(0, 12))
def test_found_near_the_left_ventricle_however_the_patient_lies(
    turns: int, is_flipped: bool, amplitude_mm: float
) -> None:
    toy = make_toy(amplitude_mm=amplitude_mm)
    frames, mask = toy.frames.rot90(turns, (1, 2)), toy.left_ventricle.rot90(turns, (0, 1))
    if is_flipped:
        frames, mask = frames.flip(2), mask.flip(1)
    assert distance_to_left_ventricle_mm(frames.contiguous(), mask) < 15


def test_a_bright_breathing_liver_does_not_distract() -> None:
    toy = make_toy()
    frames = toy.frames.clone()
    for t in range(len(frames)):
        edge = 78 + round(3 * float(torch.sin(torch.tensor(t * 0.9))))
        frames[t, edge:] += 20.0 * max(0, t - 14)
    assert distance_to_left_ventricle_mm(frames, toy.left_ventricle) < 15


@pytest.mark.parametrize("fill", [0.0, 5.0])
def test_nothing_passes_means_the_centre_without_contrast(fill: float) -> None:
    region = locate_heart(torch.full((20, 40, 60), fill), spacing_mm=(2.0, 2.0), n_proton_density=3)
    assert (region.centre_row, region.centre_column) == (19.5, 29.5)
    assert region.bolus_contrast == 0


@pytest.mark.parametrize("n_frames", [0, 1, 3, 6])
def test_short_series_do_not_raise(n_frames: int) -> None:
    region = locate_heart(
        torch.rand(n_frames, 30, 30), spacing_mm=(2.0, 2.0), n_proton_density=min(n_frames, 3)
    )
    assert region.radius_mm > 0
