"""How many leading frames are proton density, seen in the signal.

Headers give one flip angle and one inversion time for a whole series, so the frames without
saturation pulse cannot be told from them. They are a plateau of bright frames before the first
saturation-recovery frame, the same number in every slice of a run. Spoiled frames of a small flip
angle before a balanced readout may be the darker ones: then the plateau ends in a rise, and what
tells it from a bolus is that it lasts one frame and that the whole picture changes.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.float32]
"""Shape `(time, row, column)`."""

MAX_FRAMES = 8
MIN_DROP = 1.35
"""Plateau over the first saturation-recovery frames, as a ratio of mean signals."""
MIN_RISE = 1.15
"""First saturation-recovery frames over a darker plateau. A bolus raises the mean of the whole
image by less from one beat to the next."""
_MAX_SPREAD = 0.2
_MAX_SPREAD_OF_DARK = 0.05
_MIN_DARK = 2
"""A single darker frame is the approach to a steady state."""
_SETTLED = 0.5
"""Change after a rise, over the rise: a bolus goes on rising."""
_OTHER_PICTURE = 3.0
"""Unlikeness of the frames across the rise over that of frames on the same side of it."""
_N_BASELINE = 3
_COARSE = 24


def count_proton_density(frames: Images) -> int:
    """Return the number of leading proton-density frames of one slice; 0 when there are none.

    The mean signal must fall by `MIN_DROP` from every frame of a level plateau to each of the
    next frames, or rise by `MIN_RISE` to another picture. Contrast raises the signal of later
    frames, so only the first ones are compared.

    Parameters
    ----------
    frames
        All frames in order of time. Shape `(time, row, column)`.

    """
    curve = frames.reshape(len(frames), -1).mean(axis=1, dtype=np.float64)
    longest = min(MAX_FRAMES, len(curve) - _N_BASELINE)
    counts = range(1, longest + 1)
    fits = [count for count in counts if _is_plateau(curve, count)]
    if not fits:
        fits = [count for count in counts if _is_dark_plateau(curve, frames, count)]
    return fits[0] if fits else 0


def agree(counts: Sequence[int]) -> int:
    """Return the count that most slices show; the smaller one when there is no majority."""
    frequency = Counter(counts)
    return min(frequency, key=lambda count: (-frequency[count], count))


def _is_plateau(curve: NDArray[np.float64], count: int) -> bool:
    plateau, baseline = curve[:count], curve[count : count + _N_BASELINE]
    is_level = _spread(plateau) <= _MAX_SPREAD
    return is_level and bool(plateau.min() > MIN_DROP * baseline.max())


def _is_dark_plateau(curve: NDArray[np.float64], frames: Images, count: int) -> bool:
    plateau, baseline = curve[:count], curve[count : count + _N_BASELINE]
    if count < _MIN_DARK or _spread(plateau) > _MAX_SPREAD_OF_DARK:
        return False
    rise = float(baseline[0] - plateau[-1])
    has_risen = bool(baseline.min() > MIN_RISE * plateau.max())
    has_settled = float(np.ptp(baseline)) <= _SETTLED * rise
    return has_risen and has_settled and _shows_another_picture(frames, count)


def _spread(plateau: NDArray[np.float64]) -> float:
    level = float(np.median(plateau))
    return float(np.abs(plateau - level).max()) / level if level > 0 else np.inf


def _shows_another_picture(frames: Images, count: int) -> bool:
    """Compare coarse pictures by correlation: brightness does not matter, noise hardly."""
    around = _coarse(frames[count - _MIN_DARK : count + _MIN_DARK])
    pixels = around.reshape(len(around), -1)
    pixels = pixels - pixels.mean(axis=1, keepdims=True)
    length = np.linalg.norm(pixels, axis=1)
    if not (length > 0).all():
        return False
    likeness = (pixels @ pixels.T) / np.outer(length, length)
    within = max(1 - likeness[0, 1], 1 - likeness[2, 3])
    return bool(1 - likeness[1, 2] > _OTHER_PICTURE * within)


def _coarse(frames: Images) -> NDArray[np.float64]:
    """Average blocks of pixels, so that about `_COARSE` are left along each side."""
    n_frames, n_rows, n_columns = frames.shape
    row, column = max(1, n_rows // _COARSE), max(1, n_columns // _COARSE)
    rows, columns = n_rows // row, n_columns // column
    kept = frames[:, : rows * row, : columns * column].astype(np.float64)
    blocks = kept.reshape(n_frames, rows, row, columns, column)
    return np.asarray(blocks.mean(axis=(2, 4)))
