"""The arterial input: gadolinium in left-ventricular blood, found without a user.

The signal of the pool is averaged before conversion: at a short saturation time single pixels are
close to the noise before contrast, their mean is not. Hard gates guard the result, because every
flow of the exam scales with it.
"""

from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.physics import Relaxation
from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code
from pipeline.perfusion.blood_pool import find_left_ventricle
from pipeline.perfusion.pool_signal import PoolSignal, pool_concentration, read_pool
from pipeline.perfusion.second_echo import decay_1_s
from pipeline.signal.baseline import bolus_onset, count_pre_contrast, first_peak
from pipeline.signal.concentration import signal_table
from pipeline.signal.proton_density import receive_field
from pipeline.types import ArterialInput, ArterialInputSource, ImageSeries

_MIN_PEAK_MMOL_L = 0.5
"""A bolus dose gives several mmol/l; less is no first pass (or not the left ventricle)."""
_CLEAR = 6.0
"""Peak over the scatter between beats before contrast."""
_PASSED_FRACTION = 0.6
"""The series must last until the artery has fallen to this fraction of the peak."""
_FIRST_PASS_S = 30.0
"""The minimum before recirculation lies within this time after the peak."""
_RECIRCULATION_RISE = 0.05
"""Rise over the running minimum, as a fraction of the peak, that counts as recirculation."""
_UNSATURATED_FRACTION = 0.75
"""Highest peak of a cavity in a perfusion slice, over the end of the table of its sequence."""
_MIN_PRE_CONTRAST = 2
_SPIKE = 8.0
_SPIKE_OF_PEAK = 0.05
"""A sample before contrast is spoilt when it is off by so many median deviations and, above
that, by this share of the peak."""
_MIN_ABOVE_HALF = 2
"""Beats above half of the peak: one alone is a spike, not blood that has passed the lungs."""


def find_arterial_input(
    series: ImageSeries,
    *,
    relaxation: Relaxation,
    second_echo: ImageSeries | None = None,
    source: ArterialInputSource = ArterialInputSource.DUAL_SEQUENCE,
    heart_px: tuple[float, float] | None = None,
) -> ArterialInput:
    """Find the left ventricle and return its concentration and first-pass window.

    Parameters
    ----------
    series
        Registered frames; the sequence must be known.
    relaxation
        Relaxation of blood with and without agent.
    second_echo
        The same beats at a later echo time, registered by the same displacements: the source
        becomes `DUAL_ECHO` and nothing is assumed of the transverse relaxivity.
    source
        What kind of series it is.
    heart_px
        Row and column of the middle of the heart, where registration knows it.

    Raises
    ------
    CannotQuantifyError
        P04 when the bolus is not covered, P05 when no clear peak is found, P06 when the signal
        leaves the range that the sequence can resolve, P12 without a sequence.

    """
    recovery = series.frames[series.n_proton_density :]
    recovery_s = series.time_s[series.n_proton_density :]
    pool = find_left_ventricle(
        recovery,
        recovery_s,
        n_pre_contrast=count_pre_contrast(recovery),
        spacing_mm=series.geometry.spacing_mm,
        heart_px=heart_px,
    )
    curve, decay = _concentration(series, pool.mask, relaxation, second_echo)
    found = first_pass(curve, recovery_s, pool.mask)
    if source is ArterialInputSource.SINGLE_SEQUENCE:
        _require_unsaturated(found, series, relaxation)
    right = None
    if pool.right is not None:
        right, _ = _concentration(series, pool.right, relaxation, second_echo)
    return replace(
        found,
        source=source if decay is None else ArterialInputSource.DUAL_ECHO,
        decay_1_s=decay,
        right_mmol_l=right,
    )


def _concentration(
    series: ImageSeries,
    mask: Bool[Tensor, "row column"],
    relaxation: Relaxation,
    second_echo: ImageSeries | None,
) -> tuple[Float[Tensor, " sr_time"], Float[Tensor, " sr_time"] | None]:
    """Return the concentration of a pool and, with a second echo, its R2* above native."""
    if series.sequence is None:
        raise CannotQuantifyError(Code.UNSUPPORTED_SEQUENCE, "the sequence is not known")
    n_first = series.n_proton_density
    reference = series.proton_density if n_first else None
    scale = _scale(series, mask)
    signal = _read(series, mask, scale)
    decay = None
    if second_echo is not None:
        decay = _excess_decay(series, second_echo, mask, signal, scale)
        signal = signal.times(torch.exp(series.sequence.readout.echo_time_s * decay))
        relaxation = replace(relaxation, transverse_relaxivity_l_mmol_s=0.0)
    table = signal_table(series.sequence, proton_density=reference, relaxation=relaxation)
    curve = pool_concentration(signal, table.to(mask.device), is_calibrated=reference is not None)
    return curve, decay


def _scale(series: ImageSeries, mask: Bool[Tensor, "row column"]) -> Float[Tensor, " voxel"]:
    if not series.n_proton_density or series.proton_density is None:
        return torch.ones(int(mask.sum()), dtype=torch.float64, device=mask.device)
    frames = series.frames[: series.n_proton_density]
    return receive_field(frames, spacing_mm=series.geometry.spacing_mm)[mask].double()


def _read(
    series: ImageSeries, mask: Bool[Tensor, "row column"], scale: Float[Tensor, " voxel"]
) -> PoolSignal:
    pixels = series.frames[series.n_proton_density :, mask].double()
    return read_pool(pixels, scale, n_before=bolus_onset(pixels.mean(dim=1)) + 1)


