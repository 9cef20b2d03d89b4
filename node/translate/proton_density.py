"""How many leading frames are proton density, seen in the signal.

Headers give one flip angle and one inversion time for a whole series, so the frames without
saturation pulse cannot be told from them. They are a plateau of bright frames before the first
saturation-recovery frame, the same number in every slice of a run.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MAX_FRAMES = 8
MIN_DROP = 1.35
"""Plateau over the first saturation-recovery frames, as a ratio of mean signals."""
_MAX_SPREAD = 0.2
_N_BASELINE = 3


def count_proton_density(frames: NDArray[np.float32]) -> int:
    """Return the number of leading proton-density frames of one slice; 0 when there are none.

    The mean signal must fall by `MIN_DROP` from every frame of a level plateau to each of the
    next frames. Contrast raises the signal of later frames, so only the first ones are compared.

    Parameters
    ----------
    frames
        All frames in order of time. Shape `(time, row, column)`.

    """
    curve = frames.reshape(len(frames), -1).mean(axis=1, dtype=np.float64)
    longest = min(MAX_FRAMES, len(curve) - _N_BASELINE)
    fits = [count for count in range(1, longest + 1) if _is_plateau(curve, count)]
    return fits[0] if fits else 0


def agree(counts: Sequence[int]) -> int:
    """Return the count that most slices show; the smaller one when there is no majority."""
    frequency = Counter(counts)
    return min(frequency, key=lambda count: (-frequency[count], count))


def _is_plateau(curve: NDArray[np.float64], count: int) -> bool:
    plateau, baseline = curve[:count], curve[count : count + _N_BASELINE]
    level = float(np.median(plateau))
    is_level = bool((np.abs(plateau - level) <= _MAX_SPREAD * level).all())
    return is_level and plateau.min() > MIN_DROP * baseline.max()
