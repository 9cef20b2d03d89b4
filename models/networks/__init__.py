"""Networks that register and outline, their cards, and their weights.

`load_networks` reads what is in `models/weights`: every file is checked against the hash in its
card before a tensor is taken from it. `affine` and `deformable` are the networks of the published
pipeline (Schueler 2026). They are built from MONAI's GlobalNet and LocalNet, which is imported
only when one is made.
"""

from models.networks.affine import AffineNetwork
from models.networks.anatomy import AnatomyNetwork
from models.networks.cards import Card
from models.networks.deformable import DeformableNetwork
from models.networks.errors import WeightsError
from models.networks.loading import (
    WEIGHTS,
    Networks,
    PublishedNetworks,
    load_network,
    load_networks,
    save_network,
    shipped_networks,
)
from models.networks.matching import MatchingNetwork
from models.networks.refining import RefiningNetwork
from models.networks.segmentation import SegmentationNetwork

__all__ = [
    "WEIGHTS",
    "AffineNetwork",
    "AnatomyNetwork",
    "Card",
    "DeformableNetwork",
    "MatchingNetwork",
    "Networks",
    "PublishedNetworks",
    "RefiningNetwork",
    "SegmentationNetwork",
    "WeightsError",
    "load_network",
    "load_networks",
    "save_network",
    "shipped_networks",
]
