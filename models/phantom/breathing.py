"""The breathing trace: one curve for all series of an exam, mm of heart displacement."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from models.kinetics import interpolate
from models.phantom.protocol import Breathing
from models.phantom.randomness import normals, uniform
from models.phantom.shapes import smooth_step

_SPACING_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class BreathingTrace:
    """Displacement of the heart along its breathing direction; 0 is the breath-hold position."""

    time_s: Float[Tensor, " time"]
    displacement_mm: Float[Tensor, " time"]

    def at(self, time_s: Float[Tensor, " frame"]) -> Float[Tensor, " frame"]:
        """Return the displacement at other times, mm."""
        return interpolate(self.displacement_mm, self.time_s, time_s)


def draw_breathing(
    generator: Generator,
    *,
    breathing: Breathing,
    range_mm: tuple[float, float],
    duration_s: float,
) -> BreathingTrace:
    """Draw a breath-hold, free breathing, a breath-hold that is given up, or one with gasps."""
    time_s = _SPACING_S * torch.arange(int(duration_s / _SPACING_S) + 2, dtype=torch.float64)
    amplitude_mm = uniform(generator, *range_mm)
    cycles = _cycles(generator, time_s)
    held = _held(generator, time_s)
    drift = uniform(generator, -1.5, 1.5) * time_s / duration_s
    given_up_s = {
        Breathing.HELD: math.inf,
        Breathing.GASPS: math.inf,
        Breathing.FREE: -math.inf,
        Breathing.FAILS: uniform(generator, 0.35, 0.6) * duration_s,
    }[breathing]
    failing = smooth_step((time_s - given_up_s) / 2.0)
    if breathing is Breathing.GASPS:
        held = held + amplitude_mm * _gasps(generator, time_s)
    return BreathingTrace(
        time_s=time_s,
        displacement_mm=torch.lerp(held, amplitude_mm * cycles + drift, failing),
    )


def _held(generator: Generator, time_s: Float[Tensor, " time"]) -> Float[Tensor, " time"]:
    """Return the slow drift of a held breath: the diaphragm relaxes upwards."""
    rate_mm_s = uniform(generator, -0.06, 0.02)
    return rate_mm_s * time_s + 0.2 * torch.sin(time_s * uniform(generator, 0.5, 1.0))


def _gasps(generator: Generator, time_s: Float[Tensor, " time"]) -> Float[Tensor, " time"]:
    """Return one to four sudden breaths at any time, the deepest of depth 1."""
    n_gasps = 1 + int(uniform(generator, 0.0, 4.0))
    breaths = []
    for index in range(n_gasps):
        depth = uniform(generator, 0.5, 1.0) if index else 1.0
        centre_s = uniform(generator, 0.03, 0.97) * float(time_s[-1])
        from_centre = (time_s - centre_s) / uniform(generator, 1.6, 3.5)
        breaths.append(depth * torch.cos(math.pi * from_centre.clamp(-0.5, 0.5)) ** 2)
    return torch.stack(breaths).amax(0)


def _cycles(generator: Generator, time_s: Float[Tensor, " time"]) -> Float[Tensor, " time"]:
    """Return breaths of uneven length and depth between about 0 and 1, resting at expiration."""
    n_breaths = int(float(time_s[-1]) / 2.5) + 3
    period_s = uniform(generator, 3.2, 4.6) * (1.0 + 0.10 * normals(generator, n_breaths)).clamp(
        0.75, 1.25
    )
    depth = (0.82 + 0.12 * normals(generator, n_breaths)).clamp(0.45, 1.0)
    start_s = torch.cat([period_s.new_zeros(1), period_s.cumsum(0)])
    breath = (torch.searchsorted(start_s, time_s, right=True) - 1).clamp(max=n_breaths - 1)
    phase = ((time_s - start_s[breath]) / period_s[breath]).clamp(max=1.0)
    return depth[breath] * torch.sin(math.pi * phase) ** 2
