"""Where the heart is, and which of its pixels are muscle.

`locate_heart` works on a moving series (`heart`); `segment` outlines the left ventricle in a
corrected one: `blood` tells the ventricles apart by the arrival of the bolus, `polar` finds closed
contours around a centre, `myocardium` joins them to masks.
"""

from pipeline.segment.heart import HeartRegion, locate_heart
from pipeline.segment.myocardium import segment

__all__ = ["HeartRegion", "locate_heart", "segment"]
