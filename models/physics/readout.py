"""What every readout train can tell, so that any of them can follow a saturation pulse."""

from enum import StrEnum
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor


class TransverseDecay(StrEnum):
    """Which decay of the transverse magnetisation shapes the contrast of a readout."""

    AGENT = "agent"
    """Only that of the contrast agent: the echo is so short that native decay is a constant."""
    T2 = "T2"
    """Spins are refocused: T2 and the agent."""
    T2_STAR = "T2*"
    """The echo is long and not refocused: T2* and the agent."""


@runtime_checkable
class Readout(Protocol):
    """A train of readout pulses; signals per unit of M0 and coil sensitivity."""

    def __hash__(self) -> int:
        """Readouts are values: what is computed for one serves all that equal it."""

    @property
    def repetition_time_s(self) -> float:
        """Time between two readout pulses, s."""

    @property
    def echo_time_s(self) -> float:
        """Echo time of the k-space centre, s."""

    @property
    def flip_angle_rad(self) -> float:
        """Flip angle of each readout pulse, rad."""

    @property
    def pulses_before_centre(self) -> int:
        """Readout pulses played before the one that samples the k-space centre."""

    @property
    def time_to_centre_s(self) -> float:
        """From the first pulse of any kind to the pulse that samples the k-space centre, s."""

    @property
    def decay(self) -> TransverseDecay:
        """Which transverse rate `signal` and `signal_after` are to be given."""

    def signal_after(
        self,
        start: Float[Tensor, " *shape"],
        rate_1_s: Float[Tensor, " *shape"],
        transverse_rate_1_s: Float[Tensor, " *shape"] | float = 0.0,
    ) -> Float[Tensor, " *shape"]:
        """Return the signal at the k-space centre, given Mz before the first pulse."""

    def signal(
        self,
        rate_1_s: Float[Tensor, " *shape"],
        transverse_rate_1_s: Float[Tensor, " *shape"] | float = 0.0,
    ) -> Float[Tensor, " *shape"]:
        """Return the signal at the k-space centre, starting from equilibrium."""
