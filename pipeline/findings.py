"""What a reader of the result must know: code, grade, one sentence, one action.

Findings never change a number; they stand beside it.
"""

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
}


class Grade(IntEnum):
    """How much a finding weighs; the grade of a result is its worst finding."""

    NOTE = 0
    REVIEW = 1
    FAIL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was noticed."""

    code: Code
    grade: Grade
    text: str
    slice_index: int | None = None

    @property
    def action(self) -> str:
        """What the reader can do about it."""
        return ACTIONS[self.code]
