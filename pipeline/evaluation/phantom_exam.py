"""A phantom exam as the analysis receives it, moving or held still."""

import math

from models.networks import SegmentationNetwork
from models.phantom import PhantomExam, PhantomSeries
from pipeline.evaluation.still import noisy_still
from pipeline.hearts import find_hearts
from pipeline.segment import HeartRegion
from pipeline.types import Exam, Geometry, ImageSeries, PatientState, Vector

_TOWARDS_APEX = (0.65, -0.55, -0.52)
"""Left, forward, down."""
_FEET = (0.0, 0.0, -1.0)
_HEART_MM = (18.0, -42.0, 25.0)
"""Middle of the basal slice."""


def exam_of(
    exam: PhantomExam,
    slices: tuple[int, ...],
    *,
    moves: bool,
    has_arterial_series: bool = True,
) -> Exam:
    """Return the exam without its truth.

    Parameters
    ----------
    exam
        The phantom exam.
    slices
        Which slices.
    moves
        False takes what would have been acquired had nothing moved, with noise drawn anew.
    has_arterial_series
        False leaves the arterial-input series out.

    """
    series = [
        *(exam.slices[index] for index in slices),
        exam.arterial_input,
        exam.arterial_input_second_echo,
    ]
    seen = [
        None if each is None else _series(each, moves=moves, seed=100 * exam.seed + place)
        for place, each in enumerate(series)
    ]
    return Exam(
        state=PatientState(exam.state),
        field_strength_t=exam.field_strength_t,
        slices=tuple(each for each in seen[:-2] if each is not None),
        arterial_input=seen[-2] if has_arterial_series else None,
        arterial_second_echo=seen[-1] if has_arterial_series else None,
    )


def hearts_of(
    exam: PhantomExam, network: SegmentationNetwork | None
) -> tuple[HeartRegion | None, ...]:
    """Return where the heart is in every slice, then in the arterial-input series.

    Parameters
    ----------
    exam
        The phantom exam; only its moving images are looked at.
    network
        Finds the heart as an analysis does; None finds nothing.

    """
    seen = exam_of(exam, tuple(range(len(exam.slices))), moves=True)
    series = [*seen.slices, *(each for each in [seen.arterial_input] if each is not None)]
    return (None,) * len(series) if network is None else find_hearts(series, network)


def _series(series: PhantomSeries, *, moves: bool, seed: int) -> ImageSeries:
    return ImageSeries(
        frames=series.frames.float() if moves else noisy_still(series, seed=seed),
        time_s=series.time_s,
        n_proton_density=series.n_proton_density,
        geometry=geometry_of(series),
        sequence=series.sequence,
        proton_density=series.proton_density if series.n_proton_density else None,
    )


def geometry_of(series: PhantomSeries) -> Geometry:
    """Return the short-axis plane of a series: patient's left on the right, feet below."""
    apex = _unit(_TOWARDS_APEX)
    down = _unit(_sum(_FEET, apex, -_dot(_FEET, apex)))
    right = _cross(apex, down)
    middle = _sum(_HEART_MM, apex, series.offset_mm)
    n_rows, n_columns = series.frames.shape[1:]
    above = _sum(middle, down, -0.5 * (n_rows - 1) * series.spacing_mm[0])
    return Geometry(
        spacing_mm=series.spacing_mm,
        thickness_mm=series.thickness_mm,
        origin_mm=_sum(above, right, -0.5 * (n_columns - 1) * series.spacing_mm[1]),
        row_direction=right,
        column_direction=down,
    )


def _unit(vector: Vector) -> Vector:
    length = math.sqrt(_dot(vector, vector))
    return (vector[0] / length, vector[1] / length, vector[2] / length)


def _dot(first: Vector, second: Vector) -> float:
    return sum(a * b for a, b in zip(first, second, strict=True))


def _sum(first: Vector, second: Vector, factor: float) -> Vector:
    x, y, z = (a + factor * b for a, b in zip(first, second, strict=True))
    return (x, y, z)


def _cross(first: Vector, second: Vector) -> Vector:
    (a, b, c), (d, e, f) = first, second
    return (b * f - c * e, c * d - a * f, a * e - b * d)
