"""Measured flow against the truth of the phantom, slice by slice."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.phantom import PhantomExam, PhantomSeries
from pipeline.motion import warp

MAX_MEDIAN_ERROR_FRACTION = 0.15
"""Largest median absolute pixel error of a slice that passes."""
MIN_VALID_FRACTION = 0.8
"""Smallest share of myocardial pixels that must carry a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredMap:
    """A flow map as it came back, with the beat whose geometry it shows."""

    flow_ml_min_g: Float[Tensor, "row column"]
    """NaN where the map says nothing."""
    time_s: float
    """Time of that beat on the clock of the phantom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceAccuracy:
    """Truth and measurement in the myocardium of one slice."""

    slice_index: int
    true_ml_min_g: float
    measured_ml_min_g: float
    median_error_fraction: float
    """Median over pixels of |measured - true| / true."""
    valid_fraction: float

    @property
    def bias_fraction(self) -> float:
        """Error of the mean."""
        return self.measured_ml_min_g / self.true_ml_min_g - 1.0

    @property
    def is_accurate(self) -> bool:
        """Whether the slice agrees with the truth."""
        return (
            self.median_error_fraction <= MAX_MEDIAN_ERROR_FRACTION
            and self.valid_fraction >= MIN_VALID_FRACTION
        )


def compare(maps: Sequence[MeasuredMap], exam: PhantomExam) -> tuple[SliceAccuracy, ...]:
    """Compare maps with the truth of the exam they were made from.

    Parameters
    ----------
    maps
        Flow maps in any order; each is matched to slice and beat by its time.
    exam
        The phantom with its truth.

    Returns
    -------
    One entry per map, by slice.

    """
    rows = [_compare_one(measured, exam) for measured in maps]
    return tuple(sorted(rows, key=lambda row: row.slice_index))


def _compare_one(measured: MeasuredMap, exam: PhantomExam) -> SliceAccuracy:
    slice_index, frame = _find_beat(measured.time_s, exam.slices)
    truth = exam.slices[slice_index].truth
    # The map shows the heart where it was in that beat; bring it to the truth's position.
    found = _in_reference(measured.flow_ml_min_g, truth.displacement[frame])
    inside = truth.reference_myocardium & truth.flow_ml_min_g.isfinite()
    valid = inside & found.isfinite()
    return _summarise(slice_index, truth.flow_ml_min_g, found, inside=inside, valid=valid)


def _summarise(
    slice_index: int,
    true: Float[Tensor, "row column"],
    found: Float[Tensor, "row column"],
    *,
    inside: Bool[Tensor, "row column"],
    valid: Bool[Tensor, "row column"],
) -> SliceAccuracy:
    error = (found[valid] - true[valid]).abs() / true[valid]
    return SliceAccuracy(
        slice_index=slice_index,
        true_ml_min_g=float(true[valid].mean()),
        measured_ml_min_g=float(found[valid].mean()),
        median_error_fraction=float(error.median()) if error.numel() else float("inf"),
        valid_fraction=float(valid.sum() / inside.sum().clamp(min=1)),
    )


def _find_beat(time_s: float, slices: Sequence[PhantomSeries]) -> tuple[int, int]:
    """Return slice and frame whose acquisition time is nearest."""
    gaps = [(series.time_s - time_s).abs() for series in slices]
    slice_index = min(range(len(slices)), key=lambda index: float(gaps[index].min()))
    return slice_index, int(gaps[slice_index].argmin())


def _in_reference(
    flow_ml_min_g: Float[Tensor, "row column"],
    displacement: Float[Tensor, "axis row column"],
) -> Float[Tensor, "row column"]:
    """Resample a map; a pixel next to an unknown one stays unknown only if mostly unknown."""
    known = flow_ml_min_g.isfinite()
    weight = warp(known.float()[None], displacement[None])[0]
    value = warp(flow_ml_min_g.nan_to_num()[None], displacement[None])[0]
    return torch.where(weight > 0.5, value / weight.clamp(min=0.5), torch.nan)
