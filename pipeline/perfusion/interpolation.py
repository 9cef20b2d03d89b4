"""A smooth curve through samples at uneven beats that never overshoots them."""

import torch
from jaxtyping import Float
from torch import Tensor


def monotone_cubic(
    values: Float[Tensor, " time"],
    time_s: Float[Tensor, " time"],
    at_s: Float[Tensor, " at"],
) -> Float[Tensor, " at"]:
    """Interpolate by Steffen's monotone cubic (Steffen 1990, A&A 239, 443); ends are held.

    A polygon through one sample per beat cuts the top off a bolus; this keeps the top and puts
    no wiggle before its foot.

    Parameters
    ----------
    values
        Samples at `time_s`.
    time_s
        Increasing sample times, s; at least two.
    at_s
        Wanted times, s.

    """
    width = time_s.diff()
    chord = values.diff() / width
    slope = _slopes(width, chord)
    piece = (torch.searchsorted(time_s, at_s.contiguous(), right=True) - 1).clamp(
        0, width.shape[0] - 1
    )
    u = ((at_s - time_s[piece]) / width[piece]).clamp(0.0, 1.0)
    start, end = values[piece], values[piece + 1]
    left, right = width[piece] * slope[piece], width[piece] * slope[piece + 1]
    jump = end - start
    return start + u * (left + u * (3 * jump - 2 * left - right + u * (left + right - 2 * jump)))


def _slopes(
    width: Float[Tensor, " piece"], chord: Float[Tensor, " piece"]
) -> Float[Tensor, " time"]:
    """Return Steffen's slopes: the parabola's, limited so that no piece overshoots."""
    before, after = chord[:-1], chord[1:]
    parabola = (before * width[1:] + after * width[:-1]) / (width[:-1] + width[1:])
    limit = torch.minimum(torch.minimum(before.abs(), after.abs()), 0.5 * parabola.abs())
    inner = (before.sign() + after.sign()) * limit
    return torch.cat([chord[:1], inner, chord[-1:]])
