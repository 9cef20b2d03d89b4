"""One line of results: one way to outline one slice."""

from dataclasses import dataclass

from pipeline.evaluation.lines import read_line, write_line

Key = tuple[str, int, int, str, str]
"""Split, seed, slice, way and weights: what makes a result unique."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineRecord:
    """Figures of one answer; NaN where a figure does not exist for it."""

    split: str
    seed: int
    index: int
    """Of the slice, from base to apex."""
    breathing: str
    motion: str
    way: str
    """`network`, `bolus`, or `segment`: what an analysis gets."""
    weights: str
    """First digits of the hash of the network; empty without one."""
    method: str
    """What gave the answer; empty when there was none."""
    spacing_mm: float
    wall_mm: float
    """True mean thickness of the wall."""
    expected: float
    """What the answer thinks of itself."""
    dice_myocardium: float
    """0 without an answer, like the others."""
    dice_left_ventricle: float
    dice_right_ventricle: float
    """NaN where there is none."""
    contour_mm: float
    """Mean distance of endocardium and epicardium from the true ones."""
    insertion_deg: float
    """Larger error of both insertions; NaN where none is true, or none found."""
    has_septum: bool
    """Whether there are true insertions."""
    cpu_s: float

    @property
    def key(self) -> Key:
        """What no other result shares."""
        return (self.split, self.seed, self.index, self.way, self.weights)


def to_line(record: OutlineRecord) -> str:
    """Return a record as one line of JSON; NaN becomes null."""
    return write_line(record, n_decimals=12)


def from_line(line: str) -> OutlineRecord:
    """Read a record back.

    Raises
    ------
    ValueError
        When the line is not a record of this version.

    """
    return read_line(OutlineRecord, line)
