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
"""Correlation between what the noise of any two pixels of an exam does to them, assumed: the
arterial input and the arrival that they are fitted with are noisy too."""
PIXELS_PER_SAMPLE = 4.0
"""Neighbouring pixels that err as one, assumed: images are interpolated by a factor of up to two
in each direction when they are reconstructed, and again when motion is corrected."""

_LEVELS = tuple(SliceLevel)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pixels:
    """Counted pixels of one or more slices."""

    flow: Float[Tensor, " voxel"]
    error: Float[Tensor, " voxel"]
    systematic: Float[Tensor, " voxel"]
    """Part of `error` that the whole exam shares, ml/min/g."""
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
        systematic=torch.cat([part.systematic for part in parts]),
        segment=torch.cat([part.segment for part in parts]),
        level=torch.cat([part.level for part in parts]),
        is_endocardial=torch.cat([part.is_endocardial for part in parts]),
    )
    return tuple(
        RegionFlow(
            name=name,
            layer=layer,
            flow=statistics_of(
                pixels.flow[chosen], pixels.error[chosen], pixels.systematic[chosen]
            ),
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


def statistics_of(
    flow: Float[Tensor, " voxel"],
    error: Float[Tensor, " voxel"],
    systematic: Float[Tensor, " voxel"],
) -> FlowStatistics:
    """Summarise the pixels of a region.

    Parameters
    ----------
    flow
        Flow, ml/min/g; NaN where there is none.
    error
        Standard error of each pixel, ml/min/g; NaN where it is not known.
    systematic
        Part of it that the whole exam shares, ml/min/g; no mean makes it smaller.

    Returns
    -------
    FlowStatistics
        The standard error of the mean of n pixels is

            se² = mean(systematic)² + r mean(own)² + (1 - r) mean(own²) / max(1, n / m)

        with own² = error² - systematic², of which a fraction r = `SHARED_FRACTION` errs together
        and the rest in groups of m = `PIXELS_PER_SAMPLE` neighbours. The latter two are the
        variance of a mean of equally correlated values (Kish 1965, Survey Sampling) with the
        samples counted that are independent. Without errors of pixels, their spread takes that
        place.

    """
    is_known = flow.isfinite()
    known = flow[is_known]
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
        standard_error_ml_min_g=_error_of_mean(error[is_known], systematic[is_known], spread),
        n_pixels=len(known),
        valid_fraction=valid_fraction,
    )


def _error_of_mean(
    error: Float[Tensor, " voxel"], systematic: Float[Tensor, " voxel"], spread: float
) -> float:
    n_samples = max(1.0, len(error) / PIXELS_PER_SAMPLE)
    is_known = error.isfinite()
    if not bool(is_known.any()):
        return float(spread / n_samples**0.5)
    shared = systematic[is_known]
    own = (error[is_known].square() - shared.square()).clamp_min(0.0)
    by_noise = SHARED_FRACTION * own.sqrt().mean().square()
    by_noise += (1 - SHARED_FRACTION) * own.mean() / n_samples
    return float((shared.mean().square() + by_noise).sqrt())


def _counted(flow: FlowMap | None, sectors: SliceSectors) -> _Pixels:
    """Return the pixels of one slice that are not cut by a border of the wall."""
    core = counted_pixels(sectors)
    unknown = torch.full(core.shape, float("nan"), dtype=torch.float64)
    error = None if flow is None else flow.standard_error_ml_min_g
    counted = (unknown if flow is None else flow.flow_ml_min_g.double().cpu())[core]
    fraction = 0.0 if flow is None else flow.systematic_fraction
    level = _LEVELS.index(sectors.level)
    return _Pixels(
        flow=counted,
        error=(unknown if error is None else error.double().cpu())[core],
        systematic=fraction * counted,
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
