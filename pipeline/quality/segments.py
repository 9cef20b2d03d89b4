"""Segments whose number is missing or only says "at least": too few or too many clipped pixels."""

from collections.abc import Iterator

from jaxtyping import Bool
from torch import Tensor

from pipeline.findings import Code, Finding, Grade, series_finding
from pipeline.measure import MIN_VALID_FRACTION
from pipeline.regions import SliceSectors
from pipeline.types import FlowMap

_CLIPPED_FRACTION = 0.2
"""Share of a segment at a bound of the fit from which its mean is that of the bound."""


def check_segments(flow: FlowMap, *, sectors: SliceSectors, index: int) -> tuple[Finding, ...]:
    """Return findings on segments of a slice that are grey, or clipped.

    Parameters
    ----------
    flow
        The map of the slice.
    sectors
        Its segments.
    index
        Which slice it is.

    """
    known = flow.flow_ml_min_g.isfinite()
    missing = [name for name, share in _shares(sectors, known) if share < MIN_VALID_FRACTION]
    clipped = [
        name
        for name, share in _shares(sectors, _clipped(flow) & known)
        if share > _CLIPPED_FRACTION and name not in missing
    ]
    return tuple(
        series_finding(Code.MAP_IMPLAUSIBLE, Grade.REVIEW, text, index)
        for text in _texts(missing, clipped)
    )


def _texts(missing: list[int], clipped: list[int]) -> Iterator[str]:
    if missing:
        yield f"less than half of {_named(missing)} has a flow; shown without a number."
    if clipped:
        yield f"{_CLIPPED_FRACTION:.0%} or more of {_named(clipped)} is at a bound of the fit."


def _named(segments: list[int]) -> str:
    word = "segment" if len(segments) == 1 else "segments"
    return f"{word} {', '.join(str(number) for number in segments)}"


def _shares(
    sectors: SliceSectors, chosen: Bool[Tensor, "row column"]
) -> Iterator[tuple[int, float]]:
    for number in sorted(set(sectors.segment.flatten().tolist()) - {0}):
        yield number, float(chosen[sectors.segment == number].double().mean())


def _clipped(flow: FlowMap) -> Bool[Tensor, "row column"]:
    return flow.flow_ml_min_g.isinf() if flow.at_bound is None else flow.at_bound
