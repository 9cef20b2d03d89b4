"""What happens to images after reconstruction: filters of the scanner, tone, a tight crop.

Vendors sharpen or smooth, subtract a level, clip what is bright, and sites crop; the same series
then looks quite different, with the heart where it was.
"""

import math

from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn import functional

from models.smoothing import smooth
from models.training.sampling import draw

Frames = Float[Tensor, "time row column"]

FILTERED_SHARE = 0.35
FILTER_PX = (0.7, 1.5)
SHARPENING = (-0.8, 1.2)
"""How much of what a blur takes away is added again; negative smooths."""
TONED_SHARE = 0.4
POWER = (0.55, 1.8)
CLIPPED_SHARE = 0.35
CLIPPED_AT = (0.55, 1.0)
"""Of the brightest, from which on all is equally bright."""
LOWERED_BY = (0.0, 0.08)
"""Of the brightest; what is darker becomes zero."""
BRIGHTEST = 0.995
CROPPED_SHARE = 0.15
KEPT = (0.6, 0.9)
"""Side of what is left of an image, over that of the whole."""


def deliver(frames: Frames, generator: Generator) -> Frames:
    """Return a series as a scanner or a site may hand it on.

    Parameters
    ----------
    frames
        Magnitude images, any unit.
    generator
        Source of randomness, on the CPU.

    """
    return _cropped(_toned(_clipped(_filtered(frames, generator), generator), generator), generator)


def _filtered(frames: Frames, generator: Generator) -> Frames:
    if draw(generator, 0.0, 1.0) > FILTERED_SHARE:
        return frames
    width_px = draw(generator, *FILTER_PX)
    amount = draw(generator, *SHARPENING)
    return (frames + amount * (frames - smooth(frames, (width_px, width_px)))).clamp_min(0.0)


def _clipped(frames: Frames, generator: Generator) -> Frames:
    if draw(generator, 0.0, 1.0) > CLIPPED_SHARE:
        return frames
    brightest = _brightest(frames)
    low = draw(generator, *LOWERED_BY) * brightest
    high = draw(generator, *CLIPPED_AT) * brightest
    return frames.clamp(low, high) - low


def _toned(frames: Frames, generator: Generator) -> Frames:
    if draw(generator, 0.0, 1.0) > TONED_SHARE:
        return frames
    power = math.exp(draw(generator, math.log(POWER[0]), math.log(POWER[1])))
    return (frames / _brightest(frames)) ** power


def _cropped(frames: Frames, generator: Generator) -> Frames:
    """Cut the margins off; beyond the border its last pixel is read, as an analysis does."""
    if draw(generator, 0.0, 1.0) > CROPPED_SHARE:
        return frames
    sides = []
    for size in frames.shape[1:]:
        kept = round(draw(generator, *KEPT) * size)
        first = int(draw(generator, 0.0, float(size - kept + 1)))
        sides.append((first, first + kept, size))
    (top, bottom, rows), (left, right, columns) = sides
    inside = frames[:, top:bottom, left:right]
    return functional.pad(
        inside[:, None], (left, columns - right, top, rows - bottom), mode="replicate"
    )[:, 0]


def _brightest(frames: Frames) -> Float[Tensor, ""]:
    ordered = frames[:, ::2, ::2].flatten().sort().values
    return ordered[round(BRIGHTEST * (len(ordered) - 1))].clamp_min(1e-12)
