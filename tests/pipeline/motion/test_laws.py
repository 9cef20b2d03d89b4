"""What must not matter to a correction: threads, batches, number format, device, place, scale."""

import pytest
import torch

from models.networks import batches
from pipeline.motion import correct
from pipeline.types import MotionCorrection
from tests.pipeline.motion.at_hand import AT_HAND, correct_by, method_and_networks
from tests.pipeline.motion.spoiling import Spoiled, good
from tests.pipeline.toy import make_toy

SHIFT_PX = (5, -7)


def toy(n_frames: int = 26, size: int = 80) -> Spoiled:
    made = make_toy(n_frames=n_frames, size=size, amplitude_mm=9.0)
    inside = (made.myocardium | made.left_ventricle).float()
    return Spoiled(
        frames=made.frames,
        left_heart=inside.expand(n_frames, -1, -1),
        spacing_mm=made.spacing_mm,
        n_proton_density=made.n_proton_density,
    )


def assert_same(first: MotionCorrection, second: MotionCorrection, *, within_px: float) -> None:
    assert first.method == second.method
    assert first.reference == second.reference
    assert torch.equal(first.is_unlike, second.is_unlike)
    torch.testing.assert_close(
        first.displacement.float(), second.displacement.float(), atol=within_px, rtol=0
    )


@pytest.mark.parametrize("method", AT_HAND)
def test_the_number_of_threads_does_not_matter(method: str) -> None:
    small = toy(n_frames=18, size=56)  # threads wait long for each other on a busy machine
    alone = correct_by(method, small)
    torch.set_num_threads(2)
    try:
        shared = correct_by(method, small)
    finally:
        torch.set_num_threads(1)
    assert_same(alone, shared, within_px=0.01)


@pytest.mark.parametrize("batch", [1, 7, 64])
@pytest.mark.parametrize("method", ["learned", "learned, untrained"])
def test_the_size_of_batches_does_not_matter(
    method: str, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = correct_by(method, toy())
    monkeypatch.setattr(batches, "BATCH", batch)
    assert_same(usual, correct_by(method, toy()), within_px=0.01)


@pytest.mark.parametrize("method", AT_HAND)
def test_the_same_series_gives_the_same_bytes(method: str) -> None:
    first, second = correct_by(method, toy()), correct_by(method, toy())
    assert torch.equal(first.frames, second.frames)
    assert torch.equal(first.displacement, second.displacement)


@pytest.mark.parametrize("method", AT_HAND)
@pytest.mark.parametrize(("dtype", "within_px"), [(torch.float64, 1e-3), (torch.float16, 0.15)])
def test_double_and_half_precision_are_taken_and_given_back(
    method: str, dtype: torch.dtype, within_px: float
) -> None:
    series = toy()
    found = correct_of(method, series.frames.to(dtype), series)
    assert found.frames.dtype == dtype
    assert found.displacement.dtype == torch.float32
    assert_same(found, correct_by(method, series), within_px=within_px)


def correct_of(method: str, frames: torch.Tensor, series: Spoiled) -> MotionCorrection:
    kind, networks = method_and_networks(method)
    return correct(
        frames,
        spacing_mm=series.spacing_mm,
        n_proton_density=series.n_proton_density,
        method=kind,
        networks=networks,
    )


@pytest.mark.parametrize("method", ["iterative", "automatic", "learned", "published"])
def test_a_shift_of_all_frames_by_whole_pixels_shifts_the_result(method: str) -> None:
    """The heart keeps its surroundings; only what lies near the edges of the image changes."""
    series = good()
    whole = correct_of(method, series.frames, series)
    moved = correct_of(method, series.frames.roll(SHIFT_PX, dims=(1, 2)), series)
    assert moved.method == whole.method
    assert moved.reference == whole.reference
    heart = series.left_heart.amax(dim=0).bool()
    back = moved.displacement.roll((-SHIFT_PX[0], -SHIFT_PX[1]), dims=(2, 3))
    difference = (back - whole.displacement).norm(dim=1)[:, heart]
    assert float(difference.mean()) < 0.1
    assert float(difference.quantile(0.95)) < 0.3


@pytest.mark.parametrize("method", ["iterative", "automatic", "learned", "published"])
@pytest.mark.parametrize("scale", [0.01, 300.0])
def test_the_gain_of_the_scanner_does_not_matter(method: str, scale: float) -> None:
    series = toy()
    assert_same(
        correct_by(method, series),
        correct_of(method, series.frames * scale, series),
        within_px=0.03,
    )


@pytest.mark.parametrize("method", ["iterative", "automatic", "learned"])
def test_everything_stays_on_the_device_of_the_input(method: str) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device in this machine")
    series = toy()
    kind, _ = method_and_networks(method)
    found = correct(
        series.frames.cuda(),
        spacing_mm=series.spacing_mm,
        n_proton_density=series.n_proton_density,
        method=kind,
    )
    assert found.frames.is_cuda
    assert found.displacement.is_cuda
    assert found.is_unlike.is_cuda
    beside = correct_by(method, series)
    difference = (found.displacement.cpu() - beside.displacement).abs()
    assert float(difference.mean()) < 0.05
