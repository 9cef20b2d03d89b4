from dataclasses import replace

import pytest
import torch

from models.networks import MatchingNetwork, RefiningNetwork
from models.networks.evidence import N_STEPS
from models.smoothing import smooth
from pipeline.motion.compose import jacobian_determinant
from pipeline.motion.refining import Aligned, refine
from pipeline.motion.translation import matching_features

N_FRAMES, SIDE = 12, 48


@pytest.fixture
def aligned() -> Aligned:
    generator = torch.Generator().manual_seed(0)
    frames = smooth(torch.rand(N_FRAMES, SIDE, SIDE, generator=generator), 1.5)
    matching = MatchingNetwork(n_levels=2).eval()
    return Aligned(
        frames=frames,
        features=matching_features(frames, matching, 2),
        window=torch.ones(SIDE, SIDE),
        field=torch.zeros(N_FRAMES, 2, SIDE, SIDE),
        is_enhanced=torch.arange(N_FRAMES) >= 4,
        n_proton_density=2,
    )


@pytest.fixture
def network() -> RefiningNetwork:
    torch.manual_seed(0)
    network = RefiningNetwork(width=8, n_levels=3).eval()
    torch.nn.init.normal_(network.head.weight, std=0.3)
    return network


def test_no_step_folds_however_wild_the_network(aligned: Aligned, network: RefiningNetwork):
    found = refine(aligned, network, is_fine=True)
    assert float(found.abs().max()) > 1
    assert float(jacobian_determinant(found).min()) > 0


def test_coarse_frames_are_only_shifted(aligned: Aligned, network: RefiningNetwork):
    found = refine(aligned, network, is_fine=False)
    assert bool(found.any())
    assert torch.allclose(found, found[:, :, :1, :1].expand_as(found), atol=1e-5)


def test_a_network_that_takes_no_step_leaves_what_was_found(
    aligned: Aligned, network: RefiningNetwork
):
    torch.nn.init.zeros_(network.head.weight)
    torch.nn.init.constant_(network.head.bias, 0)
    network.head.bias.data[:N_STEPS] = -40
    found = torch.full_like(aligned.field, 1.5)
    refined = refine(replace(aligned, field=found), network, is_fine=True)
    assert torch.allclose(refined, found, atol=1e-5)
