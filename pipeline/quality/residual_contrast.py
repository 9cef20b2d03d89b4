"""Gadolinium of an earlier injection that is still there when a series begins.

The signal before contrast, over that of the proton-density frames, tells T1. Where muscle and
blood both relax faster than without gadolinium, some is there. Without proton-density frames
nothing can be told.
"""

from jaxtyping import Bool, Float
from torch import Tensor

from models.physics import Relaxation
from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code, Finding, Grade, series_finding
from pipeline.signal import ratio_to_concentration, receive_field, signal_table
from pipeline.types import HeartMasks, ImageSeries

_MIN_MMOL_L = 0.15
"""Apparent concentration before contrast. A saturation that leaves 5 % looks like 0.1 mmol/l at a
saturation time of 110 ms; half a dose of 0.075 mmol/kg leaves 0.15-0.3 mmol/l after ten minutes
(T1 of muscle 600-700 ms)."""


def check_residual_contrast(
    series: ImageSeries,
    *,
    masks: HeartMasks,
    n_before: int,
    muscle: Relaxation,
    blood: Relaxation,
    index: int,
) -> tuple[Finding, ...]:
    """Return a note when muscle and blood hold gadolinium before the bolus.

    Parameters
    ----------
    series
        A slice with its corrected frames.
    masks
        Its heart.
    n_before
        Saturation-recovery frames before the bolus.
    muscle, blood
        How they relax with and without gadolinium.
    index
        Which slice it is.

    """
    found = [
        native_concentration(series, mask, relaxation=relaxation, n_before=n_before)
        for mask, relaxation in ((masks.myocardium, muscle), (masks.left_ventricle, blood))
    ]
    if any(amount is None or not amount > _MIN_MMOL_L for amount in found):
        return ()
    text = f"contrast agent was there before the bolus (about {found[0]:.1f} mmol/l in muscle)."
    return (series_finding(Code.IMAGE_PITFALL, Grade.NOTE, text, index),)


def native_concentration(
    series: ImageSeries,
    mask: Bool[Tensor, "row column"],
    *,
    relaxation: Relaxation,
    n_before: int,
) -> float | None:
    """Return the apparent concentration before the bolus, mmol/l; None where it cannot be told."""
    n_density = series.n_proton_density
    if not n_density or series.proton_density is None or series.sequence is None or n_before < 1:
        return None
    try:
        table = signal_table(
            series.sequence, proton_density=series.proton_density, relaxation=relaxation
        )
    except CannotQuantifyError:
        return None
    field = receive_field(series.frames[:n_density], spacing_mm=series.geometry.spacing_mm)
    ratio = _median(series.frames[n_density : n_density + n_before].mean(dim=0) / field, mask)
    amount = None if ratio is None else float(ratio_to_concentration(ratio, table))
    return amount if amount is not None and amount == amount else None  # noqa: PLR0124 - NaN


def _median(
    image: Float[Tensor, "row column"], mask: Bool[Tensor, "row column"]
) -> Float[Tensor, ""] | None:
    values = image[mask]
    values = values[values.isfinite()]
    return values.median() if values.numel() else None
