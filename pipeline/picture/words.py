"""Numbers as they stand in the head of a page."""

import math
from collections.abc import Mapping

from pipeline.picture.colour import TERRITORY_NAMES

Numbers = Mapping[str, tuple[float, float]]
"""Value and standard error by name of the region."""


def with_error(value: float, error: float) -> str:
    """Return a number with its standard error; empty where there is none."""
    return f"{value:.2f} ± {error:.2f}" if math.isfinite(value) else ""


def territory_words(numbers: Numbers) -> str:
    """Return the numbers of the territories that have one, separated by commas."""
    found = [
        (label, with_error(*numbers[territory]))
        for territory, label in TERRITORY_NAMES.items()
        if territory in numbers
    ]
    return ",   ".join(f"{label} {text}" for label, text in found if text)
