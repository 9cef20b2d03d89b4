"""The mean signal of a pool of blood without the noise that lifts magnitudes, and what it means.

At a short saturation time, blood before contrast is close to the noise or below it. A magnitude
never is, so plain averages start too high, and subtracting them cuts the whole bolus. The mean
power of magnitudes less the power of the noise has no such floor.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code
from pipeline.signal.concentration import SignalTable, ratio_to_concentration

_MIN_FOR_NOISE = 3
_LOST_FRACTION = 1.0
"""A level below this fraction of the noise of one pixel cannot be told from none."""
_SLOPE_MMOL_L = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSignal:
    """Signal of a pool over its reference, beat by beat."""

    curve: Float[Tensor, " time"]
    """Without the lift by noise."""
    plain: Float[Tensor, " time"]
    """Mean of the magnitudes as they are."""
    n_before: int
    """Beats before contrast."""
    level: float
    """Signal before contrast, all those beats together."""
    noise: float
    """Standard deviation of each channel in one pixel."""
    n_pixels: int

    def times(self, factor: Float[Tensor, " time"]) -> "PoolSignal":
        """Return the signal with every beat after the first contrast multiplied by a factor."""
        grown = torch.where(
            torch.arange(len(self.curve), device=self.curve.device) < self.n_before, 1.0, factor
        )
        return PoolSignal(
            curve=self.curve * grown,
            plain=self.plain * grown,
            n_before=self.n_before,
            level=self.level,
            noise=self.noise,
            n_pixels=self.n_pixels,
        )


def read_pool(
    pixels: Float[Tensor, "time voxel"], scale: Float[Tensor, " voxel"], *, n_before: int
) -> PoolSignal:
    """Return the signal of a pool.

    Parameters
    ----------
    pixels
        Magnitudes of the saturation-recovery frames, scanner units.
    scale
        Reference of each pixel, same units; pixels without one are left out.
    n_before
        Beats before contrast.

    """
    known = scale.isfinite()
    pixels, scale = pixels[:, known].double(), scale[known].double()
    # Near the noise an estimate falls short; late beats, with contrast, lie farther from it.
    late = pixels[-(len(pixels) // 3) :]
    floor = torch.maximum(noise_power(pixels[:n_before]), noise_power(late))
    lift = (floor / scale.square()).mean()
    ratio = pixels / scale
    plain = ratio.mean(dim=1)
    power = ratio.square().mean(dim=1) - lift
    return PoolSignal(
        curve=torch.where(power > 0, power.clamp_min(0.0).sqrt(), plain),
        plain=plain,
        n_before=n_before,
        level=float(power[:n_before].mean().clamp_min(0.0).sqrt()),
        noise=float((0.5 * lift).sqrt()),
        n_pixels=int(known.sum()),
    )


def noise_power(pixels: Float[Tensor, "time voxel"]) -> Float[Tensor, ""]:
    """Return 2 s^2 = E[M^2] - A^2 of magnitudes M around a steady signal A in noise s.

    From the moments of the Rice distribution, var(M^2) = 4 s^2 (A^2 + s^2), so that
    2 s^2 = m - sqrt(m^2 - var(M^2)) with m = E[M^2]. Second differences between beats give the
    variance, so a drift does not count; too few beats give 0.
    """
    squared = pixels.square()
    if squared.shape[0] < _MIN_FOR_NOISE:
        return squared.new_zeros(())
    power = squared.mean()
    variance = squared.diff(n=2, dim=0).square().mean() / 6.0
    return power - (power.square() - variance).clamp_min(0.0).sqrt()


def pool_concentration(
    signal: PoolSignal, table: SignalTable, *, is_calibrated: bool
) -> Float[Tensor, " time"]:
    """Return the concentration of a pool, baseline subtracted, mmol/l; NaN off the table.

    Beats before contrast scatter around zero by the slope of the table there. A level below that
    of native blood is noise, or a T1 that is wrong by a little; then nothing is subtracted.

    Parameters
    ----------
    signal
        Signal of the pool.
    table
        Table of its sequence.
    is_calibrated
        Whether the signal is over proton density; else its level before contrast is the scale.

    Raises
    ------
    CannotQuantifyError
        P05 when the scale is to be that level and it is lost in the noise.

    """
    native, above = (table.ratio_at(at) for at in (0.0, _SLOPE_MMOL_L))
    unit = 1.0 if is_calibrated else signal.level / native
    if not is_calibrated and signal.level <= _LOST_FRACTION * signal.noise:
        raise CannotQuantifyError(
            Code.NO_ARTERIAL_INPUT,
            "there are no proton-density frames and blood before contrast is lost in the noise",
        )
    level = torch.tensor([max(signal.level / unit, native)], dtype=torch.float64)
    rest = ratio_to_concentration(level.to(signal.curve.device), table)
    found = ratio_to_concentration(signal.curve / unit, table) - rest
    before = signal.plain[: signal.n_before] / unit
    found[: signal.n_before] = (before - before.mean()) * _SLOPE_MMOL_L / (above - native)
    return found
