"""Read and write trained networks; weights that are not those of their card are refused."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as serialise_tensors
from torch import Tensor, nn

from models.networks.affine import AffineNetwork
from models.networks.anatomy import AnatomyNetwork
from models.networks.cards import REMEDY, Card, read_card, write_card
from models.networks.deformable import DeformableNetwork
from models.networks.errors import WeightsError
from models.networks.matching import MatchingNetwork
from models.networks.refining import RefiningNetwork
from models.networks.segmentation import SegmentationNetwork

Kind = TypeVar("Kind", bound=nn.Module)
WEIGHTS = Path(__file__).parents[1] / "weights"
ARCHITECTURES: Mapping[str, type[nn.Module]] = {
    kind.__name__: kind
    for kind in (
        AffineNetwork,
        AnatomyNetwork,
        DeformableNetwork,
        MatchingNetwork,
        RefiningNetwork,
        SegmentationNetwork,
    )
}
"""Classes that a card may name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedNetworks:
    """The three networks of the published pipeline, used one after the other."""

    affine: AffineNetwork
    """To a fixed frame."""
    affine_refine: AffineNetwork
    """To a PCA reference."""
    deformable: DeformableNetwork
    """To a PCA reference, non-rigid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Networks:
    """All that were found, on one device; None for those whose files are not there."""

    anatomy: AnatomyNetwork | None
    """Tells where the heart is, in any contrast: the learned method."""
    published: PublishedNetworks | None
    segmentation: SegmentationNetwork | None = None
    """Outlines the heart in a corrected series."""
    matching: MatchingNetwork | None = None
    """Compares frames of any contrast: the learned method, which has edges only without it."""
    refining: RefiningNetwork | None = None
    """Corrects what the registration has left; it needs the features of `matching`."""


def load_networks(device: torch.device | str = "cpu", *, folder: Path = WEIGHTS) -> Networks:
    """Load every network of a folder, ready for use.

    Parameters
    ----------
    device
        Where the weights shall live.
    folder
        With `<name>.safetensors` and `<name>.toml` of each network.

    Raises
    ------
    WeightsError
        When a file is altered, one of a pair is missing, or a network learned beside another one
        than is there. Names the file and the remedy.

    """
    anatomy = load_network(AnatomyNetwork, "anatomy", device, folder=folder)
    affine = load_network(AffineNetwork, "affine", device, folder=folder)
    refine = load_network(AffineNetwork, "affine_refine", device, folder=folder)
    deformable = load_network(DeformableNetwork, "deformable", device, folder=folder)
    segmentation = load_network(SegmentationNetwork, "segmentation", device, folder=folder)
    published = None
    if affine is not None and refine is not None and deformable is not None:
        published = PublishedNetworks(affine=affine, affine_refine=refine, deformable=deformable)
    matching = load_network(MatchingNetwork, "matching", device, folder=folder)
    refining = load_network(RefiningNetwork, "refining", device, folder=folder)
    if refining is not None:
        _verify_company(folder / "refining.toml")
    return Networks(
        anatomy=anatomy,
        published=published,
        segmentation=segmentation,
        matching=matching,
        refining=refining,
    )


@cache
def shipped_networks(device: str) -> Networks:
    """Return the networks that perfnode comes with, loaded once per device and process.

    Raises
    ------
    WeightsError
        As `load_networks`.

    """
    return load_networks(device)


def load_network(
    kind: type[Kind], name: str, device: torch.device | str = "cpu", *, folder: Path = WEIGHTS
) -> Kind | None:
    """Load one network in evaluation mode, without gradients; None when it has no files.

    Parameters
    ----------
    kind
        Class that it must be of.
    name
        Name of its files.
    device
        Where the weights shall live.
    folder
        Where the files are.

    Raises
    ------
    WeightsError
        When a file is altered, of another kind, or one of the pair is missing.

    """
    weights, text = folder / f"{name}.safetensors", folder / f"{name}.toml"
    if not weights.exists() and not text.exists():
        return None
    card = read_card(text)
    tensors = _verified(weights, card)
    module = _built(card, text)
    if not isinstance(module, kind):
        raise WeightsError(f"{text} describes a {card.architecture}, not a {kind.__name__}")
    try:
        module.load_state_dict({key: _wide(value) for key, value in tensors.items()})
    except RuntimeError as error:
        raise WeightsError(f"{weights} does not fit {text.name} ({error}); {REMEDY}") from error
    return module.to(device).eval().requires_grad_(requires_grad=False)


def save_network(module: nn.Module, card: Card, folder: Path) -> Card:
    """Write weights in half precision and their card; return the card with the hash.

    Parameters
    ----------
    module
        Trained network.
    card
        Its card; the hash in it is replaced.
    folder
        Where `<name>.safetensors` and `<name>.toml` are written.

    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {key: _narrow(value.detach().cpu()) for key, value in module.state_dict().items()}
    content = serialise_tensors(tensors)
    (folder / f"{card.name}.safetensors").write_bytes(content)
    signed = replace(card, sha256=hashlib.sha256(content).hexdigest())
    write_card(signed, folder / f"{card.name}.toml")
    return signed


def _verify_company(path: Path) -> None:
    """Refuse a network that learned to read the answers of another one than is beside it."""
    for name, expected in read_card(path).beside.items():
        other = path.with_name(f"{name}.toml")
        found = read_card(other).sha256
        if found != expected:
            raise WeightsError(
                f"{path} was trained beside weights {expected} of {name}, "
                f"{other.name} has {found}; {REMEDY}"
            )


def _verified(path: Path, card: Card) -> dict[str, Tensor]:
    """Read the file once; hash and tensors come from the same bytes."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be read though its card is there ({error}); {REMEDY}"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != card.sha256:
        raise WeightsError(f"{path} is altered: sha256 {found}, expected {card.sha256}; {REMEDY}")
    try:
        return parse_tensors(content)
    except SafetensorError as error:
        raise WeightsError(f"{path} is not a safetensors file ({error}); {REMEDY}") from error


def _built(card: Card, path: Path) -> nn.Module:
    kind = ARCHITECTURES.get(card.architecture)
    if kind is None:
        raise WeightsError(f"{path} names an unknown architecture {card.architecture!r}; {REMEDY}")
    try:
        return kind(**card.arguments)
    except (TypeError, ValueError) as error:
        raise WeightsError(f"{path} has arguments that do not fit ({error}); {REMEDY}") from error


def _narrow(values: Tensor) -> Tensor:
    """Halve the file; values too large for half precision keep theirs."""
    half = values.half() if values.dtype == torch.float32 else values
    return (half if bool(half.isfinite().all()) else values).contiguous()


def _wide(values: Tensor) -> Tensor:
    return values.float() if values.dtype == torch.float16 else values
