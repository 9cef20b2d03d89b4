"""The networks that a training begins with: new ones, shipped ones, those of an earlier step."""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from models.networks import WEIGHTS, AffineNetwork, WeightsError, load_network
from models.networks.cards import Argument, Card, read_card
from node.errors import RefusalError
from node.training.job import Job
from node.training.names import Target

Kind = TypeVar("Kind", bound=nn.Module)


def start(job: Job, kind: type[Kind], arguments: Mapping[str, Argument]) -> Kind:
    """Return a new network, or the shipped one to go on from."""
    going_on = shipped(job, kind)
    if going_on is not None:
        return going_on
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(job.loop.seed)
        return kind(**arguments).to(job.device)


def shipped(job: Job, kind: type[Kind]) -> Kind | None:
    """Return the shipped network where the job goes on from it, ready to learn; else None."""
    if not job.goes_on:
        return None
    network = _load(job, kind, job.target, WEIGHTS)
    if network is None:
        raise RefusalError(f"there are no shipped weights of {job.target} to go on from")
    return network.requires_grad_(requires_grad=True)


def own_copy(network: AffineNetwork) -> AffineNetwork:
    """Return a network of its own that begins as the given one."""
    return deepcopy(network).requires_grad_(requires_grad=True)


def earlier(job: Job, kind: type[Kind], target: Target) -> Kind:
    """Return the network of an earlier step: of the same folder, or the shipped one."""
    for folder in (job.folder, WEIGHTS):
        found = _load(job, kind, target, folder)
        if found is not None:
            return found
    raise RefusalError(
        f"{job.target} begins where {target} ends: first run "
        f"`perfnode train {target} --output {job.folder}`"
    )


def shipped_card(target: Target) -> Card:
    """Return what is known of the shipped weights of a network."""
    return read_card(WEIGHTS / f"{target.file_name}.toml")


def hash_of_earlier(job: Job, target: Target) -> str:
    """Return the hash of the weights that `earlier` returns."""
    cards = (folder / f"{target.file_name}.toml" for folder in (job.folder, WEIGHTS))
    return read_card(next(card for card in cards if card.exists())).sha256


def _load(job: Job, kind: type[Kind], target: Target, folder: Path) -> Kind | None:
    try:
        return load_network(kind, target.file_name, job.device, folder=folder)
    except WeightsError as error:
        raise RefusalError(str(error)) from error
