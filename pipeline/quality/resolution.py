"""Pixels that are finer than what was measured: zero-filled k-space shows in the noise."""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.findings import Code, Finding, Grade
from pipeline.types import ImageSeries

_EMPTY = 0.1
"""Power of a frequency over that of the well measured ones below which nothing was measured; the
magnitude of an image puts a little power everywhere."""
_USUAL = (0.15, 0.3)
"""Frequencies over the highest one that every scanner measures, without the anatomy below."""
_INTERPOLATED = 1.7
"""Pixels per measured one in a direction that is worth telling: doubled matrices have 2."""
_MIN_SIDE = 32
_MIN_FRAMES = 4


def check_resolution(series: ImageSeries) -> tuple[Finding, ...]:
    """Return a note when the pixels of a series are much finer than its resolution."""
    factors = interpolation_factors(series.frames[series.n_proton_density :])
    if factors is None or max(factors) < _INTERPOLATED:
        return ()
    sizes = (
        f"{factor * spacing:.1f}"
        for factor, spacing in zip(factors, series.geometry.spacing_mm, strict=True)
    )
    text = f"Pixels are interpolated; the true resolution is about {' x '.join(sizes)} mm."
    return (Finding(code=Code.IMAGE_PITFALL, grade=Grade.NOTE, text=text),)


def interpolation_factors(
    frames: Float[Tensor, "time row column"],
) -> tuple[float, float] | None:
    """Return pixels per measured one along rows and columns, from the noise between frames.

    None when the frames are too few, too small or show nothing.
    """
    if len(frames) < _MIN_FRAMES or min(frames.shape[1:]) < _MIN_SIDE:
        return None
    noise = frames.double().nan_to_num().diff(dim=0)
    power = torch.fft.fft2(noise).abs().square().mean(dim=0)
    if not bool(power.sum() > 0):
        return None
    return _factor(power.mean(dim=1)), _factor(power.mean(dim=0))


def _factor(power: Float[Tensor, " frequency"]) -> float:
    frequency = torch.fft.fftfreq(len(power), dtype=power.dtype, device=power.device).abs() * 2
    usual = power[(frequency > _USUAL[0]) & (frequency < _USUAL[1])].median()
    return 1.0 / max(float(frequency[power > _EMPTY * usual].max()), _USUAL[1])
