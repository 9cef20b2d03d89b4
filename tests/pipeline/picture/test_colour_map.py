"""Maps in colour: the same colour is the same number on every picture, and nothing is missing."""

import dataclasses

import numpy as np
import pytest
import torch
from PIL import ImageColor

from pipeline.findings import Code, Finding, Grade
from pipeline.picture.canvas import GRADE_COLOURS
from pipeline.picture.colour_map import (
    _flow_readings,
    _readings_of,
    draw_flow_maps,
    draw_reserve_maps,
)
from pipeline.picture.map_picture import _BAR_PX, MAP_SHAPE
from pipeline.picture.provenance import Provenance
from pipeline.picture.scale import FLOW_SCALE, RESERVE_SCALE, ColourScale, ColourTable, colours_of
from pipeline.quality import AnalysedExam
from pipeline.reserve import Reserve, compare_states
from pipeline.types import PatientState
from tests.pipeline.reserve.pair import cuts_of, exam_of

PROVENANCE = Provenance(
    software="perfnode test config 1a2b3c4d",
    created="2026-01-01 10:00:00",
    label="RESEARCH ONLY",
    motion="learned: anatomy sha256 1a2b3c4d",
    assumptions=("saturation delay 62 ms (assumed: default)",) * 9,
)
STRESS = exam_of(PatientState.STRESS, cuts_of())
REST = exam_of(PatientState.REST, cuts_of())
ONE_SLICE = exam_of(PatientState.STRESS, cuts_of()[:1])


@pytest.fixture(scope="module")
def reserve() -> Reserve:
    return compare_states(stress=STRESS, rest=REST)


def colour_of(value: float, scale: ColourScale, table: ColourTable) -> np.ndarray:
    return colours_of(table)[scale.entry(np.array([value]))[0]]


def count(picture: np.ndarray, colour: np.ndarray) -> int:
    return int((picture == colour).all(axis=2).sum())


def with_slices(one: AnalysedExam, **changes: object) -> AnalysedExam:
    slices = tuple(
        dataclasses.replace(result, **changes)  # type: ignore[arg-type]  # fields by name
        for result in one.analysis.slices
    )
    return dataclasses.replace(one, analysis=dataclasses.replace(one.analysis, slices=slices))


def with_flow(one: AnalysedExam, flow: float) -> AnalysedExam:
    first = one.analysis.slices[0].flow
    assert first is not None
    return with_slices(
        one,
        flow=dataclasses.replace(first, flow_ml_min_g=torch.full_like(first.flow_ml_min_g, flow)),
    )


def flow_maps(one: AnalysedExam, table: ColourTable = ColourTable.PERFUSION) -> list[np.ndarray]:
    drawn = draw_flow_maps(one.exam, one.analysis, PROVENANCE, table)
    assert all(picture is not None for picture in drawn)
    return [picture for picture in drawn if picture is not None]


@pytest.mark.parametrize("table", list(ColourTable))
def test_a_flow_has_one_colour_in_both_states(table: ColourTable) -> None:
    """Never fitted to the image: a high flow at rest looks as under stress."""
    expected = colour_of(2.0, FLOW_SCALE, table)
    for state in (PatientState.STRESS, PatientState.REST):
        one = exam_of(state, cuts_of()[:1])
        for picture in flow_maps(with_flow(one, 2.0), table):
            assert picture.shape == (*MAP_SHAPE, 3)
            assert count(picture, expected) > 10_000
        assert all(
            count(picture, expected) < 3000 for picture in flow_maps(with_flow(one, 4.0), table)
        )


@pytest.mark.parametrize("table", list(ColourTable))
def test_the_bar_explains_the_colours(table: ColourTable) -> None:
    (picture,) = flow_maps(ONE_SLICE, table)
    left, top, width, height = _BAR_PX
    for value in (0.5, 1.0, 3.0, 5.5):
        row = top + round(height * (1 - value / 6))
        shown = picture[row, left + width // 2].astype(int)
        assert np.abs(shown - colour_of(value, FLOW_SCALE, table)).max() <= 4


def test_no_flow_no_picture() -> None:
    none = with_slices(STRESS, flow=None)
    assert (
        draw_flow_maps(none.exam, none.analysis, PROVENANCE, ColourTable.PERFUSION) == (None,) * 3
    )


def test_what_is_missing_is_left_out() -> None:
    bare = with_slices(with_flow(ONE_SLICE, float("nan")), masks=None, sectors=None)
    (picture,) = flow_maps(bare)
    left, _, _, _ = _BAR_PX
    colourful = np.ptp(picture[90:690, :left].astype(int), axis=2) > 30
    assert not colourful.any()


def test_same_analysis_gives_the_same_pixels() -> None:
    (first,), (second,) = flow_maps(ONE_SLICE), flow_maps(ONE_SLICE)
    assert np.array_equal(first, second)


def test_numbers_are_those_of_the_slice() -> None:
    result = STRESS.analysis.slices[1]
    whole, *segments = _readings_of(result, _flow_readings(STRESS.analysis))
    assert whole.segment is None
    assert [reading.segment for reading in segments] == [7, 8, 9, 10, 11, 12]
    measured = {region.segment: region.flow for region in STRESS.analysis.regions}
    assert {reading.segment for reading in segments} <= set(measured)
    assert whole.inner < whole.outer  # flow of this heart rises outwards
    assert whole.value == pytest.approx(np.mean([one.value for one in segments]), rel=0.05)


def test_reserve_is_on_its_own_fixed_scale(reserve: Reserve) -> None:
    two = dataclasses.replace(
        reserve,
        maps=tuple(
            None
            if one is None
            else dataclasses.replace(one, reserve=torch.full_like(one.reserve, 2.0))
            for one in (reserve.maps[0], None, reserve.maps[2])
        ),
    )
    table = ColourTable.PERFUSION
    drawn = draw_reserve_maps(STRESS.exam, STRESS.analysis, two, PROVENANCE, table)
    assert drawn[1] is None
    assert drawn[0] is not None
    assert count(drawn[0], colour_of(2.0, RESERVE_SCALE, table)) > 10_000


def test_the_verdict_counts_what_the_comparison_found(reserve: Reserve) -> None:
    """Reserve that failed a check does not stand under PASS."""
    bad = Finding(code=Code("P11"), grade=Grade.FAIL, text="stress below rest")
    red = np.array(ImageColor.getrgb(GRADE_COLOURS["FAIL"]))
    one = dataclasses.replace(reserve, maps=(reserve.maps[0], None, None))
    for found, is_red in ((one, False), (dataclasses.replace(one, findings=(bad,)), True)):
        drawn = draw_reserve_maps(
            STRESS.exam, STRESS.analysis, found, PROVENANCE, ColourTable.UNIFORM
        )[0]
        assert drawn is not None
        assert (count(drawn[:60, 400:], red) > 50) is is_red


def test_any_number_of_slices() -> None:
    many = exam_of(PatientState.REST, cuts_of()[:1] * 4)
    assert len(flow_maps(many)) == 4
