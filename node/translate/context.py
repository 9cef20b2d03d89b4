"""What every encoder of one exam is told."""

from dataclasses import dataclass, field

from pydicom.dataset import Dataset

from node.settings import ResultsSettings
from node.translate.exams import DecodedExam
from node.translate.results import RunStamp
from node.translate.values import number_of, source_key
from pipeline.types import Analysis


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultContext:
    """One exam, its analysis, and who computed it with which labels."""

    decoded: DecodedExam
    analysis: Analysis
    run: RunStamp
    settings: ResultsSettings

    key: str = field(init=False)
    """Digest of everything the exam was made from: what its identifiers follow from."""

    def __post_init__(self) -> None:
        key = self.run.key(*(source_key(header) for header in self.decoded.sources.all))
        object.__setattr__(self, "key", key)

    @property
    def numbering(self) -> Dataset:
        """The slice header with the smallest series number: it numbers shared series."""
        # The first frames may be of a proton-density series, the last ones never are.
        last_frames = [sources[-1] for sources in self.decoded.sources.slices]
        return min(last_frames, key=lambda header: number_of(header, "SeriesNumber") or 0)

    def shown(self, position: int) -> Dataset:
        """Return the header of the beat whose geometry the maps of a slice have."""
        reference = self.analysis.slices[position].motion.reference
        return self.decoded.sources.slices[position][reference]
