"""What is written beside a slice: its level, and which side of the patient is where."""

import numpy as np

from pipeline.regions import SliceLevel
from pipeline.types import Analysis, Geometry

_LEVEL_NAMES = {SliceLevel.BASAL: "BASE", SliceLevel.MID: "MID", SliceLevel.APICAL: "APEX"}
_LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))
"""Of the positive and the negative end of each patient axis (DICOM PS3.3 C.7.6.1.1.1)."""

MAX_SLICES = 3
"""That stand side by side in a picture."""


def shown_slices(n_slices: int) -> tuple[int, ...]:
    """Return the slices that fit side by side: all, or the first, a middle and the last."""
    if n_slices <= MAX_SLICES:
        return tuple(range(n_slices))
    return (0, n_slices // 2, n_slices - 1)


def slice_name(index: int, analysis: Analysis) -> str:
    """Return the level of a slice where it is known, and its number where there are many."""
    n_slices = len(analysis.slices)
    sectors = analysis.slices[index].sectors
    usual = {3: ("BASE", "MID", "APEX"), 1: ("SLICE",)}.get(n_slices)
    if sectors is not None:
        name = _LEVEL_NAMES[sectors.level]
        return name if n_slices <= MAX_SLICES else f"{name} (slice {index + 1})"
    return usual[index] if usual else f"SLICE {index + 1}"


def side_letters(geometry: Geometry) -> tuple[str, str, str, str]:
    """Return which side of the patient lies left, on top, right and at the bottom."""
    right, bottom = geometry.row_direction, geometry.column_direction
    ends = (tuple(-value for value in right), tuple(-value for value in bottom), right, bottom)
    left_letter, top_letter, right_letter, bottom_letter = (_letter(end) for end in ends)
    return left_letter, top_letter, right_letter, bottom_letter


def _letter(direction: tuple[float, ...]) -> str:
    axis = int(np.argmax(np.abs(direction)))
    positive, negative = _LETTERS[axis]
    return positive if direction[axis] > 0 else negative
