"""One line of results: one pair of exams, one way."""

from dataclasses import dataclass
from enum import StrEnum

from pipeline.evaluation.lines import read_line, write_line

Numbers = tuple[float, ...]
Key = tuple[int, str]
"""Seed and way: what makes a result unique."""


class Way(StrEnum):
    """What is true and what is found."""

    TRUE = "true walls, true flow"
    """Still images: what carrying rest onto stress costs."""
    OUTLINED = "found walls, true flow"
    """After motion correction: the same with walls that a network outlined."""
    ANALYSED = "as analysed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveRecord:
    """Figures of one pair; NaN where a figure does not exist for it."""

    seed: int
    way: str
    n_maps: int
    """Of as many as there are slices."""
    overlap_dice: Numbers
    """Of each map."""
    place_error_mm: Numbers
    """Median and 95th percentile over the wall: how far from its muscle a pixel is looked up."""
    segment_true: Numbers
    """True reserve of each segment, ratio of mean flows."""
    segment_found: Numbers
    segment_standard_error: Numbers
    pixel_median_error: float
    """Median over the true wall of |found - true| / true."""
    pixel_median_bias: float
    pixel_known: float
    """Share of the true wall with a number."""
    wrong_dice: Numbers
    """Overlap of each wall under stress with each wall at rest of another level."""
    n_wrong_refused: int
    """How many of these pairs the walls alone give away."""

    @property
    def key(self) -> Key:
        """What no other result shares."""
        return self.seed, self.way


def to_line(record: ReserveRecord) -> str:
    """Return a record as one line of JSON; NaN becomes null."""
    return write_line(record, n_decimals=6)


def from_line(line: str) -> ReserveRecord:
    """Read a record back.

    Raises
    ------
    ValueError
        When the line is not a record of this version.

    """
    return read_line(ReserveRecord, line)
