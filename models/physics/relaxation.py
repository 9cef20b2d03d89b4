"""Fast-exchange relaxation: both rates grow linearly with concentration."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from models.physics.bounds import require_positive
from models.physics.readout import TransverseDecay


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaxation:
    """How one tissue relaxes, without contrast agent and with it.

    Parameters
    ----------
    native_t1_s, native_t2_s, native_t2_star_s
        Relaxation times before contrast, s.
    relaxivity_l_mmol_s
        Longitudinal relaxivity r1, l/(mmol s).
    transverse_relaxivity_l_mmol_s
        Transverse relaxivity r2, l/(mmol s).

    """

    native_t1_s: float
    native_t2_s: float
    native_t2_star_s: float
    relaxivity_l_mmol_s: float
    transverse_relaxivity_l_mmol_s: float

    def __post_init__(self) -> None:
        require_positive(
            native_t1_s=self.native_t1_s,
            native_t2_s=self.native_t2_s,
            native_t2_star_s=self.native_t2_star_s,
            relaxivity_l_mmol_s=self.relaxivity_l_mmol_s,
        )
        if self.transverse_relaxivity_l_mmol_s < 0:
            raise ValueError("transverse_relaxivity_l_mmol_s must not be negative")

    def longitudinal_1_s(
        self, concentration_mmol_l: Float[Tensor, " *shape"]
    ) -> Float[Tensor, " *shape"]:
        """Return R1 at a concentration, 1/s."""
        return relaxation_rate(
            concentration_mmol_l,
            native_t1_s=self.native_t1_s,
            relaxivity_l_mmol_s=self.relaxivity_l_mmol_s,
        )

    def transverse_1_s(
        self, concentration_mmol_l: Float[Tensor, " *shape"], decay: TransverseDecay
    ) -> Float[Tensor, " *shape"]:
        """Return the transverse rate that a readout sees: r2 C, and 1/T2 or 1/T2* where it counts.

        The agent is given the same r2 in T2 and in T2*. What red cells and vessels add to T2* is
        not in it, so a decay measured with two echoes is always to be preferred.
        """
        native_1_s = {
            TransverseDecay.AGENT: 0.0,
            TransverseDecay.T2: 1.0 / self.native_t2_s,
            TransverseDecay.T2_STAR: 1.0 / self.native_t2_star_s,
        }[decay]
        return native_1_s + self.transverse_relaxivity_l_mmol_s * concentration_mmol_l


def relaxation_rate(
    concentration_mmol_l: Float[Tensor, " *shape"],
    *,
    native_t1_s: float,
    relaxivity_l_mmol_s: float,
) -> Float[Tensor, " *shape"]:
    """Return R1 = 1/T1_native + r1 C, 1/s (Solomon 1955; linear in the fast-exchange limit).

    Parameters
    ----------
    concentration_mmol_l
        Gadolinium concentration, mmol/l. Any shape.
    native_t1_s
        T1 before contrast, s.
    relaxivity_l_mmol_s
        Longitudinal relaxivity r1, l/(mmol s).

    """
    return 1.0 / native_t1_s + relaxivity_l_mmol_s * concentration_mmol_l
