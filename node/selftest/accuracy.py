"""Measured flow against the truth of the phantom, slice by slice."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.phantom import PhantomExam, PhantomSeries
from pipeline.motion import warp

MAX_MEDIAN_ERROR_FRACTION = 0.15
"""Largest median absolute pixel error of an exam that passes."""
MAX_SLICE_ERROR_FRACTION = 0.20
"""Largest error of the median flow of a slice that passes."""
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
    """Truth and measurement in the myocardium of one slice, its rim included."""

    slice_index: int
    true_ml_min_g: float
    """Median over pixels."""
    measured_ml_min_g: float
    """Median over the same pixels."""
    error_fraction: Float[Tensor, " voxel"]
    """|measured - true| / true of each pixel that has a number."""
    valid_fraction: float

    @property
    def bias_fraction(self) -> float:
        """Error of the median flow."""
        return self.measured_ml_min_g / self.true_ml_min_g - 1.0

    @property
    def median_error_fraction(self) -> float:
        """Median over pixels of |measured - true| / true."""
        return _median(self.error_fraction)

    @property
    def is_accurate(self) -> bool:
        """Whether the median flow of the slice agrees with the truth."""
        return (
            abs(self.bias_fraction) <= MAX_SLICE_ERROR_FRACTION
            and self.valid_fraction >= MIN_VALID_FRACTION
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamAccuracy:
    """Truth and measurement of a whole exam."""

    slices: tuple[SliceAccuracy, ...]

    @property
    def median_error_fraction(self) -> float:
        """Median over the pixels of all slices of |measured - true| / true."""
        return _median(torch.cat([row.error_fraction for row in self.slices] or [torch.empty(0)]))

    @property
    def is_accurate(self) -> bool:
        """Whether there are slices, each agrees, and pixels agree over all of them."""
        return (
            bool(self.slices)
            and all(row.is_accurate for row in self.slices)
            and self.median_error_fraction <= MAX_MEDIAN_ERROR_FRACTION
        )


def compare(maps: Sequence[MeasuredMap], exam: PhantomExam) -> ExamAccuracy:
    """Compare maps with the truth of the exam they were made from.

    Parameters
    ----------
    maps
        Flow maps in any order; each is matched to slice and beat by its time.
    exam
        The phantom with its truth.

    Returns
    -------
    The slices in order, one per map.

    """
    rows = [_compare_one(measured, exam) for measured in maps]
    return ExamAccuracy(slices=tuple(sorted(rows, key=lambda row: row.slice_index)))


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
    return SliceAccuracy(
        slice_index=slice_index,
        true_ml_min_g=_median(true[valid]),
        measured_ml_min_g=_median(found[valid]),
        error_fraction=(found[valid] - true[valid]).abs() / true[valid],
        valid_fraction=float(valid.sum() / inside.sum().clamp(min=1)),
    )


def _median(values: Float[Tensor, " voxel"]) -> float:
    """Return the median; nothing known counts as infinitely wrong."""
    return float(values.median()) if values.numel() else float("inf")


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
