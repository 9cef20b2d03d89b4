"""Interleaved echo-planar gradient echoes: several lines of k-space after every pulse."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from models.physics.bounds import require_positive
from models.physics.gradient_echo import SpoiledGradientEcho
from models.physics.readout import TransverseDecay


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoPlanarGradientEcho:
    """A train of shots, each a spoiled pulse followed by a train of gradient echoes.

    Parameters
    ----------
    repetition_time_s
        Time between two shots, s.
    echo_time_s
        Effective echo time, that of the echo which samples the k-space centre, s.
    flip_angle_rad
        Flip angle of each pulse, rad.
    pulses_before_centre
        Shots played before the one that samples the k-space centre.
    echo_train_length
        Lines of k-space per shot.
    echo_spacing_s
        Time between two echoes, s.

    """

    repetition_time_s: float
    echo_time_s: float
    flip_angle_rad: float
    pulses_before_centre: int
    echo_train_length: int
    echo_spacing_s: float

    def __post_init__(self) -> None:
        require_positive(echo_spacing_s=self.echo_spacing_s)
        if self.echo_train_length < 1:
            raise ValueError("an echo train needs an echo")
        last_echo_s = self.echo_time_s + (self.echo_train_length // 2) * self.echo_spacing_s
        if last_echo_s >= self.shots.repetition_time_s:
            raise ValueError("the echo train must end before the next shot")

    @property
    def shots(self) -> SpoiledGradientEcho:
        """The spoiled train that the pulses form; its pulses are the shots."""
        return SpoiledGradientEcho(
            repetition_time_s=self.repetition_time_s,
            echo_time_s=self.echo_time_s,
            flip_angle_rad=self.flip_angle_rad,
            pulses_before_centre=self.pulses_before_centre,
        )

    @property
    def time_to_centre_s(self) -> float:
        """From the first pulse to the pulse that samples the k-space centre, s."""
        return self.shots.time_to_centre_s

    @property
    def decay(self) -> TransverseDecay:
        """T2*: the echoes come late and are not refocused."""
        return TransverseDecay.T2_STAR

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
        """Return S = sin(a) Mz(n) exp(-TE R2*), n shots after Mz(0).

        Mz follows the recursion of `SpoiledGradientEcho` from shot to shot, for gradients do not
        change it.
        """
        return self.shots.signal_after(start, rate_1_s, transverse_rate_1_s)
