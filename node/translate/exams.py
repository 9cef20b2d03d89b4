"""What decoding hands out: identity-free exams, each beside the headers it came from."""

from dataclasses import dataclass

from pydicom.dataset import Dataset

from node.translate.account import ExamAccount, StudyAccount
from pipeline.findings import Finding
from pipeline.types import Exam


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Pixel-free headers in order of time, for the identity of the results.

    Each reads like the header of a classic image. That of a frame of a multi-frame object names
    the object by its SOP Instance UID, and the frame by Referenced Frame Number.
    """

    slices: tuple[tuple[Dataset, ...], ...]
    """Slices in the order of the exam."""
    arterial_input: tuple[Dataset, ...]
    """Empty when there is none."""
    second_echo: tuple[Dataset, ...] = ()
    """Of the arterial input; empty when one echo was read."""

    @property
    def all(self) -> tuple[Dataset, ...]:
        """Every header of the exam."""
        groups = (*self.slices, self.arterial_input, self.second_echo)
        return tuple(header for group in groups for header in group)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedExam:
    """One bolus run: what is computed with, and where it came from."""

    exam: Exam
    sources: Sources
    account: ExamAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedStudy:
    """All bolus runs of a study, in order of time, and what was noticed on the way."""

    exams: tuple[DecodedExam, ...]
    findings: tuple[Finding, ...]
    account: StudyAccount
