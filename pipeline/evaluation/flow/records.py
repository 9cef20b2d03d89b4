"""One line of results: one exam, moving or still, with one tissue model."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pipeline.evaluation.lines import read_line, write_line

Key = tuple[str, str, str, str, int, str, str]
"""Split, group, factor, level, seed, motion and model: what makes a result unique."""
Numbers = tuple[float, ...]


class Motion(StrEnum):
    """What the analysis was given."""

    CORRECTED = "corrected"
    """Moving images, motion corrected by `auto`."""
    STILL = "still"
    """Images without motion, with noise: the floor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRecord:
    """Figures of one analysis; NaN where a figure does not exist for it.

    Flow in ml/min/g. `segment_` is by true AHA-like segment over the true wall, `region_` by what
    the analysis itself calls a segment, `sector_` by true sector as wide as the defect.
    """

    split: str
    group: str
    factor: str
    level: str
    seed: int
    motion: str
    model: str
    tissue: str
    signal_to_noise: float
    codes: tuple[str, ...]
    """Of the findings that fail something."""
    n_slices: int
    n_mapped: int
    """Slices with a flow map."""
    segment_true: Numbers
    segment_found: Numbers
    """NaN where less than half of the segment has a number."""
    region_true: Numbers
    region_found: Numbers
    region_standard_error: Numbers
    sector_defect_share: Numbers
    sector_relative_flow: Numbers
    """Mean flow over the median of the wall of the same slice."""
    pixel_auc: float
    """Probability that a pixel of the defect has less flow than one outside it."""
    n_pixels: int
    """Of the true wall in slices with a map."""
    n_known: int
    """Of these, with a number."""
    pixel_median_error: float
    """Median of |found - true| / true."""
    core_median_error: float
    """The same without the outermost pixels of the wall."""
    pixel_median_bias: float
    """Median of (found - true) / true."""
    n_with_error: int
    """Pixels with a standard error that are not at a bound."""
    n_within_68: int
    n_within_95: int
    blood_volume_error: float
    """Median relative error over the core of the wall, and likewise:"""
    interstitial_volume_error: float
    permeability_surface_error: float
    delay_error_s: float
    """Median of found - true."""
    cpu_s: float

    @property
    def key(self) -> Key:
        """What no other result shares."""
        return (
            self.split,
            self.group,
            self.factor,
            self.level,
            self.seed,
            self.motion,
            self.model,
        )


def to_line(record: FlowRecord) -> str:
    """Return a record as one line of JSON; NaN becomes null."""
    return write_line(record, n_decimals=5)


def from_line(line: str) -> FlowRecord:
    """Read a record back.

    Raises
    ------
    ValueError
        When the line is not a record of this version.

    """
    return read_line(FlowRecord, line)


def unique(records: Iterable[FlowRecord]) -> list[FlowRecord]:
    """Keep the later of two results with the same key."""
    return list({record.key: record for record in records}.values())
