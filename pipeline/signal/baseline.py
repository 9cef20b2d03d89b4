"""When contrast arrives, and what the frames before it say about receive sensitivity."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.smoothing import smooth
from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code

_ENHANCING_FRACTION = 0.02
"""Share of pixels whose mean curve shows the bolus: a ventricle is several times larger."""
_MIN_PRE_CONTRAST = 2
_MIN_ENHANCEMENT = 6.0
"""Range of the curve over the scatter of its beat-to-beat differences below which it is noise."""
_ONSET_FRACTION = 0.1


_BOLUS_FRACTION = 0.5
"""A first bolus reaches this fraction of the highest one; recirculation and a test dose do not."""


def first_peak(curve: Float[Tensor, " time"]) -> int:
    """Return where the first bolus is highest, though a later one may be higher.

    It is the highest sample of the first stretch above half of the range. A median over three
    beats keeps a single spike from being it.
    """
    if curve.shape[0] < 3:
        return int(curve.argmax())
    calm = torch.cat([curve[:1], curve, curve[-1:]]).unfold(0, 3, 1).median(dim=1).values
    floor = calm.min()
    is_high = calm >= floor + _BOLUS_FRACTION * (calm.max() - floor)
    start = int(torch.nonzero(is_high)[0])
    lower = torch.nonzero(~is_high[start:])
    end = start + int(lower[0]) if lower.numel() else curve.shape[0]
    around = start + int(calm[start:end].argmax())
    first = max(around - 1, 0)
    return first + int(curve[first : around + 2].argmax())


def bolus_onset(curve: Float[Tensor, " time"]) -> int:
    """Return the index of the last sample before a curve rises to its first bolus.

    The rise is followed back from the peak to the last sample below 10 % of it, so an earlier
    disturbance is not taken for the bolus.
    """
    peak = first_peak(curve)
    before = curve[: peak + 1]
    floor = before.min()
    below = torch.nonzero(before <= floor + _ONSET_FRACTION * (curve[peak] - floor))
    return int(below[-1])


def count_pre_contrast(frames: Float[Tensor, "time row column"]) -> int:
    """Return how many saturation-recovery frames precede the arrival of contrast anywhere.

    Raises
    ------
    CannotQuantifyError
        P04 when nothing enhances or when the first frames already carry contrast.

    """
    if frames.shape[0] < _MIN_PRE_CONTRAST + 2:
        raise CannotQuantifyError(Code.BOLUS_NOT_COVERED, f"only {frames.shape[0]} frames")
    curve = enhancing_curve(frames)
    scatter = curve.diff().abs().median() + 1e-6 * curve.abs().max()
    if not bool(curve.max() - curve.min() > _MIN_ENHANCEMENT * scatter):
        raise CannotQuantifyError(Code.BOLUS_NOT_COVERED, "no contrast agent arrives in the series")
    onset = bolus_onset(curve)
    if onset + 1 < _MIN_PRE_CONTRAST:
        raise CannotQuantifyError(
            Code.BOLUS_NOT_COVERED, "contrast agent is already there in the first frames"
        )
    return onset + 1


def enhancing_curve(frames: Float[Tensor, "time row column"]) -> Float[Tensor, " time"]:
    """Return the mean curve of the pixels whose signal rises most."""
    curves = smooth(frames, 1.0).flatten(1)
    n_kept = frames.shape[0] // 20 + 1  # a single spoilt frame must not choose the pixels
    highest = curves.topk(n_kept, dim=0).values[-1]
    lowest = curves.topk(n_kept, dim=0, largest=False).values[-1]
    rise = highest - lowest
    n_pixels = max(4, int(_ENHANCING_FRACTION * rise.numel()))
    return frames.flatten(1)[:, rise.topk(n_pixels).indices].mean(dim=1)


def native_signal(
    frames: Float[Tensor, "time row column"],
    *,
    n_pre_contrast: int,
    spacing_mm: tuple[float, float],
    muscle: Bool[Tensor, "row column"] | None = None,
    width_mm: float = 4.0,
) -> Float[Tensor, "row column"]:
    """Return the smoothed mean of the pre-contrast frames, the scale when no PD frame exists.

    Muscle takes its scale from muscle alone where it is known: fat beside it is several times as
    bright before contrast, blood is darker.
    """
    width_px = (width_mm / spacing_mm[0], width_mm / spacing_mm[1])
    mean = frames[:n_pre_contrast].mean(dim=0)
    native = smooth(mean, width_px)
    if muscle is not None and bool(muscle.any()):
        share = smooth(muscle.to(mean.dtype), width_px)
        inside = smooth(mean * muscle, width_px) / share.clamp_min(1e-6)
        native = torch.where(muscle, inside, native)
    return torch.where(native > 0, native, torch.nan)
