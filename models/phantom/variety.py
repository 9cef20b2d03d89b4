"""How different from one another the virtual patients are."""

from enum import StrEnum


class Variety(StrEnum):
    """The range that anatomy, rhythm and motion are drawn from."""

    USUAL = "usual"
    """Textbook patients: healthy shape, upright, one missed trigger. The demo is one of them."""
    WIDE = "wide"
    """Everything that a network or a gate should have seen: hearts of any size and direction,
    open and closed sections, organs of any brightness, arrhythmia, motion through the plane."""
