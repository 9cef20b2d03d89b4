"""The four phases of a bolus, in which registration has different work to do."""

from enum import StrEnum

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.phantom import PhantomExam, PhantomSeries

_ARRIVAL_FRACTION = 0.05
"""Gadolinium of the right ventricle, as a fraction of its peak, that tells that the bolus came."""


class Phase(StrEnum):
    """What the frames of a series show."""

    PROTON_DENSITY = "PD"
    PRE_CONTRAST = "pre-contrast"
    BOLUS = "bolus"
    """From arrival in the right ventricle until the left ventricle is brightest."""
    AFTER = "after LV peak"


def phase_masks(exam: PhantomExam, series: PhantomSeries) -> Bool[Tensor, "phase time"]:
    """Tell for each phase, in the order of `Phase`, which frames of a series belong to it.

    Parameters
    ----------
    exam
        The exam with the true concentrations of both ventricles.
    series
        One of its series.

    """
    right = exam.truth.right_ventricle_mmol_l
    arrival_s = exam.arterial_time_s[
        int(torch.gt(right, _ARRIVAL_FRACTION * right.max()).nonzero()[0])
    ]
    peak_s = exam.arterial_time_s[int(exam.arterial_concentration_mmol_l.argmax())]
    return split_phases(
        series.time_s,
        n_proton_density=series.n_proton_density,
        arrival_s=float(arrival_s),
        peak_s=float(peak_s),
    )


def split_phases(
    time_s: Float[Tensor, " time"], *, n_proton_density: int, arrival_s: float, peak_s: float
) -> Bool[Tensor, "phase time"]:
    """Split frames by their times; every frame belongs to one phase.

    Parameters
    ----------
    time_s
        Acquisition time of each frame, s.
    n_proton_density
        Frames at the start without saturation pulse.
    arrival_s, peak_s
        When the bolus reaches the right ventricle, and when the left one is brightest, s.

    """
    is_proton = torch.arange(len(time_s)) < n_proton_density
    is_before = ~is_proton & (time_s < arrival_s)
    is_after = ~is_proton & (time_s > peak_s)
    return torch.stack([is_proton, is_before, ~(is_proton | is_before | is_after), is_after])
