"""Saturation-recovery signal to gadolinium concentration, by the exact model.

The table holds S(c) / S_ref over concentration, with S of `SaturationRecovery` and S_ref the
proton-density signal of the same tissue before contrast (Cernicanu & Axel 2006, "Theory-based
signal calibration"), or S(0) when there is no proton-density frame. S grows with c, so the
inverse is unique; beyond the table, or where more gadolinium hardly adds signal, it is NaN.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from models.physics import Readout, SaturationRecovery, relaxation_rate
from pipeline.signal.baseline import count_pre_contrast, native_signal
from pipeline.signal.proton_density import receive_field

_STEP_MMOL_L = 0.01
_HIGHEST_MMOL_L = 20.0
_LOWEST_RATE_FRACTION = 0.02
"""The table reaches below zero until R1 has fallen to this fraction of its native value."""
_FLAT_FRACTION = 0.02
"""The table ends where the slope of the signal has fallen to this fraction of its largest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalTable:
    """Signal over reference signal for increasing concentration; float64, strictly monotone."""

    concentration_mmol_l: Float[Tensor, " entry"]
    ratio: Float[Tensor, " entry"]

    def __post_init__(self) -> None:
        if not bool((self.ratio.diff() > 0).all()):
            raise ValueError("the signal must grow with concentration over the whole table")


def signal_table(
    sequence: SaturationRecovery,
    *,
    proton_density: Readout | None,
    native_t1_s: float,
    relaxivity_l_mmol_s: float,
    device: torch.device | None = None,
) -> SignalTable:
    """Return the table of a sequence and tissue.

    Parameters
    ----------
    sequence
        Saturation-recovery readout.
    proton_density
        Readout of the reference frames; None refers to the signal before contrast instead.
    native_t1_s
        T1 before contrast, s.
    relaxivity_l_mmol_s
        r1, l/(mmol s).
    device
        Where the table lives; the CPU when None.

    """
    lowest = -(1.0 - _LOWEST_RATE_FRACTION) / (native_t1_s * relaxivity_l_mmol_s)
    n_entries = int((_HIGHEST_MMOL_L - lowest) / _STEP_MMOL_L) + 1
    steps = torch.arange(n_entries, dtype=torch.float64, device=device)
    concentration = lowest + _STEP_MMOL_L * steps
    rate = relaxation_rate(
        concentration, native_t1_s=native_t1_s, relaxivity_l_mmol_s=relaxivity_l_mmol_s
    )
    native = torch.full((1,), 1.0 / native_t1_s, dtype=torch.float64, device=device)
    reference = sequence.signal(native) if proton_density is None else proton_density.signal(native)
    ratio = sequence.signal(rate) / reference
    n_kept = _count_steep(ratio)
    return SignalTable(concentration_mmol_l=concentration[:n_kept], ratio=ratio[:n_kept])


def _count_steep(ratio: Float[Tensor, " entry"]) -> int:
    slope = ratio.diff()
    flat = torch.nonzero(slope < _FLAT_FRACTION * slope.max())
    return int(flat[0]) + 1 if flat.numel() else ratio.shape[0]


def ratio_to_concentration(
    ratio: Float[Tensor, "*shape"], table: SignalTable
) -> Float[Tensor, "*shape"]:
    """Return the concentration of each ratio by linear interpolation, mmol/l; NaN off the table."""
    wanted = ratio.to(torch.float64).contiguous()
    above = torch.searchsorted(table.ratio, wanted).clamp(1, table.ratio.shape[0] - 1)
    low, high = table.ratio[above - 1], table.ratio[above]
    start, end = table.concentration_mmol_l[above - 1], table.concentration_mmol_l[above]
    found = start + (end - start) * (wanted - low) / (high - low)
    inside = (wanted >= table.ratio[0]) & (wanted <= table.ratio[-1])
    return torch.where(inside, found, torch.nan).to(ratio.dtype)


def to_concentration(
    frames: Float[Tensor, "time row column"],
    *,
    n_proton_density: int,
    sequence: SaturationRecovery,
    proton_density: Readout | None,
    native_t1_s: float,
    relaxivity_l_mmol_s: float,
    spacing_mm: tuple[float, float],
    n_pre_contrast: int | None = None,
) -> Float[Tensor, "sr_time row column"]:
    """Convert registered frames of one series to concentration, baseline subtracted.

    Parameters
    ----------
    frames
        Registered frames, proton-density frames first, scanner units.
    n_proton_density
        How many of them are proton-density frames.
    sequence, proton_density
        Readouts; without `proton_density` (or its frames) the signal before contrast is the scale.
    native_t1_s
        T1 of the tissue before contrast, s.
    relaxivity_l_mmol_s
        r1, l/(mmol s).
    spacing_mm
        Row and column spacing, mm.
    n_pre_contrast
        Saturation-recovery frames before contrast; found from the frames when None.

    Returns
    -------
    Concentration of the saturation-recovery frames, mmol/l; NaN where a signal is off the table or
    the reference has no tissue.

    Raises
    ------
    CannotQuantifyError
        P04 when there is no bolus or no frame before it.

    """
    recovery = frames[n_proton_density:]
    n_before = count_pre_contrast(recovery) if n_pre_contrast is None else n_pre_contrast
    if n_proton_density and proton_density is not None:
        scale = receive_field(frames[:n_proton_density], spacing_mm=spacing_mm)
        reference: Readout | None = proton_density
    else:
        scale = native_signal(recovery, n_pre_contrast=n_before, spacing_mm=spacing_mm)
        reference = None
    table = signal_table(
        sequence,
        proton_density=reference,
        native_t1_s=native_t1_s,
        relaxivity_l_mmol_s=relaxivity_l_mmol_s,
        device=frames.device,
    )
    concentration = ratio_to_concentration(recovery / scale, table)
    return concentration - concentration[:n_before].mean(dim=0)
