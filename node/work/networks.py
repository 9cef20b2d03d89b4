"""The trained networks of one process, checked against their cards, and how results name them."""

from dataclasses import dataclass
from pathlib import Path

import torch

from models.networks import WEIGHTS, Networks, WeightsError, load_networks
from models.networks.cards import read_card
from node.errors import StartupError
from node.settings import Settings
from node.translate import NetworkStamp
from pipeline.motion import Method

_TRAINED = {
    Method.AUTO: Method.LEARNED,
    Method.LEARNED: Method.LEARNED,
    Method.PUBLISHED: Method.PUBLISHED,
}
"""Methods that take networks, and whose."""
_PUBLISHED = ("affine", "affine_refine", "deformable")
"""Networks of the published pipeline; all others are ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedNetworks:
    """What a process computes with, loaded once."""

    networks: Networks
    stamps: tuple[NetworkStamp, ...]
    """Name and hash of every network that may take part."""


WITHOUT = TrainedNetworks(networks=Networks(anatomy=None, published=None), stamps=())


def load_trained(settings: Settings, device: torch.device) -> TrainedNetworks:
    """Load what the method of the configuration needs.

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
    method = Method(settings.motion.method)
    if method not in _TRAINED:
        return WITHOUT
    folder = settings.motion.weights or WEIGHTS
    try:
        stamps = tuple(stamp for stamp in _read_stamps(folder) if stamp.method == _TRAINED[method])
        networks = load_networks(device, folder=folder)
    except WeightsError as error:
        raise StartupError(str(error)) from error
    if method is not Method.AUTO and not stamps:
        raise StartupError(
            f"{folder} has no networks of the {method} method: train them with "
            "`perfnode train`, or set motion.method to auto"
        )
    return TrainedNetworks(networks=networks, stamps=stamps)


def _read_stamps(folder: Path) -> list[NetworkStamp]:
    cards = [read_card(path) for path in sorted(folder.glob("*.toml"))]
    return [
        NetworkStamp(
            method=Method.PUBLISHED if card.name in _PUBLISHED else Method.LEARNED,
            name=card.name,
            sha256=card.sha256,
        )
        for card in cards
    ]
