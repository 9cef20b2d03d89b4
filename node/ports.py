"""The effects of the node as names, so that time and progress can be handed in."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Where the wall-clock time comes from."""

    def __call__(self) -> datetime:
        """Return the local time, without zone, as DICOM writes it."""
        ...


Progress = Callable[[str, float], None]
"""Called with the stage in words and the fraction done (0-1)."""
