"""What a scanner knows of one image and of its series before it writes a header."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from models.phantom import PhantomExam, PhantomSeries
from models.physics import Readout
from node.scanner.plane import ImagePlane
from node.scanner.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedSeries:
    """What is the same for all images of one series."""

    session: Session
    exam: PhantomExam
    description: str
    number: int
    identity: tuple[str, ...]
    """What the identifiers of the series follow from."""
    beats: range
    """Beats of the exam that are in this series."""
    is_proton_density: bool
    """The series holds nothing but proton-density frames."""
    declares_beats: bool
    """Write the number of temporal positions."""

    @property
    def started(self) -> datetime:
        """When the bolus run began, local time."""
        return self.session.bolus_started(self.exam.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedImage:
    """One image of a series."""

    series: ScannedSeries
    phantom: PhantomSeries
    """The slice, or the arterial input, that it is of."""
    plane: ImagePlane
    beat: int
    stack: int
    """Which slice or echo of the beat, counted from 0."""
    instance: int
    """Instance number in the order of acquisition."""

    @property
    def time_s(self) -> float:
        """Centre of k-space on the clock of the exam, s."""
        return float(self.phantom.time_s[self.beat])

    @property
    def acquired(self) -> datetime:
        """Centre of k-space, local time."""
        return self.series.started + timedelta(microseconds=round(self.time_s * 1e6))

    @property
    def interval_s(self) -> float:
        """Duration of the beat, s."""
        intervals = self.series.exam.rr_interval_s
        return float(intervals[min(self.beat, intervals.shape[0] - 1)])

    @property
    def readout(self) -> Readout:
        """The readout that the header tells: one for a whole series."""
        is_reference = self.series.is_proton_density
        return self.phantom.proton_density if is_reference else self.phantom.sequence.readout

    @property
    def magnitude(self) -> NDArray[np.float32]:
        """Pixels, arbitrary units. Shape `(row, column)`."""
        return np.asarray(self.phantom.frames[self.beat], dtype=np.float32)
