import pytest
import torch

from models.networks import AffineNetwork, DeformableNetwork, Networks, PublishedNetworks
from pipeline.motion import Method, correct, published
from pipeline.motion.series import Series, prepare
from tests.pipeline.toy import make_toy


def networks(seed: int = 0, strength: float = 0.0) -> PublishedNetworks:
    """Untrained networks; `strength` makes them move things at random."""
    torch.manual_seed(seed)
    found = PublishedNetworks(
        affine=AffineNetwork(image_size=128, num_channel_initial=1, depth=5),
        affine_refine=AffineNetwork(image_size=128, num_channel_initial=1, depth=5),
        deformable=DeformableNetwork(num_channel_initial=2, n_levels=3),
    )
    for network in (found.affine, found.affine_refine):
        torch.nn.init.normal_(network.net.output_block.fc.weight, std=1e-3 * strength)
    for layer in found.deformable.net.output_block.layers:
        torch.nn.init.normal_(layer.conv.weight, std=0.1 * strength)
    for network in (found.affine, found.affine_refine, found.deformable):
        network.eval()
    return found


def series(frames: torch.Tensor | None = None, **changes: float) -> Series:
    toy = make_toy(n_frames=16, **changes)
    return prepare(
        toy.frames if frames is None else frames,
        spacing_mm=toy.spacing_mm,
        n_proton_density=toy.n_proton_density,
    )


def quiet(stage: str, fraction: float) -> None:
    """Listen to nothing."""


def test_untrained_networks_move_nothing() -> None:
    answers = published.register(series(), networks(), quiet)
    assert [answer.name for answer in answers] == ["affine", "affine to components", "deformable"]
    for answer in answers:
        assert answer.field.shape == (16, 2, 96, 96)
        torch.testing.assert_close(answer.field, torch.zeros_like(answer.field), atol=1e-4, rtol=0)


def test_fields_are_finite_and_the_reference_stays() -> None:
    answers = published.register(series(), networks(strength=1.0), quiet)
    for answer in answers:
        assert bool(answer.field.isfinite().all())
        assert bool(answer.field.any())
        assert answer.reference == 6
        assert not bool(answer.field[answer.reference].any())


def test_a_known_affine_of_the_network_comes_out_in_image_pixels() -> None:
    """A network that always says the same moves all frames alike, so nothing moves at all."""
    chosen = networks()
    with torch.no_grad():
        chosen.affine.net.output_block.fc.bias.copy_(torch.tensor([0, 0, 0.05, 0, 0, -0.02]))
    answer = published.register(series(), chosen, quiet)[0]
    inside = answer.field[:, :, 40:56, 40:56]
    torch.testing.assert_close(inside, torch.zeros_like(inside), atol=1e-3, rtol=0)


def test_the_series_is_not_changed_and_a_short_one_has_a_reference() -> None:
    toy = make_toy(n_frames=16)
    frames = toy.frames[:5].clone()
    kept = frames.clone()
    answers = published.register(series(frames), networks(strength=1.0), quiet)
    assert torch.equal(frames, kept)
    assert answers[0].reference == 2
    assert bool(answers[-1].field.isfinite().all())


def test_blank_and_broken_frames_stay_as_they_are() -> None:
    toy = make_toy(n_frames=16)
    frames = toy.frames.clone()
    frames[4], frames[9], frames[12, 3, 3] = 0.0, 7.0, float("nan")
    result = correct(
        frames,
        spacing_mm=toy.spacing_mm,
        n_proton_density=2,
        method=Method.PUBLISHED,
        networks=Networks(anatomy=None, published=networks(strength=1.0)),
    )
    assert bool(result.displacement.isfinite().all())
    torch.testing.assert_close(result.frames[[4, 9, 12]], frames[[4, 9, 12]], equal_nan=True)


def test_the_method_needs_its_networks() -> None:
    with pytest.raises(ValueError, match="three networks"):
        correct(
            make_toy(n_frames=16).frames,
            spacing_mm=(2.0, 2.0),
            method=Method.PUBLISHED,
            networks=Networks(anatomy=None, published=None),
        )
