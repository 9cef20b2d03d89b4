"""A network that learns, and the running average of its weights, which is what is kept."""

from copy import deepcopy
from pathlib import Path
from typing import Generic, TypeVar

import torch
from torch import Generator, Tensor, nn

from models.training.loop import DrawLoss, LoopSettings, OnStep, optimise

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


def optimise_averaged(
    network: Kind,
    draw_loss: DrawLoss,
    settings: LoopSettings,
    *,
    decay: float,
    device: torch.device,
    folder: Path,
    on_step: OnStep,
) -> Kind:
    """Train, or go on training; return the average of the weights over the last steps.

    Parameters
    ----------
    network
        The one that learns.
    draw_loss
        Draws a batch with the generator that it is given and returns the loss of it.
    settings
        Length, rate and seed.
    decay
        Of the running average.
    device
        Where training runs.
    folder
        Where the checkpoint is written.
    on_step
        Told every step.

    """
    trainee = Averaged(network).to(device)

    def follow_and_draw(generator: Generator) -> Tensor:
        trainee.follow(decay)
        return draw_loss(generator)

    optimise(trainee, follow_and_draw, settings, folder=folder, on_step=on_step)
    return trainee.average
