"""Stress beside rest: perfusion reserve, pixel by pixel and for regions.

Myocardial perfusion reserve (MPR) is the ratio of flow under stress to flow at rest. Both were
measured in breath-holds of their own, minutes apart, so nothing lies on the same pixel:

    slices -> pairs that cut the same muscle       `match`, by place along the normal
    walls  -> pixel of rest for a pixel of stress  `align`, by angle and depth in the wall
    maps   -> rest carried onto stress, their ratio `compare`
    regions -> ratio of mean flows and its error    `ratios`

A wrong map is worse than none: a pair of slices that do not pass every gate has no map, takes part
in no number, and has a finding that says why.
"""

from pipeline.reserve.compare import compare_states
from pipeline.reserve.result import RegionReserve, Reserve, ReserveMap

__all__ = ["RegionReserve", "Reserve", "ReserveMap", "compare_states"]
