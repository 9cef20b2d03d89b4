"""Balanced steady-state readout (bSSFP): the transient of the Bloch equations, pulse by pulse.

There is no closed form for the transient, so the three components of the magnetisation are
played through preparation and train: rotate about x by the flip angle with alternating sign,
precess, relax.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import torch
from jaxtyping import Float
from torch import Tensor

from models.physics.bounds import require_positive
from models.physics.readout import TransverseDecay


class Preparation(StrEnum):
    """How the magnetisation is led to the steady state."""

    HALF_ALPHA = "half alpha"
    """One pulse of half the flip angle, half a repetition time ahead."""
    RAMP = "ramp"
    """Pulses of linearly growing flip angle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancedSteadyState:
    """A train of balanced pulses of alternating sign after a preparation.

    Parameters
    ----------
    repetition_time_s
        Time between two readout pulses, s.
    flip_angle_rad
        Flip angle of each readout pulse, rad.
    pulses_before_centre
        Readout pulses, without those of the preparation, played before the one that samples the
        k-space centre.
    preparation
        How the train begins.
    n_ramp
        Pulses of a ramp; flip angle p is (2p - 1) a / (2 n_ramp), p = 1 .. n_ramp.
    off_resonance_hz
        Offset of the point that is seen; the signal repeats every 1 / TR and is weakest at
        1 / (2 TR).

    """

    repetition_time_s: float
    flip_angle_rad: float
    pulses_before_centre: int
    preparation: Preparation = Preparation.RAMP
    n_ramp: int = 3
    off_resonance_hz: float = 0.0

    def __post_init__(self) -> None:
        require_positive(
            repetition_time_s=self.repetition_time_s, flip_angle_rad=self.flip_angle_rad
        )
        if self.pulses_before_centre < 0 or self.n_ramp < 1:
            raise ValueError("a train needs a ramp pulse and no negative number of pulses")

    @property
    def echo_time_s(self) -> float:
        """Echo time, s: half the repetition time."""
        return self.repetition_time_s / 2.0

    @property
    def time_to_centre_s(self) -> float:
        """From the first pulse of the preparation to the pulse of the k-space centre, s."""
        return sum(interval_s for _, interval_s in self._pulses()[:-1])

    @property
    def decay(self) -> TransverseDecay:
        """T2: spins are refocused every repetition time."""
        return TransverseDecay.T2

    def signal(
        self,
        rate_1_s: Float[Tensor, " *shape"],
        transverse_rate_1_s: Float[Tensor, " *shape"] | float = 0.0,
    ) -> Float[Tensor, " *shape"]:
        """Return the signal at the k-space centre from equilibrium; see `signal_after`."""
        return self.signal_after(torch.ones_like(rate_1_s), rate_1_s, transverse_rate_1_s)

    def signal_after(
        self,
        start: Float[Tensor, " *shape"],
        rate_1_s: Float[Tensor, " *shape"],
        transverse_rate_1_s: Float[Tensor, " *shape"] | float = 0.0,
    ) -> Float[Tensor, " *shape"]:
        """Return S = |Mx + i My| at the echo of the centre pulse, given Mz before the first pulse.

        Each pulse: My' = My cos(b) + Mz sin(b), Mz' = Mz cos(b) - My sin(b); each interval t:
        (Mx + i My)' = (Mx + i My) exp(-t R2 + 2 pi i t f), Mz' = 1 - (1 - Mz) exp(-t R1).

        Parameters
        ----------
        start
            Mz before the first pulse, per M0. Any shape.
        rate_1_s
            Longitudinal rate R1, 1/s.
        transverse_rate_1_s
            Transverse rate R2, 1/s.

        """
        transverse = torch.as_tensor(transverse_rate_1_s, dtype=start.dtype, device=start.device)
        across, along, up = torch.zeros_like(start), torch.zeros_like(start), start
        for angle, interval_s in self._pulses():
            sine, cosine = math.sin(angle), math.cos(angle)
            along, up = along * cosine + up * sine, up * cosine - along * sine
            kept = torch.exp(-interval_s * transverse)
            turn = math.tau * self.off_resonance_hz * interval_s
            across, along = (
                kept * (across * math.cos(turn) - along * math.sin(turn)),
                kept * (across * math.sin(turn) + along * math.cos(turn)),
            )
            up = 1.0 - (1.0 - up) * torch.exp(-interval_s * rate_1_s)
        return torch.hypot(across, along)

    def _pulses(self) -> list[tuple[float, float]]:
        """Return signed flip angle of every pulse and the time until the next, or the echo."""
        angle, interval_s = self.flip_angle_rad, self.repetition_time_s
        if self.preparation is Preparation.HALF_ALPHA:
            lead = [(angle / 2.0, interval_s / 2.0)]
        else:
            steps = range(1, self.n_ramp + 1)
            lead = [((2 * step - 1) * angle / (2 * self.n_ramp), interval_s) for step in steps]
        train = [(angle, interval_s)] * self.pulses_before_centre + [(angle, self.echo_time_s)]
        return [
            (size if index % 2 else -size, wait_s)
            for index, (size, wait_s) in enumerate(lead + train)
        ]
