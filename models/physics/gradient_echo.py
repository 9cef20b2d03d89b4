"""Spoiled gradient-echo readouts, with and without a saturation pulse.

Both evaluate the exact recursion of the longitudinal magnetisation over the readout train up to
the k-space centre, M0 = 1. Signals are per unit of M0 and coil sensitivity.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from models.physics.bounds import require_positive
from models.physics.readout import Readout, TransverseDecay


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoiledGradientEcho:
    """A train of equal spoiled pulses that starts from equilibrium (proton-density frames).

    Parameters
    ----------
    repetition_time_s
        Time between two readout pulses, s (the pulse TR, not the shot duration).
    echo_time_s
        Echo time, s.
    flip_angle_rad
        Flip angle of each readout pulse, rad.
    pulses_before_centre
        Readout pulses played before the one that samples the k-space centre.

    """

    repetition_time_s: float
    echo_time_s: float
    flip_angle_rad: float
    pulses_before_centre: int

    def __post_init__(self) -> None:
        require_positive(
            repetition_time_s=self.repetition_time_s,
            echo_time_s=self.echo_time_s,
            flip_angle_rad=self.flip_angle_rad,
        )
        if self.pulses_before_centre < 0:
            raise ValueError("pulses_before_centre must not be negative")

    @property
    def time_to_centre_s(self) -> float:
        """From the first pulse to the pulse that samples the k-space centre, s."""
        return self.pulses_before_centre * self.repetition_time_s

    @property
    def decay(self) -> TransverseDecay:
        """The agent alone: native decay over so short an echo is a constant factor."""
        return TransverseDecay.AGENT

    def after_train(
        self,
        start: Float[Tensor, " *shape"],
        rate_1_s: Float[Tensor, " *shape"],
    ) -> Float[Tensor, " *shape"]:
        """Return Mz just before the centre pulse, given Mz before the first pulse.

        Mz(n) = (1 - E) (1 - q^n) / (1 - q) + q^n Mz(0), E = exp(-TR R1), q = E cos(a)
        (each pulse takes Mz to (1 - E) + q Mz; n of them sum to a geometric series).
        """
        relaxed = -torch.expm1(-self.repetition_time_s * rate_1_s)
        kept = (1.0 - relaxed) * math.cos(self.flip_angle_rad)
        kept_n = kept**self.pulses_before_centre
        return relaxed * (1.0 - kept_n) / (1.0 - kept) + kept_n * start

    def signal(
        self,
        rate_1_s: Float[Tensor, " *shape"],
        transverse_rate_1_s: Float[Tensor, " *shape"] | float = 0.0,
    ) -> Float[Tensor, " *shape"]:
        """Return S = sin(a) Mz(n) exp(-TE R2*) from equilibrium.

        Parameters
        ----------
        rate_1_s
            Longitudinal rate R1, 1/s. Any shape.
        transverse_rate_1_s
            Effective transverse rate R2*, 1/s; same shape, or 0 where the echo is short.

        """
        return self.signal_after(torch.ones_like(rate_1_s), rate_1_s, transverse_rate_1_s)

    def signal_after(
        self,
        start: Float[Tensor, " *shape"],
        rate_1_s: Float[Tensor, " *shape"],
        transverse_rate_1_s: Float[Tensor, " *shape"] | float = 0.0,
    ) -> Float[Tensor, " *shape"]:
        """Return the signal at the k-space centre, given Mz before the first pulse."""
        return self.readout(self.after_train(start, rate_1_s), transverse_rate_1_s)

    def readout(
        self,
        magnetisation: Float[Tensor, " *shape"],
        transverse_rate_1_s: Float[Tensor, " *shape"] | float,
    ) -> Float[Tensor, " *shape"]:
        """Return the signal of the pulse that samples the k-space centre."""
        rate = torch.as_tensor(
            transverse_rate_1_s, dtype=magnetisation.dtype, device=magnetisation.device
        )
        decay = torch.exp(-self.echo_time_s * rate)
        return math.sin(self.flip_angle_rad) * magnetisation * decay


@dataclass(frozen=True, slots=True, kw_only=True)
class SaturationRecovery:
    """A saturation pulse, a delay, then a readout train of any kind.

    Parameters
    ----------
    saturation_delay_s
        From the end of the saturation pulse to the first pulse of the train, s.
    residual_fraction
        Longitudinal magnetisation left by the saturation pulse, fraction of M0 (0 is ideal).
    readout
        The readout train.

    """

    saturation_delay_s: float
    residual_fraction: float
    readout: Readout

    def __post_init__(self) -> None:
        require_positive(saturation_delay_s=self.saturation_delay_s)
        if not -1.0 <= self.residual_fraction < 1.0:
            raise ValueError("residual_fraction must lie in [-1, 1)")

    @property
    def saturation_time_s(self) -> float:
        """Time from saturation to the k-space centre (TS), s."""
        return self.saturation_delay_s + self.readout.time_to_centre_s

    def signal(
        self,
        rate_1_s: Float[Tensor, " *shape"],
        transverse_rate_1_s: Float[Tensor, " *shape"] | float = 0.0,
    ) -> Float[Tensor, " *shape"]:
        """Return the signal at the k-space centre, per unit M0.

        Mz(0) = 1 - (1 - b) exp(-TD R1), then what the readout makes of it.
        """
        recovered = 1.0 - (1.0 - self.residual_fraction) * torch.exp(
            -self.saturation_delay_s * rate_1_s
        )
        return self.readout.signal_after(recovered, rate_1_s, transverse_rate_1_s)
