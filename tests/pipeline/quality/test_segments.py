"""Segments without enough numbers, or with too many at a bound, are named."""

import dataclasses

import torch

from pipeline.findings import Code, Grade
from pipeline.quality.segments import check_segments
from pipeline.regions import SliceLevel, SliceSectors
from tests.pipeline.quality.test_checks import flow

SEGMENT = torch.tensor([[7, 8, 9, 10, 11, 12]]).expand(6, 6).clone()
SECTORS = SliceSectors(
    level=SliceLevel.MID,
    segment=SEGMENT,
    is_endocardial=torch.zeros(6, 6, dtype=torch.bool),
    border_px=torch.ones(6, 6),
)


def said(**changes) -> list[str]:
    found = check_segments(dataclasses.replace(flow(2.5), **changes), sectors=SECTORS, index=1)
    assert all((entry.code, entry.grade) == (Code.MAP_IMPLAUSIBLE, Grade.REVIEW) for entry in found)
    return [entry.sentence for entry in found]


def test_a_whole_map_is_silent() -> None:
    assert said() == []
    assert said(at_bound=torch.zeros(6, 6, dtype=torch.bool)) == []


def test_segments_without_numbers_are_named() -> None:
    image = torch.full((6, 6), 2.5)
    image[:4, 1] = torch.nan
    image[:, 3] = torch.nan
    image[:2, 4] = torch.nan  # a third: still a number
    assert said(flow_ml_min_g=image) == [
        "Slice 2: less than half of segments 8, 10 has a flow; shown without a number."
    ]


def test_clipped_segments_are_named() -> None:
    bound = torch.zeros(6, 6, dtype=torch.bool)
    bound[:2, 5] = True
    bound[:1, 0] = True  # a sixth: not yet
    assert said(at_bound=bound) == ["Slice 2: 20% or more of segment 12 is at a bound of the fit."]
