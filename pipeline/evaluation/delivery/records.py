"""One line of results: one series, handed on in one way."""

from dataclasses import dataclass

from pipeline.evaluation.lines import read_line, write_line

Key = tuple[str, int, str]
"""Split, seed and way: what makes a result unique."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """What the default method made of it."""

    split: str
    seed: int
    breathing: str
    series: str
    way: str
    chosen: str
    """`learned`, or `identity` where the gate left the series alone."""
    n_frames: int
    dice: float
    """Overlap of the wall with that of the reference frame, mean over frames."""
    dice_before: float
    """The same of the series as it came, with the same reference."""
    error_mm: float
    """Target registration error, mean over saturation-recovery frames."""
    error_before_mm: float
    off_mm: float
    """From the middle of the left ventricle to where it was looked for."""

    @property
    def key(self) -> Key:
        """What no other result shares."""
        return (self.split, self.seed, self.way)


def to_line(record: DeliveryRecord) -> str:
    """Return a record as one line of JSON."""
    return write_line(record, n_decimals=9)


def from_line(line: str) -> DeliveryRecord:
    """Read a record back.

    Raises
    ------
    ValueError
        When the line is not a record of this version.

    """
    return read_line(DeliveryRecord, line)
