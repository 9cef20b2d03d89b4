"""Whatever comes: no exception, the same shape, and never a worse series."""

import pytest
import torch

from pipeline.motion.gate import score
from pipeline.types import MotionCorrection
from tests.pipeline.motion.at_hand import AT_HAND, correct_by
from tests.pipeline.motion.spoiling import SPOILED, Spoiled, overlap

SHOWS_NOTHING = (
    *("all not a number", "constant series", "blank series", "a single frame", "three frames"),
    *("no frame", "no row", "no column", "eight pixels wide", "proton density only"),
)
TOLERATED_LOSS = 0.01


def _check_shape(spoiled: Spoiled, found: MotionCorrection) -> None:
    n_frames, n_rows, n_columns = spoiled.frames.shape
    assert found.frames.shape == spoiled.frames.shape
    assert found.frames.dtype == spoiled.frames.dtype
    assert found.displacement.shape == (n_frames, 2, n_rows, n_columns)
    assert found.is_unlike.shape == (n_frames,)
    assert 0 <= found.reference < max(n_frames, 1)
    assert bool(found.displacement.isfinite().all())
    assert torch.equal(found.frames.isnan(), spoiled.frames.isnan())


def _check_no_harm(spoiled: Spoiled, found: MotionCorrection) -> None:
    assert score(found.quality) <= 1.0
    assert found.quality.folded_fraction == 0.0
    before = overlap(spoiled, found, is_corrected=False)
    assert overlap(spoiled, found, is_corrected=True) >= before - TOLERATED_LOSS


@pytest.mark.parametrize("method", AT_HAND)
@pytest.mark.parametrize("case", [case for case in SPOILED if case not in SHOWS_NOTHING])
def test_a_bad_series_is_never_worse_afterwards(case: str, method: str) -> None:
    spoiled = SPOILED[case]()
    found = correct_by(method, spoiled)
    _check_shape(spoiled, found)
    _check_no_harm(spoiled, found)


@pytest.mark.parametrize("method", AT_HAND)
@pytest.mark.parametrize("case", SHOWS_NOTHING)
def test_a_series_that_tells_no_motion_stays_as_it_is(case: str, method: str) -> None:
    spoiled = SPOILED[case]()
    found = correct_by(method, spoiled)
    _check_shape(spoiled, found)
    assert found.method == "identity"
    torch.testing.assert_close(found.frames, spoiled.frames, equal_nan=True, atol=0, rtol=0)


@pytest.mark.parametrize("method", AT_HAND)
@pytest.mark.parametrize("case", ["blank frames", "constant frames", "frames not a number"])
def test_broken_frames_stay_as_they_are(case: str, method: str) -> None:
    spoiled = SPOILED[case]()
    found = correct_by(method, spoiled)
    broken = [1, 8, 20, 21]
    torch.testing.assert_close(
        found.frames[broken], spoiled.frames[broken], equal_nan=True, atol=0, rtol=0
    )
    assert not bool(found.displacement[broken].any())
    assert found.reference not in broken


@pytest.mark.parametrize("method", ["iterative", "automatic", "learned"])
def test_the_good_series_gains(method: str) -> None:
    spoiled = SPOILED["good"]()
    found = correct_by(method, spoiled)
    before = overlap(spoiled, found, is_corrected=False)
    assert overlap(spoiled, found, is_corrected=True) > before + 0.02
