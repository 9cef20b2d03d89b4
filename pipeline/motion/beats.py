"""Where the heart was in each beat: what one series knows and another one can start from."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.types import MotionCorrection

INNER_MM = 36.0
"""Radius within which displacement is averaged: the left ventricle with its wall and some room."""


def displacement_of_beats(
    motion: MotionCorrection,
    *,
    time_s: Float[Tensor, " time"],
    at_s: Float[Tensor, " beat"],
    spacing_mm: tuple[float, float],
) -> Float[Tensor, "beat axis"]:
    """Return where the heart was in the beats of another series, mm from the reference frame.

    A beat is known by its time: the frame nearest in time was taken in the same one, even where a
    trigger was missed in one of the series. Frames that show nothing, or do not fit the others,
    know nothing; their neighbours answer for them.

    Parameters
    ----------
    motion
        The registered series.
    time_s
        When its frames were acquired, s. Shape `(time,)`.
    at_s
        When the frames of the other series were acquired, on the same clock, s. Shape `(beat,)`.
    spacing_mm
        Row and column spacing of the registered series, mm.

    """
    knows = _shows_something(motion.frames) & ~motion.is_unlike
    if not bool(knows.any()):
        return motion.displacement.new_zeros(len(at_s), 2)
    shift_mm = _heart_shift_mm(motion, knows, spacing_mm)
    nearest = (at_s[:, None] - time_s[knows]).abs().argmin(dim=1)
    return shift_mm[nearest]


def _shows_something(frames: Float[Tensor, "time row column"]) -> Bool[Tensor, " time"]:
    pixels = frames.flatten(1)
    return pixels.isfinite().all(dim=1) & (pixels.amax(dim=1) > pixels.amin(dim=1))


def _heart_shift_mm(
    motion: MotionCorrection,
    knows: Bool[Tensor, " time"],
    spacing_mm: tuple[float, float],
) -> Float[Tensor, "known axis"]:
    """Return the mean displacement of the middle of the heart, mm."""
    frames = motion.frames
    rows, columns = (torch.arange(size, device=frames.device) for size in frames.shape[1:])
    row, column = motion.heart_px or (float(rows[-1]) / 2, float(columns[-1]) / 2)
    row_mm = (rows - row) * spacing_mm[0]
    column_mm = (columns - column) * spacing_mm[1]
    distance_mm = torch.hypot(row_mm[:, None], column_mm[None, :])
    inside = distance_mm <= max(INNER_MM, float(distance_mm.min()))
    shift_px = motion.displacement[knows][:, :, inside].mean(dim=2)
    return shift_px * shift_px.new_tensor(spacing_mm)
