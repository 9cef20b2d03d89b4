"""Seeded random numbers, one independent stream per concern.

Each concern draws from its own generator, so that a new draw in one file leaves all others as
they were: an exam keeps its anatomy when the motion model grows.
"""

import hashlib
import math

import torch


def stream(seed: int, *concern: str) -> torch.Generator:
    """Return a CPU generator that depends on the seed and the words of the concern only."""
    text = "/".join([str(seed), *concern])
    digest = hashlib.sha256(text.encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def uniform(generator: torch.Generator, low: float, high: float) -> float:
    """Draw one number between low and high."""
    return low + (high - low) * float(torch.rand((), generator=generator, dtype=torch.float64))


def chance(generator: torch.Generator, probability: float) -> bool:
    """Draw whether something of a given probability happens."""
    return uniform(generator, 0.0, 1.0) < probability


def log_uniform(generator: torch.Generator, low: float, high: float) -> float:
    """Draw one number between low and high, every factor equally likely."""
    return math.exp(uniform(generator, math.log(low), math.log(high)))


def normals(generator: torch.Generator, n_values: int) -> torch.Tensor:
    """Draw standard normal numbers. Shape `(n_values,)`, float64."""
    return torch.randn(n_values, generator=generator, dtype=torch.float64)
