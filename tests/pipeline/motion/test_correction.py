import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from pipeline.motion import correct, identity, warp
from pipeline.motion.compose import jacobian_determinant
from pipeline.types import MotionCorrection
from tests.pipeline.toy import Toy, make_toy


def correct_toy(toy: Toy, frames: Tensor | None = None) -> MotionCorrection:
    return correct(
        toy.frames if frames is None else frames,
        spacing_mm=toy.spacing_mm,
        n_proton_density=toy.n_proton_density,
    )


def error_mm(toy: Toy, displacement: Tensor, reference: int) -> Tensor:
    """Return the mean distance of heart pixels from their true place, per frame."""
    truth = toy.displacement - toy.displacement[reference]
    heart = (toy.myocardium | toy.left_ventricle).roll(
        tuple(int(v) for v in toy.displacement[reference, :, 0, 0].round()), dims=(0, 1)
    )
    distance = (displacement - truth).norm(dim=1)[:, heart] * toy.spacing_mm[0]
    return distance.mean(dim=1)


@pytest.fixture(scope="module")
def toy() -> Toy:
    return make_toy()


@pytest.fixture(scope="module")
def corrected(toy: Toy) -> MotionCorrection:
    return correct_toy(toy)


def test_known_motion_is_found(toy: Toy, corrected: MotionCorrection) -> None:
    still = torch.zeros_like(corrected.displacement)
    before = error_mm(toy, still, corrected.reference)
    after = error_mm(toy, corrected.displacement, corrected.reference)
    assert corrected.method == "learned"
    assert float(after.mean()) < 0.2 * float(before.mean())
    assert float(after.mean()) < 1.0


def test_the_figures_tell_the_gain(corrected: MotionCorrection) -> None:
    quality = corrected.quality
    assert quality.pca_metric_after < 0.8 * quality.pca_metric_before
    assert quality.roughness_after < 0.7 * quality.roughness_before
    assert quality.sharpness_after > quality.sharpness_before
    assert quality.folded_fraction == 0


def test_field_does_not_fold_and_reference_stays(corrected: MotionCorrection) -> None:
    assert bool((jacobian_determinant(corrected.displacement) > 0).all())
    assert not bool(corrected.displacement[corrected.reference].any())
    torch.testing.assert_close(
        corrected.frames[corrected.reference],
        make_toy().frames[corrected.reference],
        atol=0.05,
        rtol=1e-4,
    )


def test_frames_are_the_original_resampled_once(toy: Toy, corrected: MotionCorrection) -> None:
    again = warp(toy.frames, corrected.displacement, interpolation="bicubic")
    lowest, highest = toy.frames.amin(dim=(1, 2)), toy.frames.amax(dim=(1, 2))
    again = again.clamp(lowest[:, None, None], highest[:, None, None])
    torch.testing.assert_close(corrected.frames, again, atol=0.05, rtol=1e-4)


@settings(max_examples=2, deadline=None)
@given(scale=st.floats(1e-4, 1e4))
def test_scanner_gain_does_not_matter(scale: float) -> None:
    toy = make_toy(n_frames=30)
    plain, scaled = correct_toy(toy), correct_toy(toy, toy.frames * scale)
    assert scaled.reference == plain.reference
    torch.testing.assert_close(scaled.displacement, plain.displacement, atol=0.02, rtol=0)


def test_threads_do_not_matter() -> None:
    toy = make_toy(n_frames=22, size=64)
    alone = correct_toy(toy)
    torch.set_num_threads(2)
    try:
        shared = correct_toy(toy)
    finally:
        torch.set_num_threads(1)
    assert shared.reference == alone.reference
    torch.testing.assert_close(shared.displacement, alone.displacement, atol=0.01, rtol=0)


@pytest.mark.parametrize("quarter_turns", [1, 2])
@pytest.mark.parametrize("is_flipped", [False, True])
def test_orientation_does_not_matter(
    toy: Toy, corrected: MotionCorrection, quarter_turns: int, is_flipped: bool
) -> None:
    frames = toy.frames.rot90(quarter_turns, (1, 2))
    frames = (frames.flip(2) if is_flipped else frames).contiguous()
    turned = correct_toy(toy, frames)
    assert turned.method == corrected.method
    expected = corrected.quality.pca_metric_after
    assert turned.quality.pca_metric_after == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("noise", [12.0, 60.0])
def test_a_series_without_motion_is_left_alone(noise: float) -> None:
    toy = make_toy(amplitude_mm=0.0, noise=noise)
    result = correct_toy(toy)
    assert result.method == "identity"
    assert torch.equal(result.frames, toy.frames)
    assert not bool(result.displacement.any())


