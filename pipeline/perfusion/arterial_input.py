"""The arterial input: gadolinium in left-ventricular blood, found without a user.

The signal of the pool is averaged before conversion: at a short saturation time single pixels are
close to the noise before contrast, their mean is not. Hard gates guard the result, because every
flow of the exam scales with it.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.physics import Readout, Relaxation, SaturationRecovery
from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code
from pipeline.perfusion.blood_pool import find_left_ventricle
from pipeline.signal.baseline import bolus_onset, count_pre_contrast
from pipeline.signal.concentration import ratio_to_concentration, signal_table
from pipeline.signal.proton_density import receive_field
from pipeline.types import ArterialInput, ArterialInputSource

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
_MIN_PRE_CONTRAST = 2


def find_arterial_input(
    frames: Float[Tensor, "time row column"],
    *,
    time_s: Float[Tensor, " time"],
    n_proton_density: int,
    sequence: SaturationRecovery,
    proton_density: Readout | None,
    relaxation: Relaxation,
    spacing_mm: tuple[float, float],
) -> ArterialInput:
    """Find the left ventricle and return its concentration and first-pass window.

    Parameters
    ----------
    frames
        Registered frames of the arterial-input series, proton-density frames first.
    time_s
        Their times on the clock of the exam, s.
    n_proton_density
        How many frames are proton-density frames.
    sequence, proton_density
        Readouts of this series.
    relaxation
        Relaxation of blood with and without agent.
    spacing_mm
        Row and column spacing, mm.

    Raises
    ------
    CannotQuantifyError
        P04 when the bolus is not covered, P05 when no clear peak is found, P06 when the signal
        leaves the range that the sequence can resolve.

    """
    recovery, recovery_s = frames[n_proton_density:], time_s[n_proton_density:]
    n_before = count_pre_contrast(recovery)
    pool = find_left_ventricle(recovery, recovery_s, n_pre_contrast=n_before)
    concentration = _pool_concentration(
        frames,
        pool.mask,
        n_proton_density=n_proton_density,
        sequence=sequence,
        proton_density=proton_density,
        relaxation=relaxation,
        spacing_mm=spacing_mm,
    )
    return first_pass(concentration, recovery_s, pool.mask)


def _pool_concentration(
    frames: Float[Tensor, "time row column"],
    mask: Bool[Tensor, "row column"],
    *,
    n_proton_density: int,
    sequence: SaturationRecovery,
    proton_density: Readout | None,
    relaxation: Relaxation,
    spacing_mm: tuple[float, float],
) -> Float[Tensor, " sr_time"]:
    """Return the concentration of the mean signal of the pool; the baseline is still in it."""
    curve = frames[:, mask].double().mean(dim=1)
    recovery = curve[n_proton_density:]
    reference = proton_density if n_proton_density else None
    if reference is None:
        scale = recovery[: bolus_onset(recovery) + 1].mean()
    else:
        field = receive_field(frames[:n_proton_density], spacing_mm=spacing_mm)
        scale = field[mask].double().nanmean()
    table = signal_table(sequence, proton_density=reference, relaxation=relaxation)
    return ratio_to_concentration(recovery / scale, table.to(frames.device))


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
    peak = int(_first_maximum(concentration_mmol_l))
    foot = bolus_onset(concentration_mmol_l[: peak + 1])
    if foot + 1 < _MIN_PRE_CONTRAST:
        raise CannotQuantifyError(
            Code.BOLUS_NOT_COVERED, "the bolus arrived before the series began"
        )
    before = concentration_mmol_l[: foot + 1]
    curve = concentration_mmol_l - before.mean()
    _require_clear_peak(curve, peak, foot)
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


def _require_resolved(curve: Float[Tensor, " time"]) -> None:
    if not bool(curve.isfinite().all()):
        raise CannotQuantifyError(
            Code.ARTERIAL_INPUT_SATURATED,
            "the arterial signal is beyond what this sequence can resolve",
        )


def _first_maximum(curve: Float[Tensor, " time"]) -> int:
    """Return the maximum; smoothing over three beats keeps a single spike from being it."""
    padded = torch.cat([curve[:1], curve, curve[-1:]])
    calm = padded.unfold(0, 3, 1).median(dim=1).values
    around = int(calm.argmax())
    start = max(around - 1, 0)
    return start + int(curve[start : around + 2].argmax())


def _require_clear_peak(curve: Float[Tensor, " time"], peak: int, foot: int) -> None:
    scatter = curve[: foot + 1].std() if foot else curve.new_zeros(())
    is_clear = bool(curve[peak] > _CLEAR * scatter) and bool(curve[peak] > _MIN_PEAK_MMOL_L)
    if not is_clear:
        raise CannotQuantifyError(
            Code.NO_ARTERIAL_INPUT,
            f"no clear arterial peak: {float(curve[peak]):.2f} mmol/l",
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
