"""The Fermi function as an impulse response of the myocardium."""

import torch
from jaxtyping import Float
from torch import Tensor


def fermi_response(
    elapsed_s: Float[Tensor, " elapsed"],
    *,
    flow_1_s: Float[Tensor, "*batch"],
    decay_1_s: Float[Tensor, "*batch"],
    width_s: Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch elapsed"]:
    """Return h(t) = F (1 + b) / (1 + b exp(k t)), b = exp(-k w), 1/s.

    Jerosch-Herold 1998 (doi 10.1118/1.598163), written so that h(0) = F is the flow.

    Parameters
    ----------
    elapsed_s
        Time after arrival (>= 0), s.
    flow_1_s
        F, ml of blood per ml of tissue per second.
    decay_1_s
        k, 1/s.
    width_s
        w, time until the decay sets in, s.

    """
    decay = decay_1_s[..., None]
    width = width_s[..., None]
    # sigmoid(k (w - t)) / sigmoid(k w) is the same ratio without overflow of exp(k t).
    plateau = torch.sigmoid(decay * (width - elapsed_s)) / torch.sigmoid(decay * width)
    return flow_1_s[..., None] * plateau
