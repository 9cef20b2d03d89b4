"""What a reader must know beside the numbers: checks that turn values into findings.

`exam`, `clock` and `frames` look at what arrived, `timing` at the beats, `motion` at the
registration. `heart` gathers what needs the outline of a slice (`field`, `residual`, `dark_rim`,
`residual_contrast`), `agreement` what needs all series (`geometry`, `blood_place`, `resolution`,
`segments`). `arterial_input` and `flow` judge the numbers, `stress` a pair of exams. Thresholds
stand beside their reasons; no check changes a number.
"""

from pipeline.quality.agreement import check_agreement
from pipeline.quality.arterial_input import check_arterial_input
from pipeline.quality.clock import check_clock
from pipeline.quality.exam import check_exam
from pipeline.quality.flow import check_flow
from pipeline.quality.frames import check_frames
from pipeline.quality.heart import check_heart
from pipeline.quality.motion import check_motion
from pipeline.quality.segmentation import check_segmentation
from pipeline.quality.stress import AnalysedExam, check_pair
from pipeline.quality.timing import check_timing

__all__ = [
    "AnalysedExam",
    "check_agreement",
    "check_arterial_input",
    "check_clock",
    "check_exam",
    "check_flow",
    "check_frames",
    "check_heart",
    "check_motion",
    "check_pair",
    "check_segmentation",
    "check_timing",
]
