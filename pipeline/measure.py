"""Flow of regions: the whole ventricle, levels, territories and segments, inner and outer half.

Within a pixel of a border the signal is not that of muscle alone: blood of the cavity is several
times brighter, fat and lung do not enhance at all. Such a pixel stays on the map but does not enter
a number. Where the wall is too thin for that, the deeper half of the pixels of each half of a
segment is counted, so that none is empty.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pipeline.regions import (
    SEGMENT_NAMES,
    SEGMENTS,
    TERRITORIES,
    FlowStatistics,
    Layer,
    RegionFlow,
    SliceLevel,
    SliceSectors,
)
from pipeline.types import FlowMap, SliceAnalysis

MARGIN_PX = 1.0
"""From both borders: the point spread of an unfiltered image has its first zero here."""
MIN_VALID_FRACTION = 0.5
"""A region with less than this has no number."""
SHARED_FRACTION = 0.05
"""Correlation between the errors of any two pixels of an exam, assumed: of a standard error of
20 % a pixel, 4 to 5 % are shared, the part of the arterial input and of its scale."""
PIXELS_PER_SAMPLE = 4.0
"""Neighbouring pixels that err as one, assumed: images are interpolated by a factor of up to two
in each direction when they are reconstructed, and again when motion is corrected."""

_LEVELS = tuple(SliceLevel)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pixels:
    """Counted pixels of one or more slices."""

    flow: Float[Tensor, " voxel"]
    error: Float[Tensor, " voxel"]
    segment: Int[Tensor, " voxel"]
    level: Int[Tensor, " voxel"]
    is_endocardial: Bool[Tensor, " voxel"]


def measure(slices: Sequence[SliceAnalysis]) -> tuple[RegionFlow, ...]:
    """Measure flow in all regions of an exam.

    Parameters
    ----------
    slices
        Results of the slices in any order, with sectors where the wall is known.

    Returns
    -------
    For the whole ventricle, each level that was imaged, each territory and each segment: whole
    wall, inner half, outer half. Numbers are NaN where less than half of a region has flow; empty
    where no wall is known.

    """
    parts = [
        _counted(result.flow, result.sectors) for result in slices if result.sectors is not None
    ]
    if not parts:
        return ()
    pixels = _Pixels(
        flow=torch.cat([part.flow for part in parts]),
        error=torch.cat([part.error for part in parts]),
        segment=torch.cat([part.segment for part in parts]),
        level=torch.cat([part.level for part in parts]),
        is_endocardial=torch.cat([part.is_endocardial for part in parts]),
    )
    return tuple(
        RegionFlow(
            name=name,
            layer=layer,
            flow=statistics_of(pixels.flow[chosen], pixels.error[chosen]),
            segment=segment,
        )
        for name, segment, is_in in _regions(pixels)
        for layer, chosen in _layers(pixels, is_in)
    )


def counted_pixels(sectors: SliceSectors) -> Bool[Tensor, "row column"]:
    """Return the pixels that stand for muscle.

    Those inside the margin of both borders; of a part of the wall too thin for it, the deeper
    half.
    """
    border, segment = sectors.border_px.cpu(), sectors.segment.cpu()
    wall = border > 0
    core = torch.zeros_like(wall)
    for number in sorted(set(segment[wall].tolist())):
        for is_inner in (True, False):
            part = wall & (segment == number) & (sectors.is_endocardial.cpu() == is_inner)
            if bool(part.any()):
                core |= part & (border >= min(MARGIN_PX, float(border[part].median())))
    return core


def statistics_of(flow: Float[Tensor, " voxel"], error: Float[Tensor, " voxel"]) -> FlowStatistics:
    """Summarise the pixels of a region.

    Parameters
    ----------
    flow
        Flow, ml/min/g; NaN where there is none.
    error
        Standard error of each pixel, ml/min/g; NaN where it is not known.

    Returns
    -------
    FlowStatistics
        The standard error of the mean of n pixels, of which a shared fraction r errs together and
        the rest in groups of m neighbours, is

            se² = r mean(error)² + (1 - r) mean(error²) / max(1, n / m)

        with r = `SHARED_FRACTION`, m = `PIXELS_PER_SAMPLE`. It is the variance of a mean of
        equally correlated values (Kish 1965, Survey Sampling) with the samples counted that
        are independent. Without errors of pixels, their spread takes that place.

    """
    known = flow[flow.isfinite()]
    valid_fraction = len(known) / len(flow) if len(flow) else 0.0
    if len(known) == 0 or valid_fraction < MIN_VALID_FRACTION:
        nan = float("nan")
        return FlowStatistics(
            mean_ml_min_g=nan,
            median_ml_min_g=nan,
            sd_ml_min_g=nan,
            standard_error_ml_min_g=nan,
            n_pixels=len(known),
            valid_fraction=valid_fraction,
        )
    spread = float(known.std(correction=0))
    return FlowStatistics(
        mean_ml_min_g=float(known.mean()),
        median_ml_min_g=float(known.quantile(0.5)),
        sd_ml_min_g=spread,
        standard_error_ml_min_g=_error_of_mean(error[flow.isfinite()], len(known), spread),
        n_pixels=len(known),
        valid_fraction=valid_fraction,
    )


def _error_of_mean(error: Float[Tensor, " voxel"], n_pixels: int, spread: float) -> float:
    n_samples = max(1.0, n_pixels / PIXELS_PER_SAMPLE)
    known = error[error.isfinite()]
    if len(known) == 0:
        return float(spread / n_samples**0.5)
    shared = float(known.mean()) ** 2
    own = float(known.square().mean())
    return float((SHARED_FRACTION * shared + (1 - SHARED_FRACTION) * own / n_samples) ** 0.5)


def _counted(flow: FlowMap | None, sectors: SliceSectors) -> _Pixels:
    """Return the pixels of one slice that are not cut by a border of the wall."""
    core = counted_pixels(sectors)
    unknown = torch.full(core.shape, float("nan"), dtype=torch.float64)
    error = None if flow is None else flow.standard_error_ml_min_g
    level = _LEVELS.index(sectors.level)
    return _Pixels(
        flow=(unknown if flow is None else flow.flow_ml_min_g.double().cpu())[core],
        error=(unknown if error is None else error.double().cpu())[core],
        segment=sectors.segment.cpu()[core],
        level=torch.full((int(core.sum()),), level),
        is_endocardial=sectors.is_endocardial.cpu()[core],
    )


def _regions(pixels: _Pixels) -> Iterator[tuple[str, int | None, Bool[Tensor, " voxel"]]]:
    """Yield name, AHA number and pixels of each region."""
    yield "global", None, torch.ones_like(pixels.is_endocardial)
    levels = [level for level in _LEVELS if _LEVELS.index(level) in pixels.level]
    for level in levels:
        yield level.value, None, pixels.level == _LEVELS.index(level)
    if not bool((pixels.segment > 0).any()):
        return
    for territory, numbers in TERRITORIES.items():
        yield territory.value, None, torch.isin(pixels.segment, torch.tensor(numbers))
    for number in (number for level in levels for number in SEGMENTS[level]):
        yield SEGMENT_NAMES[number], number, pixels.segment == number


def _layers(
    pixels: _Pixels, is_in: Bool[Tensor, " voxel"]
) -> Iterator[tuple[Layer, Bool[Tensor, " voxel"]]]:
    yield Layer.WHOLE, is_in
    yield Layer.ENDOCARDIAL, is_in & pixels.is_endocardial
    yield Layer.EPICARDIAL, is_in & ~pixels.is_endocardial
