"""What one series knows of the beats, told to another."""

import dataclasses

import pytest
import torch

from pipeline.motion import displacement_of_beats, identity
from pipeline.types import MotionCorrection
from tests.pipeline.toy import Toy, make_toy

SPACING_MM = (1.5, 2.5)


@pytest.fixture(scope="module")
def toy() -> Toy:
    return make_toy(n_frames=30, size=64)


@pytest.fixture(scope="module")
def known(toy: Toy) -> MotionCorrection:
    """Return the correction that knows the truth."""
    still = identity(toy.frames, spacing_mm=SPACING_MM, n_proton_density=2)
    return dataclasses.replace(still, displacement=toy.displacement, reference=12)


TIME_S = 0.8 * torch.arange(30, dtype=torch.float64)


def ask(known: MotionCorrection, at_s: torch.Tensor) -> torch.Tensor:
    return displacement_of_beats(known, time_s=TIME_S, at_s=at_s, spacing_mm=SPACING_MM)


def expected_mm(toy: Toy) -> torch.Tensor:
    return toy.displacement[:, :, 0, 0] * torch.tensor(SPACING_MM)


def test_the_same_beat_has_the_same_place_in_mm(toy: Toy, known: MotionCorrection) -> None:
    torch.testing.assert_close(ask(known, TIME_S - 0.1), expected_mm(toy), atol=1e-3, rtol=0)


def test_a_missed_trigger_shifts_no_other_beat(toy: Toy, known: MotionCorrection) -> None:
    keep = torch.arange(30) != 9
    found = ask(known, (TIME_S - 0.1)[keep])
    torch.testing.assert_close(found, expected_mm(toy)[keep], atol=1e-3, rtol=0)


def test_frames_that_know_nothing_are_answered_for_by_their_neighbours(
    toy: Toy, known: MotionCorrection
) -> None:
    frames, field = known.frames.clone(), known.displacement.clone()
    frames[7], field[7] = torch.nan, 0.0
    is_unlike = torch.zeros(30, dtype=torch.bool)
    is_unlike[11] = True
    field[11] = 99.0
    spoiled = dataclasses.replace(known, frames=frames, displacement=field, is_unlike=is_unlike)
    expected = expected_mm(toy)
    expected[7], expected[11] = expected[6], expected[10]
    torch.testing.assert_close(ask(spoiled, TIME_S - 0.1), expected, atol=1e-3, rtol=0)


def test_a_series_that_shows_nothing_knows_nothing(known: MotionCorrection) -> None:
    blank = dataclasses.replace(known, frames=torch.zeros_like(known.frames))
    assert not bool(ask(blank, TIME_S).any())
