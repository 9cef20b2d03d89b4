"""Saturation-recovery signal to gadolinium concentration, by the exact model.

The table holds S(c) / S_ref over concentration, with S of `SaturationRecovery` and S_ref the
proton-density signal of the same tissue before contrast (Cernicanu & Axel 2006, "Theory-based
signal calibration"), or S(0) when there is no proton-density frame. Both see R1 and whichever
transverse rate their readout sees; off-resonance is taken to be 0. S grows with c, until a
transverse rate that grows too turns it back: the table ends before that, so the inverse is unique;
beyond the table, or where more gadolinium hardly adds signal, it is NaN.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.physics import Readout, Relaxation, SaturationRecovery
from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code
from pipeline.signal.baseline import count_pre_contrast, native_signal
from pipeline.signal.proton_density import receive_field

_STEP_MMOL_L = 0.01
_HIGHEST_MMOL_L = 20.0
_LOWEST_RATE_FRACTION = 0.02
"""The table reaches below zero until R1 has fallen to this fraction of its native value."""
_FLAT_FRACTION = 0.02
"""The table ends where the slope of the signal has fallen to this fraction of its largest."""
_MIN_DARK = 3
"""Frames before any contrast that make a baseline."""
_NO_SIGNAL = 1e-6
"""Signal of the reference, per M0, that is too small to divide by."""
_N_TABLES = 32
"""Tables kept: a few sequences, with and without proton density, of two tissues each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalTable:
    """Signal over reference signal for increasing concentration; float64, strictly monotone."""

    concentration_mmol_l: Float[Tensor, " entry"]
    ratio: Float[Tensor, " entry"]

    def __post_init__(self) -> None:
        if not bool((self.ratio.diff() > 0).all()):
            raise ValueError("the signal must grow with concentration over the whole table")

    def ratio_at(self, concentration_mmol_l: float) -> float:
        """Return the ratio at a concentration within the table."""
        known, wanted = self.concentration_mmol_l, concentration_mmol_l
        above = int((known < wanted).sum().clamp(1, len(known) - 1))
        (low, high), (start, end) = self.ratio[above - 1 : above + 1], known[above - 1 : above + 1]
        return float(low + (high - low) * (wanted - start) / (end - start))

    def to(self, device: torch.device) -> "SignalTable":
        """Return the table on a device."""
        return SignalTable(
            concentration_mmol_l=self.concentration_mmol_l.to(device), ratio=self.ratio.to(device)
        )


@lru_cache(maxsize=_N_TABLES)
def signal_table(
    sequence: SaturationRecovery, *, proton_density: Readout | None, relaxation: Relaxation
) -> SignalTable:
    """Return the table of a sequence and tissue, on the CPU.

    Parameters
    ----------
    sequence
        Saturation-recovery readout.
    proton_density
        Readout of the reference frames; None refers to the signal before contrast instead.
    relaxation
        Relaxation of the tissue with and without agent.

    Raises
    ------
    CannotQuantifyError
        P12 when the reference has no signal.

    """
    lowest = -(1.0 - _LOWEST_RATE_FRACTION) / (
        relaxation.native_t1_s * relaxation.relaxivity_l_mmol_s
    )
    n_entries = int((_HIGHEST_MMOL_L - lowest) / _STEP_MMOL_L) + 1
    concentration = lowest + _STEP_MMOL_L * torch.arange(n_entries, dtype=torch.float64)
    native = torch.zeros(1, dtype=torch.float64)
    reference = sequence if proton_density is None else proton_density
    scale = _signal(reference, native, relaxation)
    if not bool(scale > _NO_SIGNAL):
        raise CannotQuantifyError(Code.UNSUPPORTED_SEQUENCE, "there is no signal before contrast")
    ratio = _signal(sequence, concentration, relaxation) / scale
    kept = _rising(ratio)
    return SignalTable(concentration_mmol_l=concentration[kept], ratio=ratio[kept])


def _signal(
    played: SaturationRecovery | Readout,
    concentration_mmol_l: Float[Tensor, " entry"],
    relaxation: Relaxation,
) -> Float[Tensor, " entry"]:
    """Return the magnitude of the signal at each concentration."""
    readout = played.readout if isinstance(played, SaturationRecovery) else played
    transverse_1_s = relaxation.transverse_1_s(concentration_mmol_l, readout.decay)
    return played.signal(relaxation.longitudinal_1_s(concentration_mmol_l), transverse_1_s).abs()


def _rising(ratio: Float[Tensor, " entry"]) -> slice:
    """Return the part that rises enough, from the first entry or from the lowest one.

    A magnitude falls where the magnetisation is still negative; that part is left out.
    """
    start = int(ratio[: 1 + int(ratio.argmax())].argmin())
    slope = ratio[start:].diff()
    flat = torch.nonzero(slope < _FLAT_FRACTION * slope.max())
    return slice(start, start + int(flat[0]) + 1 if flat.numel() else None)


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


def to_concentration(  # noqa: PLR0913 - frames, physics, and what is known of the tissue
    frames: Float[Tensor, "time row column"],
    *,
    n_proton_density: int,
    sequence: SaturationRecovery,
    proton_density: Readout | None,
    relaxation: Relaxation,
    spacing_mm: tuple[float, float],
    n_pre_contrast: int | None = None,
    muscle: Bool[Tensor, "row column"] | None = None,
    beside_blood: Bool[Tensor, "row column"] | None = None,
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
    relaxation
        Relaxation of the tissue with and without agent.
    spacing_mm
        Row and column spacing, mm.
    n_pre_contrast
        Saturation-recovery frames before contrast; found from the frames when None.
    muscle
        Where `relaxation` is that of the tissue; without proton density its signal before contrast
        is the scale of each of these pixels. None when not known.
    beside_blood
        Pixels that blood which enhances before this tissue may shine into. Without proton density
        their baseline ends before contrast anywhere, as the scale of all does; with it a longer,
        quieter one does better. None for no pixel.

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
    n_dark, n_before = _count_frames(recovery, n_pre_contrast)
    if n_proton_density and proton_density is not None:
        scale = receive_field(frames[:n_proton_density], spacing_mm=spacing_mm)
        reference: Readout | None = proton_density
    else:
        scale = native_signal(recovery, n_pre_contrast=n_dark, spacing_mm=spacing_mm, muscle=muscle)
        reference = None
    table = signal_table(sequence, proton_density=reference, relaxation=relaxation)
    concentration = ratio_to_concentration(recovery / scale, table.to(frames.device))
    baseline = concentration[:n_before].mean(dim=0)
    if reference is None and beside_blood is not None:
        baseline = torch.where(beside_blood, concentration[:n_dark].mean(dim=0), baseline)
    return concentration - baseline


def _count_frames(
    recovery: Float[Tensor, "sr_time row column"], n_pre_contrast: int | None
) -> tuple[int, int]:
    """Return how many frames precede contrast anywhere, and how many precede it in this tissue.

    Where very few are dark, all that precede it in the tissue count as dark.
    """
    if n_pre_contrast is None:
        n_dark = count_pre_contrast(recovery)
        return n_dark, n_dark
    try:
        n_dark = min(count_pre_contrast(recovery), n_pre_contrast)
    except CannotQuantifyError:
        n_dark = 0
    return (n_dark if n_dark >= _MIN_DARK else n_pre_contrast), n_pre_contrast
