import pytest
import torch

from models.networks.evidence import COARSER, N_IMAGES, N_STEPS, gather
from models.networks.refining import RefiningNetwork, to_full
from models.smoothing import smooth

N_FRAMES, N_PROTON = 14, 2
SIDE = 48
IS_ENHANCED = torch.arange(N_FRAMES) >= 5


def _texture(seed):
    return smooth(torch.rand(1, SIDE, SIDE, generator=torch.Generator().manual_seed(seed)), 2.0)


def _series():
    """One image that gets brighter over time, as contrast would make it, over another."""
    share = torch.linspace(0.2, 0.9, N_FRAMES)[:, None, None]
    return 10 * (share * _texture(0) + 0.1 * _texture(1))


def _window():
    place = torch.arange(SIDE) - (SIDE - 1) / 2
    return torch.exp(-0.5 * (torch.hypot(place[:, None], place[None]) / 14) ** 4)


def _gathered(frames, is_enhanced=IS_ENHANCED, n_proton_density=N_PROTON):
    return gather(frames, frames[:, None], _window(), is_enhanced, n_proton_density)


def _network():
    torch.manual_seed(0)
    return RefiningNetwork(width=8, n_levels=3).eval()


def test_a_frame_that_lies_aside_is_told_the_way_back_by_image_features_and_edges():
    frames = _series()
    frames[9] = frames[9].roll(1, dims=0)  # what belongs at a row lies one row further
    steps = _gathered(frames).steps
    middle = slice(3, SIDE // COARSER - 3)
    told = steps[:, :, :, middle, middle].mean(dim=(3, 4))
    for source in (0, 2, 4):  # images, features, edges in the smaller window
        row, column = told[9, source].tolist()
        assert 0.3 < row < 1.5, source
        assert abs(column) < 0.3, source
        assert told[8, source].abs().max() < 0.3, source
    assert not bool(steps[IS_ENHANCED, 6:].any())  # what a group is told, none here is part of


def test_a_group_without_contrast_is_told_the_same_step():
    frames = _series()
    frames[2:5] = frames[2:5].roll(1, dims=2)
    steps = _gathered(frames).steps
    assert torch.equal(steps[2, 6:], steps[4, 6:])
    middle = slice(3, SIDE // COARSER - 3)
    together = steps[2, 8, :, middle, middle].mean(dim=(1, 2))
    assert 0.2 < float(together[1]) < 1.5
    assert abs(float(together[0])) < 0.3


def test_what_is_known_does_not_depend_on_the_gain_of_the_scanner():
    frames = _series()
    one, other = _gathered(frames), _gathered(300 * frames)
    assert torch.allclose(one.steps, other.steps, atol=1e-3)
    shown = [0, 1, 2, 3, 4, 6]  # this series has no order of arrival
    assert torch.allclose(one.images[:, shown], other.images[:, shown], atol=1e-4)


@pytest.mark.parametrize("n_enhanced", [0, 2, N_FRAMES])
@pytest.mark.parametrize("n_proton", [0, N_FRAMES])
def test_any_division_into_phases_and_blank_frames_stay_finite(n_enhanced, n_proton):
    is_enhanced = torch.arange(N_FRAMES) >= N_FRAMES - n_enhanced
    frames = _series()
    frames[3] = 0
    known = _gathered(frames, is_enhanced, n_proton)
    assert known.images.shape == (N_FRAMES, N_IMAGES, SIDE, SIDE)
    assert known.steps.shape == (N_FRAMES, N_STEPS, 2, SIDE // COARSER, SIDE // COARSER)
    for values in (known.images, known.steps, known.structure):
        assert bool(values.isfinite().all())


def test_before_it_has_learned_the_network_takes_a_share_of_every_step():
    known = _gathered(_series())
    found, log_error = _network()(known)
    share = torch.tensor(-1.5).sigmoid()
    assert torch.allclose(found, share * known.steps.sum(dim=1), atol=1e-5)
    assert not bool(log_error.any())


def test_a_frame_is_answered_alike_in_any_batch():
    network = _network()
    torch.nn.init.normal_(network.head.weight, std=0.1)
    known = _gathered(_series())
    whole = network(known)[0]
    parts = torch.cat([network(part)[0] for part in known.split(4)])
    assert torch.allclose(whole, parts, atol=1e-5)


def test_a_uniform_field_stays_uniform_on_the_grid_of_the_image():
    full = to_full(torch.full((2, 2, 6, 6), 0.7), (24, 24))
    assert full.shape == (2, 2, 24, 24)
    assert torch.allclose(full, torch.tensor(0.7), atol=1e-5)
