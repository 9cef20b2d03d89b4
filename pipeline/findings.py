"""What a reader of the result must know: code, grade, one sentence, one action.

Findings never change a number; they stand beside it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Code(StrEnum):
    """Reason codes shown in PACS and in the status table."""

    NO_PERFUSION_SERIES = "P01"
    STATE_MISSING = "P02"
    FEW_SLICES = "P03"
    BOLUS_NOT_COVERED = "P04"
    NO_ARTERIAL_INPUT = "P05"
    ARTERIAL_INPUT_SATURATED = "P06"
    TIMING_UNREADABLE = "P07"
    MISSED_TRIGGERS = "P08"
    RESIDUAL_MOTION = "P09"
    SEGMENTATION_UNCERTAIN = "P10"
    MAP_IMPLAUSIBLE = "P11"
    UNSUPPORTED_SEQUENCE = "P12"
    INCOMPLETE_TRANSFER = "P13"
    TECHNICAL_ERROR = "P14"
    STRESS_DOUBTFUL = "P15"
    IMAGE_PITFALL = "P16"


ACTIONS: dict[Code, str] = {
    Code.NO_PERFUSION_SERIES: "Check that the perfusion series were sent to this node.",
    Code.STATE_MISSING: "Name the series stress or rest, or set a rule in config.yaml.",
    Code.FEW_SLICES: "Read the available slices; check that all slices were sent.",
    Code.BOLUS_NOT_COVERED: "Check contrast injection and that the series covers the first pass.",
    Code.NO_ARTERIAL_INPUT: "Send the arterial input series, or check its left ventricle.",
    Code.ARTERIAL_INPUT_SATURATED: "Use a shorter saturation time or a lower dose.",
    Code.TIMING_UNREADABLE: "Re-send the series with acquisition times.",
    Code.MISSED_TRIGGERS: "Check the ECG; read the flow map with caution.",
    Code.RESIDUAL_MOTION: "Compare with the original series before reading the map.",
    Code.SEGMENTATION_UNCERTAIN: "Check the contours; draw a region by hand if needed.",
    Code.MAP_IMPLAUSIBLE: "Do not use the numbers; check protocol settings in config.yaml.",
    Code.UNSUPPORTED_SEQUENCE: "Add this protocol to config.yaml (acquisition).",
    Code.INCOMPLETE_TRANSFER: "Re-send the whole study.",
    Code.TECHNICAL_ERROR: "Call support with the study reference on this page.",
    Code.STRESS_DOUBTFUL: "Ask about caffeine and symptoms; low flow may mean no stress.",
    Code.IMAGE_PITFALL: "Look at the images; the pattern can mimic or hide a defect.",
}


class Grade(IntEnum):
    """How much a finding weighs; the grade of a result is its worst finding."""

    NOTE = 0
    REVIEW = 1
    FAIL = 2

    @property
    def word(self) -> str:
        """What the page says of a result whose worst finding this is."""
        return "PASS" if self is Grade.NOTE else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was noticed."""

    code: Code
    grade: Grade
    text: str
    """What was noticed; where it was is told by `slice_index`, not here."""
    slice_index: int | None = None

    @property
    def action(self) -> str:
        """What the reader can do about it."""
        return ACTIONS[self.code]

    @property
    def sentence(self) -> str:
        """The text with the slice it is about."""
        return (
            self.text if self.slice_index is None else f"Slice {self.slice_index + 1}: {self.text}"
        )


def grade_of(findings: Iterable[Finding]) -> Grade:
    """Return the grade of a result: that of its worst finding, a note without any."""
    return max((finding.grade for finding in findings), default=Grade.NOTE)


def series_finding(code: Code, grade: Grade, text: str, index: int | None) -> Finding:
    """Return a finding on a slice, or on the arterial-input series where `index` is None."""
    named = f"Arterial input: {text}" if index is None else text
    return Finding(code=code, grade=grade, text=named, slice_index=index)
