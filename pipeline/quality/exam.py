"""What an exam lacks for quantification."""

from collections.abc import Iterator

from pipeline.findings import Code, Finding, Grade
from pipeline.types import Exam, ImageSeries, PatientState

_MIN_SLICES = 3
_MIN_FRAMES = 40


def check_exam(exam: Exam) -> tuple[Finding, ...]:
    """Return what is missing in an exam: slices, frames, state, series, parameters."""
    return tuple(_findings(exam))


def _findings(exam: Exam) -> Iterator[Finding]:
    if exam.state is PatientState.UNKNOWN:
        yield Finding(
            code=Code.STATE_MISSING,
            grade=Grade.NOTE,
            text="The series do not tell whether this is stress or rest.",
        )
    if not exam.slices:
        yield Finding(
            code=Code.NO_PERFUSION_SERIES, grade=Grade.FAIL, text="No perfusion slice was found."
        )
    elif len(exam.slices) < _MIN_SLICES:
        yield Finding(
            code=Code.FEW_SLICES,
            grade=Grade.REVIEW,
            text=f"Only {len(exam.slices)} of {_MIN_SLICES} slices were found.",
        )
    yield from _check_arterial_series(exam.arterial_input)
    for index, series in enumerate(exam.slices):
        yield from _check_slice(series, index)


def _check_arterial_series(series: ImageSeries | None) -> Iterator[Finding]:
    if series is None:
        yield Finding(
            code=Code.NO_ARTERIAL_INPUT,
            grade=Grade.FAIL,
            text="No arterial input series was found; flow was not computed.",
        )
        return
    yield from _check_sequence(series, "The arterial input series", None)


def _check_slice(series: ImageSeries, index: int) -> Iterator[Finding]:
    name = f"Slice {index + 1}"
    n_frames = series.frames.shape[0] - series.n_proton_density
    if n_frames < _MIN_FRAMES:
        yield Finding(
            code=Code.BOLUS_NOT_COVERED,
            grade=Grade.REVIEW,
            text=f"{name} has only {n_frames} perfusion frames.",
            slice_index=index,
        )
    yield from _check_sequence(series, name, index)


def _check_sequence(series: ImageSeries, name: str, index: int | None) -> Iterator[Finding]:
    if series.sequence is None:
        yield Finding(
            code=Code.UNSUPPORTED_SEQUENCE,
            grade=Grade.FAIL,
            text=f"{name}: the sequence parameters are not known; flow was not computed.",
            slice_index=index,
        )
    elif not series.n_proton_density or series.proton_density is None:
        yield Finding(
            code=Code.UNSUPPORTED_SEQUENCE,
            grade=Grade.REVIEW,
            text=f"{name} has no proton-density frames; native T1 was assumed for scaling.",
            slice_index=index,
        )
