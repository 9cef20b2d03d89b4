"""Plausibility of the arterial input: height, width, top, return, loss by T2*.

The hard gates, after which there is no input at all, are in `pipeline.perfusion.arterial_input`.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from models.physics import BalancedSteadyState, SaturationRecovery
from pipeline.findings import Code, Finding, Grade
from pipeline.types import ArterialInput, ArterialInputSource

_PEAK_RANGE_MMOL_L = (1.0, 12.0)
"""Published peaks are 3.5 +- 1.2 (stress) to 5.2 +- 1.5 (rest) mmol/l."""
_WIDTH_RANGE_S = (2.5, 25.0)
"""Full width at half height. A bolus of a few seconds leaves the lungs 5-15 s wide, later in heart
failure; narrower is a spike, wider a slow or second injection."""
_FLAT_TOP = 0.5
"""Width at 95 % over width at 50 % of the peak: 0.27 for a Gaussian, 1 for a signal that is cut."""
_MIN_TOP_SAMPLES = 4
_FEWEST_SAMPLES = 4
"""Samples above half of the peak: with fewer its height is a guess."""
_EARLIER_BOLUS = 0.2
"""Fall before the peak over the peak: the first pass rises without a break."""
_SECOND_BOLUS = 0.4
"""Rise after the first pass over the first peak; recirculation has 0.1-0.25."""
_LOWEST_RETURN = 2.0
"""Peak over the minimum that follows: 5.6 before and 8.3 after correction for T2* (Kellman 2017,
doi 10.1186/s12968-017-0355-5); a cut peak has less."""
_TRANSVERSE_RATE_L_MMOL_S = 25.0
"""Effective r2*: T2* is about 10 ms at a peak of 4 mmol/l (Kellman 2017)."""
_HIGHEST_LOSS = 0.1
"""Signal lost by T2* at the peak that raises flow as much."""


def check_arterial_input(
    arterial_input: ArterialInput, *, sequence: SaturationRecovery | None = None
) -> tuple[Finding, ...]:
    """Return findings on a curve that is not that of a usual, well measured bolus.

    Parameters
    ----------
    arterial_input
        What was found.
    sequence
        What it was read with; None leaves the loss by T2* unknown.

    """
    curve = arterial_input.concentration_mmol_l.double()
    time_s, peak = arterial_input.time_s.double(), arterial_input.peak
    remarks = (
        *_height(float(curve[peak])),
        *_shape(curve, time_s, peak),
        *_return(curve, arterial_input),
        *_sampling(curve, arterial_input),
        *_transverse_loss(arterial_input, sequence),
    )
    return tuple(Finding(code=code, grade=grade, text=text) for code, grade, text in remarks)


def width_s(
    curve: Float[Tensor, " time"], time_s: Float[Tensor, " time"], peak: int, share: float
) -> float:
    """Return how long a curve stays above a share of its peak, s; NaN where it has no such end."""
    low = share * curve[peak]
    before, after = curve[: peak + 1].flip(0), curve[peak:]
    start = _crossing(before, time_s[: peak + 1].flip(0), float(low))
    return _crossing(after, time_s[peak:], float(low)) - start


def _crossing(
    falling: Float[Tensor, " time"], time_s: Float[Tensor, " time"], level: float
) -> float:
    """Return when a curve that starts above a level first reaches it, by linear interpolation."""
    below = torch.nonzero(falling <= level)
    if not below.numel():
        return torch.nan
    after = int(below[0])
    if after == 0:
        return float(time_s[0])
    high, low = float(falling[after - 1]), float(falling[after])
    share = (high - level) / (high - low)
    return float(time_s[after - 1] + share * (time_s[after] - time_s[after - 1]))


def _height(peak_mmol_l: float) -> Iterator[tuple[Code, Grade, str]]:
    lowest, highest = _PEAK_RANGE_MMOL_L
    if lowest <= peak_mmol_l <= highest:
        return
    code = Code.NO_ARTERIAL_INPUT if peak_mmol_l < lowest else Code.ARTERIAL_INPUT_SATURATED
    outside = f"is outside {lowest:.0f}-{highest:.0f} mmol/l."
    yield code, Grade.REVIEW, f"The arterial peak of {peak_mmol_l:.1f} mmol/l {outside}"


def _shape(
    curve: Float[Tensor, " time"], time_s: Float[Tensor, " time"], peak: int
) -> Iterator[tuple[Code, Grade, str]]:
    half_s, top_s = (width_s(curve, time_s, peak, share) for share in (0.5, 0.95))
    if half_s < _WIDTH_RANGE_S[0] or half_s > _WIDTH_RANGE_S[1]:
        text = f"The arterial bolus is {half_s:.1f} s wide at half height, which is unusual."
        yield Code.NO_ARTERIAL_INPUT, Grade.REVIEW, text
    n_top = int((curve >= 0.95 * curve[peak]).sum())
    if n_top >= _MIN_TOP_SAMPLES and top_s > _FLAT_TOP * half_s:
        text = "The arterial peak is flat: saturated, or lost by T2*; flow may be too high."
        yield Code.ARTERIAL_INPUT_SATURATED, Grade.REVIEW, text


def _return(
    curve: Float[Tensor, " time"], arterial_input: ArterialInput
) -> Iterator[tuple[Code, Grade, str]]:
    peak, valley = curve[arterial_input.peak], curve[arterial_input.valley]
    if bool(peak < _LOWEST_RETURN * valley):
        text = f"The arterial peak is only {float(peak / valley):.1f} times what follows it."
        yield Code.ARTERIAL_INPUT_SATURATED, Grade.REVIEW, text


def _sampling(
    curve: Float[Tensor, " time"], arterial_input: ArterialInput
) -> Iterator[tuple[Code, Grade, str]]:
    peak, valley = arterial_input.peak, arterial_input.valley
    n_high = int((curve[arterial_input.foot : valley + 1] > 0.5 * curve[peak]).sum())
    if n_high < _FEWEST_SAMPLES:
        text = f"Only {n_high} frames show the arterial peak: its height is uncertain."
        yield Code.BOLUS_NOT_COVERED, Grade.REVIEW, text
    rising = curve[arterial_input.foot : peak + 1]
    if bool((rising.cummax(dim=0).values - rising).max() > _EARLIER_BOLUS * curve[peak]):
        text = "The arterial curve falls before its peak: an earlier bolus, or spoiled frames."
        yield Code.BOLUS_NOT_COVERED, Grade.REVIEW, text
    later = curve[valley:].max() - curve[valley]
    if bool(later > _SECOND_BOLUS * curve[peak]):
        at_s = float(arterial_input.time_s[valley + int(curve[valley:].argmax())])
        text = f"A second bolus comes at {at_s:.0f} s; flow is that of the first one."
        yield Code.BOLUS_NOT_COVERED, Grade.REVIEW, text


def _transverse_loss(
    arterial_input: ArterialInput, sequence: SaturationRecovery | None
) -> Iterator[tuple[Code, Grade, str]]:
    if arterial_input.source is not ArterialInputSource.DUAL_SEQUENCE or sequence is None:
        return
    if isinstance(sequence.readout, BalancedSteadyState):
        return  # it refocuses what T2* loses
    peak = float(arterial_input.concentration_mmol_l[arterial_input.peak])
    loss = 1 - torch.exp(
        torch.tensor(-_TRANSVERSE_RATE_L_MMOL_S * peak * sequence.readout.echo_time_s)
    )
    if float(loss) > _HIGHEST_LOSS:
        text = f"One echo: about {float(loss):.0%} of the arterial peak is lost by T2*."
        yield Code.ARTERIAL_INPUT_SATURATED, Grade.NOTE, text
