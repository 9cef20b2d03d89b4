"""From scanner units to gadolinium: the exact signal model, inverted by look-up.

A saturation-recovery frame is divided by the smoothed proton-density image of the same series
(`proton_density`); that ratio depends on concentration only and is looked up in a table of the
signal model (`concentration`). Without proton-density frames the pre-contrast signal takes their
place (`baseline`). The baseline is subtracted after the conversion, so small negative
concentrations are honest noise, and what the table does not cover is NaN.
"""

from pipeline.signal.baseline import bolus_onset, count_pre_contrast
from pipeline.signal.concentration import (
    SignalTable,
    ratio_to_concentration,
    signal_table,
    to_concentration,
)
from pipeline.signal.proton_density import receive_field

__all__ = [
    "SignalTable",
    "bolus_onset",
    "count_pre_contrast",
    "ratio_to_concentration",
    "receive_field",
    "signal_table",
    "to_concentration",
]
