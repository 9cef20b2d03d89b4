"""Why no bolus run can be made of some series: the code and the sentence that say it."""

from collections.abc import Iterator, Sequence

from node.errors import UnusableStudyError
from node.translate.series import Series
from node.translate.stacks import MIN_BEATS, alike
from pipeline.findings import Code, Finding, Grade

_FEW_FRACTION = 0.1
"""Images of other planes in a series that may be left out; more of them mean a mixed series."""


def no_run(series: Sequence[Series]) -> UnusableStudyError:
    """Return what is wrong with the series that should have been a bolus run."""
    named = [item for item in series if item.is_named]
    short = [item for item in named if not item.full_stacks]
    mixed = next((item for item in short if _mixes_geometry(item)), None)
    if mixed is not None:
        return _mixed_geometry(mixed)
    if any(item.n_without_place for item in short):
        text = "The perfusion images have no usable position, orientation or pixel spacing."
        return UnusableStudyError(Code.INCOMPLETE_TRANSFER, text)
    if short:
        most = max(len(stack.frames) for item in short for stack in item.stacks)
        text = f"The perfusion series have at most {most} images per slice; {MIN_BEATS} are needed."
        return UnusableStudyError(Code.BOLUS_NOT_COVERED, text)
    if named:
        text = "Only an arterial-input series was received, no perfusion slices."
        return UnusableStudyError(Code.NO_PERFUSION_SERIES, text)
    return UnusableStudyError(Code.NO_PERFUSION_SERIES, "No perfusion series was found.")


def note_mixed(series: Sequence[Series]) -> Iterator[Finding]:
    """Report series that would have been a run, had their planes not changed between images."""
    for item in series:
        if item.is_named and not item.full_stacks and _mixes_geometry(item):
            error = _mixed_geometry(item)
            yield Finding(code=error.code, grade=Grade.FAIL, text=error.text)


def check_geometry(series: Series) -> Iterator[Finding]:
    """Report images of a series that cannot be used.

    Raises
    ------
    UnusableStudyError
        The planes of the series change between beats.

    """
    if series.n_without_place:
        yield _left_out(
            f"{series.n_without_place} images of series {series.number} have no usable "
            "position and were left out."
        )
    short = [stack for stack in series.stacks if not stack.is_full]
    strange = [
        stack for stack in short if not any(alike(stack, full) for full in series.full_stacks)
    ]
    n_strange = sum(len(stack.frames) for stack in strange)
    if n_strange > _FEW_FRACTION * len(series.frames):
        raise _mixed_geometry(series)
    if n_strange:
        yield _left_out(
            f"{n_strange} images of series {series.number} lie in another plane or have another "
            "matrix and were left out."
        )
    for stack in short:
        if stack not in strange:
            yield _left_out(
                f"A slice of series {series.number} has only {len(stack.frames)} images "
                "and was left out."
            )


def _left_out(text: str) -> Finding:
    return Finding(code=Code.INCOMPLETE_TRANSFER, grade=Grade.REVIEW, text=text)


def _mixes_geometry(series: Series) -> bool:
    """Whether a series without a full slice has many images that lie in different planes."""
    return len(series.frames) >= MIN_BEATS and any(
        not alike(stack, series.stacks[0]) for stack in series.stacks
    )


def _mixed_geometry(series: Series) -> UnusableStudyError:
    return UnusableStudyError(
        Code.FEW_SLICES,
        f"Series {series.number} mixes image geometries: orientation, matrix or pixel size "
        "changes between images.",
    )