def spoiled(toy: Toy, kind: str) -> Tensor:
    frames = toy.frames.clone()
    broken = {"blank": 0.0, "not a number": torch.nan, "infinite": torch.inf, "constant": 7.0}
    frames[[5, 17, 18]] = broken[kind]
    return frames


@pytest.mark.parametrize("kind", ["blank", "not a number", "infinite", "constant"])
def test_broken_frames_stay_and_harm_no_other(toy: Toy, kind: str) -> None:
    frames = spoiled(toy, kind)
    result = correct_toy(toy, frames)
    broken = torch.zeros(len(frames), dtype=torch.bool)
    broken[[5, 17, 18]] = True
    torch.testing.assert_close(result.frames[broken], frames[broken], equal_nan=True)
    assert not bool(result.displacement[broken].any())
    assert bool(result.displacement.isfinite().all())
    assert result.reference not in (5, 17, 18)
    error = error_mm(toy, result.displacement, result.reference)[~broken]
    assert float(error.mean()) < 1.2


@pytest.mark.parametrize("fill", [0.0, 3.0, float("nan")])
def test_a_series_that_shows_nothing_is_left_alone(fill: float) -> None:
    frames = torch.full((20, 32, 32), fill)
    result = correct(frames, spacing_mm=(2.0, 2.0), n_proton_density=3)
    assert result.method == "identity"
    torch.testing.assert_close(result.frames, frames, equal_nan=True)


@settings(max_examples=12, deadline=None)
@given(
    n_frames=st.sampled_from([1, 2, 3, 4, 5, 8, 20]),
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    n_proton_density=st.integers(0, 3),
)
@example(n_frames=8, rows=1, columns=2, n_proton_density=0)
def test_any_size_gives_an_answer(
    n_frames: int, rows: int, columns: int, n_proton_density: int
) -> None:
    generator = torch.Generator().manual_seed(rows * 41 + columns)
    frames = torch.rand(n_frames, rows, columns, generator=generator)
    result = correct(
        frames, spacing_mm=(1.5, 2.0), n_proton_density=min(n_proton_density, n_frames)
    )
    assert result.frames.shape == frames.shape
    assert result.displacement.shape == (n_frames, 2, rows, columns)
    assert bool(result.frames.isfinite().all())


def test_twenty_frames_are_enough() -> None:
    toy = make_toy(n_frames=22)
    result = correct_toy(toy)
    still = torch.zeros_like(result.displacement)
    after = error_mm(toy, result.displacement, result.reference).mean()
    assert float(after) < 0.5 * float(error_mm(toy, still, result.reference).mean())


def test_a_coarse_series_is_corrected_too() -> None:
    toy = make_toy(size=48, spacing_mm=4.5, noise=6.0)
    result = correct_toy(toy)
    still = torch.zeros_like(result.displacement)
    after = error_mm(toy, result.displacement, result.reference).mean()
    assert float(after) < 0.5 * float(error_mm(toy, still, result.reference).mean())


def test_progress_rises_through_named_stages(toy: Toy) -> None:
    told: list[tuple[str, float]] = []
    correct(
        toy.frames,
        spacing_mm=toy.spacing_mm,
        n_proton_density=toy.n_proton_density,
        progress=lambda stage, fraction: told.append((stage, fraction)),
    )
    fractions = [fraction for _, fraction in told]
    assert len({stage for stage, _ in told}) >= 4
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] <= fractions[-1] <= 1


def test_identity_leaves_everything_and_measures(toy: Toy) -> None:
    result = identity(toy.frames, spacing_mm=toy.spacing_mm, n_proton_density=2)
    assert torch.equal(result.frames, toy.frames)
    assert result.quality.roughness_before == result.quality.roughness_after > 0


def test_the_input_is_not_changed(toy: Toy) -> None:
    frames = toy.frames.clone()
    result = correct_toy(toy, frames)
    result.frames.zero_()
    assert torch.equal(frames, toy.frames)


def test_what_is_left_alone_has_a_beat_with_contrast_for_reference() -> None:
    toy = make_toy(amplitude_mm=0.0)
    left = identity(toy.frames, spacing_mm=toy.spacing_mm, n_proton_density=toy.n_proton_density)
    assert left.reference > 12


def test_a_series_whose_beats_are_known_is_not_registered_by_itself() -> None:
    toy = make_toy(amplitude_mm=0.0)
    nonsense_mm = 8.0 * torch.randn(len(toy.frames), 2, generator=torch.Generator().manual_seed(3))
    misled = correct(
        toy.frames,
        spacing_mm=toy.spacing_mm,
        n_proton_density=toy.n_proton_density,
        guess_mm=nonsense_mm,
    )
    assert misled.method == "identity"
    assert {tried.method for tried in misled.considered} == {"learned"}
