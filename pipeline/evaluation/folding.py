"""Whether a field folds."""

from jaxtyping import Float
from torch import Tensor

from pipeline.motion.compose import jacobian_determinant


def folded_fraction(displacement: Float[Tensor, "time axis row column"]) -> float:
    """Return the share of all pixels of all frames whose Jacobian determinant is not positive."""
    return float((jacobian_determinant(displacement) <= 0).double().mean())
