"""Fast-exchange relaxation: the rate grows linearly with concentration."""

from jaxtyping import Float
from torch import Tensor


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
