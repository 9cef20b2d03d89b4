"""A network that learns, and the running average of its weights, which is what is kept."""

from copy import deepcopy
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

Kind = TypeVar("Kind", bound=nn.Module)


class Averaged(nn.Module, Generic[Kind]):
    """Both are stored and resumed together.

    Parameters
    ----------
    network
        The one that learns.

    """

    network: Kind
    average: Kind
    n_averaged: Tensor

    def __init__(self, network: Kind) -> None:
        super().__init__()
        self.network = network
        self.average = deepcopy(network).requires_grad_(requires_grad=False)
        self.register_buffer("n_averaged", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def follow(self, decay: float) -> None:
        """Move the average towards the network, fast at first."""
        done = int(self.n_averaged)
        share = 1 - min(decay, (1 + done) / (10 + done))
        for kept, new in zip(self.average.parameters(), self.network.parameters(), strict=True):
            kept.lerp_(new, share)
        self.n_averaged += 1
