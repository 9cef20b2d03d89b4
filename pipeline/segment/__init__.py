"""Where the heart is, and which of its pixels are muscle.

`locate_heart` finds the bolus in a moving series (`heart`), `find_heart` the left ventricle
(`whereabouts`); `segment` outlines the left ventricle in a corrected one (`outline`): by the
network (`network`, which looks at a `square` in all `orientations`, `neighbours`, `sanity`,
`refine`, `trust`) or by the bolus alone (`bolus`): `blood` tells the ventricles apart by the
arrival of contrast, `polar` finds closed contours around a centre. `divide_exam` numbers the wall:
`wall` traces its borders, `insertions` finds the septum, `levels` the base and the apex, `sectors`
the AHA segments and both halves.
"""

from pipeline.segment.heart import HeartRegion, locate_heart
from pipeline.segment.levels import slice_levels
from pipeline.segment.outline import SAME_HEART_MM, segment
from pipeline.segment.sectors import divide, divide_exam
from pipeline.segment.whereabouts import find_heart

__all__ = [
    "SAME_HEART_MM",
    "HeartRegion",
    "divide",
    "divide_exam",
    "find_heart",
    "locate_heart",
    "segment",
    "slice_levels",
]
