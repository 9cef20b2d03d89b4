"""The methods that can be tried here: shipped networks where there are, untrained ones anyway.

Untrained networks answer nonsense, which is the hardest test of "do no harm".
"""

from collections.abc import Callable
from functools import cache

import pytest
import torch

from models.networks import (
    AffineNetwork,
    AnatomyNetwork,
    DeformableNetwork,
    MatchingNetwork,
    Networks,
    PublishedNetworks,
    RefiningNetwork,
)
from models.networks.loading import shipped_networks
from pipeline.motion import Method, correct
from pipeline.types import MotionCorrection
from tests.pipeline.motion.spoiling import Spoiled


@cache
def untrained() -> Networks:
    """Return networks whose weights are random numbers, the same every time."""
    torch.manual_seed(5)
    published = PublishedNetworks(
        affine=AffineNetwork(image_size=128, num_channel_initial=1, depth=5),
        affine_refine=AffineNetwork(image_size=128, num_channel_initial=1, depth=5),
        deformable=DeformableNetwork(num_channel_initial=2, n_levels=3),
    )
    for network in (published.affine, published.affine_refine):
        torch.nn.init.normal_(network.net.output_block.fc.weight, std=1e-3)
    for layer in published.deformable.net.output_block.layers:
        torch.nn.init.normal_(layer.conv.weight, std=0.1)
    anatomy = AnatomyNetwork(width=8, n_levels=3)
    matching = MatchingNetwork(n_levels=2)
    refining = RefiningNetwork(width=8, n_levels=3)
    torch.nn.init.normal_(refining.head.weight, std=0.1)
    registering = published.affine, published.affine_refine, published.deformable
    for network in (*registering, anatomy, matching, refining):
        network.eval().requires_grad_(requires_grad=False)
    return Networks(anatomy=anatomy, published=published, matching=matching, refining=refining)


def shipped() -> Networks:
    return shipped_networks("cpu")


AT_HAND: dict[str, tuple[Method, Callable[[], Networks]]] = {
    "iterative": (Method.ITERATIVE, shipped),
    "automatic": (Method.AUTO, shipped),
    "learned": (Method.LEARNED, shipped),
    "published": (Method.PUBLISHED, shipped),
    "learned, untrained": (Method.LEARNED, untrained),
    "published, untrained": (Method.PUBLISHED, untrained),
}


def method_and_networks(name: str) -> tuple[Method, Networks]:
    """Return what to call, or skip where its networks are not shipped."""
    method, source = AT_HAND[name]
    networks = source()
    needed = {Method.LEARNED: networks.anatomy, Method.PUBLISHED: networks.published}
    if needed.get(method, networks) is None:
        pytest.skip(f"the networks of the {method} method are not shipped")
    return method, networks


def correct_by(name: str, spoiled: Spoiled) -> MotionCorrection:
    """Register a series by one of the methods at hand."""
    method, networks = method_and_networks(name)
    return correct(
        spoiled.frames,
        spacing_mm=spoiled.spacing_mm,
        n_proton_density=spoiled.n_proton_density,
        method=method,
        networks=networks,
    )
