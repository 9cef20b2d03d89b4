"""The field inside the chest, and how a balanced readout sees it.

The signal of a balanced readout depends on the offset at each point. It is computed at a few
offsets over one period and mixed at each point from the two nearest.
"""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from models.phantom.randomness import uniform
from models.phantom.shapes import Plane
from models.physics import BalancedSteadyState, SaturationRecovery

_N_OFFSETS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetMixture:
    """How much of each point is seen at each of a few offsets; shares sum to 1."""

    offset_hz: tuple[float, ...]
    share: Float[Tensor, "offset row column"]


def draw_field_map(
    generator: Generator, grid: tuple[Plane, Plane], largest_hz: float
) -> Float[Tensor, "row column"]:
    """Return a smooth field offset, Hz: a gradient that shimming left, and what the lungs do."""
    field = torch.zeros_like(grid[0])
    for wavelength_mm in (600.0, 260.0, 180.0):
        angle = uniform(generator, 0.0, math.tau)
        along = math.cos(angle) * grid[0] + math.sin(angle) * grid[1]
        weight = uniform(generator, 0.3, 1.0)
        start = uniform(generator, 0.0, math.tau)
        field = field + weight * torch.sin(math.tau * along / wavelength_mm + start)
    return largest_hz * field / field.abs().max()


def mix_offsets(field_hz: Float[Tensor, "row column"], repetition_time_s: float) -> OffsetMixture:
    """Return the mixture of offsets of a field; the signal repeats every 1 / TR."""
    period_hz = 1.0 / repetition_time_s
    position = (field_hz / period_hz % 1.0) * _N_OFFSETS
    nodes = torch.arange(_N_OFFSETS, dtype=position.dtype, device=position.device)
    distance = (position - nodes[:, None, None]).abs()
    distance = torch.minimum(distance, _N_OFFSETS - distance)
    return OffsetMixture(
        offset_hz=tuple(index * period_hz / _N_OFFSETS for index in range(_N_OFFSETS)),
        share=(1.0 - distance).clamp(min=0.0),
    )


def at_offset(sequence: SaturationRecovery, offset_hz: float) -> SaturationRecovery:
    """Return the sequence as a point at an offset sees it."""
    if not isinstance(sequence.readout, BalancedSteadyState):
        return sequence
    return replace(sequence, readout=replace(sequence.readout, off_resonance_hz=offset_hz))
