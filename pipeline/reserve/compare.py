"""Both exams in, reserve out."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code, Finding, Grade, series_finding
from pipeline.measure import counted_pixels
from pipeline.quality.stress import AnalysedExam
from pipeline.regions import SliceLevel
from pipeline.reserve.align import corresponding_px, overlap_dice, read_at, turn_between
from pipeline.reserve.match import partner_of
from pipeline.reserve.placed import PlacedWall, Stack, stack_of
from pipeline.reserve.ratios import measure_reserve
from pipeline.reserve.result import Reserve, ReserveMap
from pipeline.segment.sectors import divide
from pipeline.types import SliceAnalysis

_LEAST_REST_ML_MIN_G = 0.1
"""Below this flow at rest a ratio says nothing; scar has 0.2 to 0.5."""
_LEAST_KNOWN = 0.25
"""Share of the pixels around a place at rest that must have a number; the others do not count."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pair:
    """Two slices that show the same muscle."""

    index: int
    partner: int
    stress: PlacedWall
    rest: PlacedWall


def compare_states(*, stress: AnalysedExam, rest: AnalysedExam) -> Reserve:
    """Return what flow under stress and at rest say together.

    Parameters
    ----------
    stress, rest
        Exams of one patient with their results; slices in any order and of any size.

    Returns
    -------
    A map for each slice under stress whose muscle was found at rest, and the reserve of the regions
    that lie in such slices altogether.

    """
    pairs, findings = _pairs(stack_of(stress), stack_of(rest))
    turn_rad = turn_between((pair.stress, pair.rest) for pair in pairs)
    maps: list[ReserveMap | None] = [None] * len(stress.analysis.slices)
    for pair in pairs:
        above, below = stress.analysis.slices[pair.index], rest.analysis.slices[pair.partner]
        try:
            maps[pair.index] = _map_of(pair, turn_rad, above, below)
        except CannotQuantifyError as error:
            findings.append(_finding(error, pair.index))
    shown = [pair for pair in pairs if maps[pair.index] is not None]
    return Reserve(
        maps=tuple(maps),
        regions=measure_reserve(
            stress.analysis.slices,
            [(stress.analysis.slices[pair.index], _at_level(pair, stress, rest)) for pair in shown],
        ),
        findings=tuple(sorted(findings, key=lambda finding: finding.slice_index or 0)),
    )


def _pairs(stress: Stack, rest: Stack) -> tuple[list[_Pair], list[Finding]]:
    pairs: list[_Pair] = []
    findings: list[Finding] = []
    for index, wall in enumerate(stress.walls):
        try:
            partner = partner_of(index, stress, rest)
        except CannotQuantifyError as error:
            findings.append(_finding(error, index))
            continue
        other = rest.walls[partner]
        if wall is not None and other is not None:
            pairs.append(_Pair(index=index, partner=partner, stress=wall, rest=other))
    return pairs, findings


def _map_of(pair: _Pair, turn_rad: float, stress: SliceAnalysis, rest: SliceAnalysis) -> ReserveMap:
    """Return the map of one slice.

    Raises
    ------
    CannotQuantifyError
        P03 where one of both has no flow, P10 where the walls are not the same.

    """
    dice = overlap_dice(pair.stress, pair.rest, turn_rad)
    own, other = _readable(stress, "under stress"), _readable(rest, "at rest")
    carried = _carried(other, pair, turn_rad)
    return ReserveMap(
        reserve=_ratio(own, carried),
        rest_flow_ml_min_g=torch.where(pair.stress.masks.myocardium, carried, torch.nan),
        overlap_dice=dice,
        rest_slice=pair.partner,
    )


def _readable(result: SliceAnalysis, state: str) -> Float[Tensor, "row column"]:
    """Return flow in the pixels that enter a number, NaN elsewhere.

    Those next to a border of the wall hold blood or fat, a different share of it in each exam:
    their ratio would draw a defect along the cavity. Where a fit ended at a bound, flow is "at
    least" or "at most", which has no ratio.
    """
    flow, sectors = result.flow, result.sectors
    if flow is None or sectors is None:
        raise CannotQuantifyError(Code.FEW_SLICES, f"no blood flow {state}, no reserve.")
    readable = counted_pixels(sectors)
    if flow.at_bound is not None:
        readable = readable & ~flow.at_bound
    return torch.where(readable, flow.flow_ml_min_g, torch.nan)


def _carried(
    flow_ml_min_g: Float[Tensor, "rest_row rest_column"], pair: _Pair, turn_rad: float
) -> Float[Tensor, "row column"]:
    """Return flow at rest on the pixels of stress; neighbours without a number do not count."""
    known = flow_ml_min_g.isfinite().to(flow_ml_min_g.dtype)
    where = corresponding_px(pair.stress, pair.rest, turn_rad)
    total, share = read_at(torch.stack([flow_ml_min_g.nan_to_num(), known]), where)
    return torch.where(share >= _LEAST_KNOWN, total / share.clamp_min(_LEAST_KNOWN), torch.nan)


def _ratio(
    stress: Float[Tensor, "row column"], rest: Float[Tensor, "row column"]
) -> Float[Tensor, "row column"]:
    has_ratio = stress.isfinite() & (rest >= _LEAST_REST_ML_MIN_G)
    return torch.where(has_ratio, stress / rest.clamp_min(_LEAST_REST_ML_MIN_G), torch.nan)


def _at_level(pair: _Pair, stress: AnalysedExam, rest: AnalysedExam) -> SliceAnalysis:
    """Return the slice at rest divided at the level of its partner.

    Exams with different numbers of slices call the same place by different levels.
    """
    own, result = stress.analysis.slices[pair.index].sectors, rest.analysis.slices[pair.partner]
    if own is None or result.sectors is None or own.level is result.sectors.level:
        return result
    return _divided(result, pair.rest, own.level)


def _divided(result: SliceAnalysis, wall: PlacedWall, level: SliceLevel) -> SliceAnalysis:
    try:
        return replace(result, sectors=divide(wall.masks, wall.geometry, level))
    except CannotQuantifyError:
        return replace(result, sectors=None)


def _finding(error: CannotQuantifyError, index: int) -> Finding:
    return series_finding(error.code, Grade.REVIEW, error.text, index)
