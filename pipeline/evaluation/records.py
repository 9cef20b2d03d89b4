"""One line of results: one method on one series."""

from dataclasses import dataclass

from pipeline.evaluation.cases import ARTERIAL_INPUT
from pipeline.evaluation.lines import read_line, write_line

Key = tuple[str, int, str, str, str]
"""Split, seed, series, method and weights: what makes a result unique."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Figures of one method on one series; NaN where a figure does not exist for it."""

    split: str
    seed: int
    breathing: str
    series: str
    method: str
    weights: str
    """Label of the trained weights; empty for the shipped ones."""
    chosen: str
    reference: int
    n_frames: int
    spacing_mm: float
    dice: float
    """Overlap of the wall with that of the reference frame, mean over frames."""
    dice_worst: float
    """Of the worst frame."""
    dice_consensus: float
    dice_consensus_worst: float
    dice_pixels: float
    """As `dice`, with masks of the image's own pixels; even the true field does not reach 1."""
    error_mm: float
    """Target registration error, mean over saturation-recovery frames."""
    error_p95_mm: float
    """95th percentile over those frames."""
    error_in_plane_mm: float
    """Mean over those frames in which the heart stays in the slice."""
    consensus_error_mm: float
    consensus_error_p95_mm: float
    phase_error_mm: tuple[float, ...]
    """Mean per phase, in the order of `Phase`."""
    phase_consensus_error_mm: tuple[float, ...]
    roughness: float
    """Second difference of the curves of six segments over their span."""
    sharpness: float
    """Mean gradient of the mean image around the heart, over that without motion."""
    curve_error: float
    """RMS difference of the curves from those without motion, over their span."""
    flow_error_ml_min_g: float
    """Median over pixels of the difference of the flow map from the one without motion."""
    flow_rms_error_ml_min_g: float
    folded_fraction: float
    n_through_plane: int
    """Frames whose heart left the slice by more than half its thickness."""
    n_marked: int
    """Frames that the method marked as such."""
    n_marked_rightly: int
    cpu_s: float
    wall_s: float

    @property
    def key(self) -> Key:
        """What no other result shares."""
        return (self.split, self.seed, self.series, self.method, self.weights)

    @property
    def label(self) -> str:
        """Method, with its weights where they are not the shipped ones."""
        return f"{self.method} ({self.weights})" if self.weights else self.method

    @property
    def is_arterial(self) -> bool:
        """Whether the series is the arterial input."""
        return self.series == ARTERIAL_INPUT


def to_line(record: Record) -> str:
    """Return a record as one line of JSON; NaN becomes null."""
    return write_line(record, n_decimals=6)


def from_line(line: str) -> Record:
    """Read a record back.

    Raises
    ------
    ValueError
        When the line is not a record of this version.

    """
    return read_line(Record, line)
