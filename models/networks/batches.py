"""Asking a network for many frames without holding all that it computes at once."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

BATCH = 16


def in_batches(
    network: nn.Module, inputs: Float[Tensor, "frame channel row column"]
) -> Float[Tensor, "frame answer new_row new_column"]:
    """Return what the network makes of each frame, without gradients.

    Parameters
    ----------
    network
        Answers for each frame by itself.
    inputs
        Of all frames.

    """
    inputs = inputs.contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        parts = [network(part) for part in torch.split(inputs, BATCH)]
    return torch.cat(parts).contiguous()
