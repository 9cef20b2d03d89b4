"""What a reader must know beside the numbers: checks that turn values into findings.

`exam` and `frames` look at what arrived, `timing` at the beats, `motion` at the registration,
`flow` at the arterial input and the map. No check changes a number.
"""

from pipeline.quality.clock import check_clock
from pipeline.quality.exam import check_exam
from pipeline.quality.flow import check_arterial_input, check_flow
from pipeline.quality.frames import check_frames
from pipeline.quality.motion import check_motion
from pipeline.quality.timing import check_timing

__all__ = [
    "check_arterial_input",
    "check_clock",
    "check_exam",
    "check_flow",
    "check_frames",
    "check_motion",
    "check_timing",
]
