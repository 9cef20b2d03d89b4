import torch

from models.networks.anatomy import N_INPUTS, N_MAPS, AnatomyNetwork, frame_inputs, normalised


def _series():
    return torch.rand(9, 32, 48, generator=torch.Generator().manual_seed(0))


def test_inputs_do_not_know_the_gain_of_the_scanner():
    frames = _series()
    assert torch.allclose(frame_inputs(frames, 2), frame_inputs(900 * frames, 2), atol=1e-5)


def test_proton_density_frames_have_neighbours_of_their_kind():
    inputs = frame_inputs(_series(), 2)
    assert inputs.shape == (9, N_INPUTS, 32, 48)
    assert torch.equal(inputs[2, 1], inputs[2, 0])  # the first saturated frame has none before
    assert torch.equal(inputs[1, 2], inputs[1, 0])  # the last proton-density frame has none after


def test_a_blank_image_becomes_zero():
    assert not bool(normalised(torch.full((1, 8, 8), 7.0)).any())
    assert bool(frame_inputs(torch.zeros(3, 16, 16), 1).isfinite().all())


def test_a_frame_is_seen_alike_in_any_batch():
    torch.manual_seed(0)
    network = AnatomyNetwork(width=8, n_levels=2).eval()
    inputs = frame_inputs(_series(), 2)
    whole = network(inputs)
    assert whole.shape == (9, N_MAPS, 32, 48)
    parts = torch.cat([network(part) for part in inputs.split(4)])
    assert torch.allclose(whole, parts, atol=1e-5)
