"""The trained networks of one process, checked against their cards, and how results name them."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from models.networks import (
    WEIGHTS,
    Networks,
    SegmentationNetwork,
    WeightsError,
    load_network,
    load_networks,
)
from models.networks.cards import read_card
from node.errors import StartupError
from node.settings import Settings
from node.translate import NetworkStamp
from pipeline.motion import Method

_OF_METHOD = {
    Method.LEARNED: ("anatomy", "matching", "refining"),
    Method.PUBLISHED: ("affine", "affine_refine", "deformable"),
}
_SEGMENTATION = "segmentation"
"""It finds and outlines the heart, whatever the method."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedNetworks:
    """What a process computes with, loaded once."""

    networks: Networks
    stamps: tuple[NetworkStamp, ...]
    """Name and hash of every network that may take part."""


WITHOUT = TrainedNetworks(networks=Networks(anatomy=None, published=None), stamps=())


def load_trained(settings: Settings, device: torch.device) -> TrainedNetworks:
    """Load what the method of the configuration needs.

    The segmentation network is the shipped one where the configured folder has none.

    Parameters
    ----------
    settings
        The configuration.
    device
        Where the networks shall compute.

    Raises
    ------
    StartupError
        Weights are altered or missing. Names the file and the remedy.

    """
    chosen = Method(settings.motion.method)
    method = Method.LEARNED if chosen is Method.AUTO else chosen
    folder = settings.motion.weights or WEIGHTS
    names = _OF_METHOD.get(method, ())
    try:
        found = load_networks(device, folder=folder) if names else WITHOUT.networks
        stamps = _stamps(folder, names, method)
        if names and chosen is not Method.AUTO and not stamps:
            raise StartupError(
                f"{folder} has no networks of the {method} method: train them with "
                "`perfnode train`, or set motion.method to auto"
            )
        if names and not stamps:
            method = Method.ITERATIVE  # what `auto` does then
        outlining, source = found.segmentation, folder
        if outlining is None:
            outlining = load_network(SegmentationNetwork, _SEGMENTATION, device)
            source = WEIGHTS
        stamps += _stamps(source, (_SEGMENTATION,), method)
    except WeightsError as error:
        raise StartupError(str(error)) from error
    return TrainedNetworks(networks=replace(found, segmentation=outlining), stamps=stamps)


def _stamps(folder: Path, names: tuple[str, ...], method: Method) -> tuple[NetworkStamp, ...]:
    """Return the stamps of those networks that a folder has."""
    paths = (folder / f"{name}.toml" for name in names)
    cards = [read_card(path) for path in paths if path.exists()]
    return tuple(NetworkStamp(method=method, name=card.name, sha256=card.sha256) for card in cards)
