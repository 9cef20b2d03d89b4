"""One training, and what it ends in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from models.networks.cards import Argument
from models.training.loop import LoopSettings
from node.training.data import Data
from node.training.names import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One training."""

    target: Target
    folder: Path
    """For weights, card and checkpoint; networks of earlier steps are looked for here first."""
    loop: LoopSettings
    device: torch.device
    data: Data | None
    """None for targets that draw their own scenes."""
    n_scenes: int
    goes_on: bool
    """Begin with the shipped weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A network and what its card says of it."""

    network: nn.Module
    architecture: str
    arguments: Mapping[str, Argument]
    origin: str
    beside: Mapping[str, str] = field(default_factory=dict)
    """Networks whose answers it learned to read: name, and hash of their weights."""
