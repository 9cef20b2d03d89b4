"""What an exam lacks for quantification."""

from collections.abc import Iterator

from pipeline.findings import Code, Finding, Grade, series_finding
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
    # What serves where there is no such series, `pipeline.arterial` says.
    if series is not None:
        yield from _check_sequence(series, None)


def _check_slice(series: ImageSeries, index: int) -> Iterator[Finding]:
    n_frames = series.frames.shape[0] - series.n_proton_density
    if n_frames < _MIN_FRAMES:
        text = f"only {n_frames} perfusion frames."
        yield series_finding(Code.BOLUS_NOT_COVERED, Grade.REVIEW, text, index)
    yield from _check_sequence(series, index)


def _check_sequence(series: ImageSeries, index: int | None) -> Iterator[Finding]:
    if series.sequence is None:
        text = "the sequence parameters are not known; flow was not computed."
        yield series_finding(Code.UNSUPPORTED_SEQUENCE, Grade.FAIL, text, index)
    elif not series.n_proton_density or series.proton_density is None:
        text = "no proton-density frames; native T1 was assumed for scaling."
        yield series_finding(Code.UNSUPPORTED_SEQUENCE, Grade.REVIEW, text, index)
