"""The goals of quantification, and by how much they are met or missed."""

import math
from collections.abc import Sequence

from models.phantom import TissueModel
from pipeline.evaluation.figures import mean
from pipeline.evaluation.flow.design import Group
from pipeline.evaluation.flow.records import FlowRecord, Motion
from pipeline.evaluation.flow.statistics import (
    area_under_curve,
    defect_scores,
    of_regions,
    of_segments,
    pixel_coverage,
    region_coverage,
)
from pipeline.evaluation.goals import Verdict


def clinical(records: Sequence[FlowRecord], *, motion: Motion, model: str) -> list[FlowRecord]:
    """Return the exams of the clinical point."""
    return [
        row
        for row in records
        if row.group == Group.CLINICAL and row.motion == motion and row.model == model
    ]


def of_tissue(records: Sequence[FlowRecord], tissue: TissueModel) -> list[FlowRecord]:
    """Return the exams whose myocardium is of one model."""
    return [row for row in records if row.tissue == tissue]


def verdicts(records: Sequence[FlowRecord]) -> tuple[Verdict, ...]:
    """Hold exams of the clinical point against the goals.

    Parameters
    ----------
    records
        Results of one model after motion correction.

    """
    true, named = of_segments(records), of_regions(records)
    pixels, regions = pixel_coverage(records), region_coverage(records)
    return (
        _most("segment bias, size, %", 3.0, 100 * abs(true.bias), 1),
        _most("segment RMSE, %", 8.0, 100 * true.root_mean_square, 1),
        _most("segments as reported: bias, size, %", 3.0, 100 * abs(named.bias), 1),
        _most("segments as reported: RMSE, %", 8.0, 100 * named.root_mean_square, 1),
        _most("pixel median error, mean of exams, %", 12.0, _pixel_error(records), 1),
        _least(
            "defect of 1 cm at half flow: AUC of sectors",
            0.98,
            area_under_curve(*defect_scores(records)),
            3,
        ),
        _most("pixels: 68 % interval off by, points", 5.0, _off(pixels.within_68, 0.6827), 1),
        _most("pixels: 95 % interval off by, points", 5.0, _off(pixels.within_95, 0.95), 1),
        _most("segments: 68 % interval off by, points", 5.0, _off(regions.within_68, 0.6827), 1),
        _most("segments: 95 % interval off by, points", 5.0, _off(regions.within_95, 0.95), 1),
    )


def _pixel_error(records: Sequence[FlowRecord]) -> float:
    return 100 * mean([row.pixel_median_error for row in records])


def _off(found: float, wanted: float) -> float:
    return 100 * abs(found - wanted) if math.isfinite(found) else math.nan


def _least(text: str, target: float, found: float, decimals: int) -> Verdict:
    return Verdict(text=text, target=target, found=found, is_at_least=True, decimals=decimals)


def _most(text: str, target: float, found: float, decimals: int) -> Verdict:
    return Verdict(text=text, target=target, found=found, is_at_least=False, decimals=decimals)