def _excess_decay(
    series: ImageSeries,
    second_echo: ImageSeries,
    mask: Bool[Tensor, "row column"],
    signal: PoolSignal,
    scale: Float[Tensor, " voxel"],
) -> Float[Tensor, " sr_time"]:
    """Return R2* above that of the proton-density frames, which the scale has in it; never < 0."""
    if series.sequence is None or second_echo.sequence is None:
        raise CannotQuantifyError(Code.UNSUPPORTED_SEQUENCE, "an echo time is not known")
    spacing_s = second_echo.sequence.readout.echo_time_s - series.sequence.readout.echo_time_s
    n_first = series.n_proton_density
    pixels = second_echo.frames[n_first:, mask].double()
    late = read_pool(pixels, scale, n_before=signal.n_before)
    decay = decay_1_s(signal, late, time_s=series.time_s[n_first:], spacing_s=spacing_s)
    if n_first:
        before, after = (
            echo.frames[:n_first, mask].double().mean() for echo in (series, second_echo)
        )
        decay = decay - torch.log(before / after).clamp_min(0.0) / spacing_s
    return decay.clamp_min(0.0)


def first_pass(
    concentration_mmol_l: Float[Tensor, " time"],
    time_s: Float[Tensor, " time"],
    mask: Bool[Tensor, "row column"],
) -> ArterialInput:
    """Subtract the baseline, mark foot, peak and valley, and refuse what is no first pass.

    Raises
    ------
    CannotQuantifyError
        P04, P05 or P06, as `find_arterial_input`.

    """
    _require_resolved(concentration_mmol_l)
    peak = first_peak(concentration_mmol_l)
    foot = bolus_onset(concentration_mmol_l[: peak + 1])
    if foot + 1 < _MIN_PRE_CONTRAST:
        raise CannotQuantifyError(
            Code.BOLUS_NOT_COVERED, "the bolus arrived before the series began"
        )
    before = _without_spikes(concentration_mmol_l[: foot + 1], concentration_mmol_l[peak])
    curve = concentration_mmol_l - before.mean()
    _require_clear_peak(curve[peak], before)
    _require_width(curve, peak, foot)
    valley = _valley(curve, time_s, peak)
    if not bool(curve[valley] <= _PASSED_FRACTION * curve[peak]):
        raise CannotQuantifyError(
            Code.BOLUS_NOT_COVERED, "the series ends before the bolus has passed"
        )
    return ArterialInput(
        time_s=time_s,
        concentration_mmol_l=curve.to(time_s.dtype),
        mask=mask,
        source=ArterialInputSource.DUAL_SEQUENCE,
        foot=foot,
        peak=peak,
        valley=valley,
    )


def _require_unsaturated(found: ArterialInput, series: ImageSeries, relaxation: Relaxation) -> None:
    """Refuse a peak where a small error of the signal is a large one of the concentration."""
    if series.sequence is None:
        return
    reference = series.proton_density if series.n_proton_density else None
    table = signal_table(series.sequence, proton_density=reference, relaxation=relaxation)
    highest = float(table.concentration_mmol_l[-1])
    if float(found.concentration_mmol_l[found.peak]) > _UNSATURATED_FRACTION * highest:
        raise CannotQuantifyError(
            Code.ARTERIAL_INPUT_SATURATED, "the signal of the cavity is saturated at the peak"
        )


def _require_resolved(curve: Float[Tensor, " time"]) -> None:
    if not bool(curve.isfinite().all()):
        raise CannotQuantifyError(
            Code.ARTERIAL_INPUT_SATURATED,
            "the arterial signal is beyond what this sequence can resolve",
        )


def _without_spikes(
    before: Float[Tensor, " time"], peak: Float[Tensor, ""]
) -> Float[Tensor, " calm"]:
    """Return the samples before the bolus without single spoilt beats."""
    away = (before - before.median()).abs()
    usual = _SPIKE * away.median() + _SPIKE_OF_PEAK * peak.abs()
    return before[away <= usual]


def _require_clear_peak(peak: Float[Tensor, ""], before: Float[Tensor, " calm"]) -> None:
    scatter = before.std() if len(before) > 1 else before.new_zeros(())
    is_clear = bool(peak > _CLEAR * scatter) and bool(peak > _MIN_PEAK_MMOL_L)
    if not is_clear:
        raise CannotQuantifyError(
            Code.NO_ARTERIAL_INPUT, f"no clear arterial peak: {float(peak):.2f} mmol/l"
        )


def _require_width(curve: Float[Tensor, " time"], peak: int, foot: int) -> None:
    n_above = int((curve[foot:] > 0.5 * curve[peak]).sum())
    if n_above < _MIN_ABOVE_HALF:
        raise CannotQuantifyError(
            Code.NO_ARTERIAL_INPUT, "the arterial peak is one beat wide: a spike, not a bolus"
        )


def _valley(curve: Float[Tensor, " time"], time_s: Float[Tensor, " time"], peak: int) -> int:
    """Return the minimum between the peak and the rise of recirculation."""
    lowest = peak
    for sample in range(peak + 1, curve.shape[0]):
        if float(time_s[sample] - time_s[peak]) > _FIRST_PASS_S:
            break
        if bool(curve[sample] < curve[lowest]):
            lowest = sample
        elif _is_recirculation(curve, sample, lowest, peak):
            break
    return lowest


def _is_recirculation(curve: Float[Tensor, " time"], sample: int, lowest: int, peak: int) -> bool:
    """Return whether two beats in a row stand above the minimum after most has passed."""
    has_passed = curve[lowest] < _PASSED_FRACTION * curve[peak]
    risen = curve[sample - 1 : sample + 1].min() > curve[lowest] + _RECIRCULATION_RISE * curve[peak]
    return bool(has_passed) and sample - 1 > lowest and bool(risen)
