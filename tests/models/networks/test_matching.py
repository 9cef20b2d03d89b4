import torch

from models.networks.matching import (
    N_INPUTS,
    MatchingNetwork,
    correlation,
    matching_inputs,
    near,
    standardised,
)


def _series():
    return torch.rand(9, 32, 48, generator=torch.Generator().manual_seed(0))


def test_inputs_do_not_know_the_gain_of_the_scanner():
    frames = _series()
    assert torch.allclose(matching_inputs(frames, 2), matching_inputs(900 * frames, 2), atol=1e-5)


def test_proton_density_frames_have_a_scale_of_their_own():
    frames = _series()
    brighter = torch.cat([50 * frames[:2], frames[2:]])
    assert torch.allclose(matching_inputs(frames, 2), matching_inputs(brighter, 2), atol=1e-5)
    assert not torch.allclose(matching_inputs(frames, 0), matching_inputs(brighter, 0), atol=0.1)


def test_blank_frames_stay_finite():
    inputs = matching_inputs(torch.zeros(3, 16, 16), 1)
    assert inputs.shape == (3, N_INPUTS, 16, 16)
    network = MatchingNetwork(n_levels=2).eval()
    features = standardised(network(inputs), torch.ones(16, 16))
    assert bool(features.isfinite().all())


def test_a_frame_is_seen_alike_in_any_batch():
    torch.manual_seed(0)
    network = MatchingNetwork(n_levels=2, n_features=3).eval()
    inputs = matching_inputs(_series(), 2)
    whole = network(inputs)
    assert whole.shape == (9, 3, 32, 48)
    parts = torch.cat([network(part) for part in inputs.split(4)])
    assert torch.allclose(whole, parts, atol=1e-5)


def test_standardised_maps_have_unit_length_and_know_no_offset():
    maps = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    weight = torch.rand(16, 16, generator=torch.Generator().manual_seed(2))
    unit = standardised(maps, weight)
    assert torch.allclose(unit.flatten(1).norm(dim=1), torch.ones(2))
    assert torch.allclose(standardised(5 * maps + 3, weight), unit, atol=1e-5)


def test_the_correlation_peaks_at_the_shift_between_two_frames():
    maps = torch.randn(1, 2, 32, 32, generator=torch.Generator().manual_seed(3))
    pair = standardised(torch.cat([maps, maps.roll((3, -5), dims=(2, 3))]), torch.ones(32, 32))
    spectra = torch.fft.rfft2(pair)
    surface = near(correlation(spectra[0], spectra[1:], (32, 32)), 6)
    assert surface.shape == (1, 13, 13)
    assert divmod(int(surface.argmax()), 13) == (6 + 3, 6 - 5)
    assert abs(float(surface.max()) - 1) < 1e-5
