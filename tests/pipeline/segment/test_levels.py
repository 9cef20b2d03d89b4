"""Base, mid and apex by place in the patient, never by the order of series."""

import dataclasses
from itertools import permutations

import pytest

from pipeline.regions import SliceLevel
from pipeline.segment.levels import long_axis, slice_levels
from tests.pipeline.segment.ring import LONG_AXIS, Cut, cut

BASAL, MID, APICAL = SliceLevel.BASAL, SliceLevel.MID, SliceLevel.APICAL
EXPECTED = {
    1: (MID,),
    2: (BASAL, APICAL),
    3: (BASAL, MID, APICAL),
    4: (BASAL, MID, MID, APICAL),
    5: (BASAL, BASAL, MID, APICAL, APICAL),
    6: (BASAL, BASAL, MID, MID, APICAL, APICAL),
}


def stack(n_slices: int, **options: bool) -> list[Cut]:
    return [cut(offset_mm=60.0 * (index + 0.5) / n_slices, **options) for index in range(n_slices)]


def levels_of(cuts: list[Cut], *, with_masks: bool = True) -> tuple[SliceLevel | None, ...]:
    masks = [one.masks if with_masks else None for one in cuts]
    return slice_levels([one.series() for one in cuts], masks)


@pytest.mark.parametrize("n_slices", EXPECTED)
@pytest.mark.parametrize("with_masks", [True, False])
def test_a_stack_is_cut_in_thirds(n_slices: int, with_masks: bool) -> None:
    assert levels_of(stack(n_slices), with_masks=with_masks) == EXPECTED[n_slices]


@pytest.mark.parametrize("from_behind", [True, False])
def test_order_of_series_and_side_of_view_do_not_matter(from_behind: bool) -> None:
    cuts = stack(3, from_behind=from_behind)
    for order in permutations(range(3)):
        found = levels_of([cuts[index] for index in order])
        assert found == tuple(EXPECTED[3][index] for index in order)


def test_sizes_decide_when_the_axes_of_the_patient_do_not() -> None:
    """A stack along a direction that says nothing of base and apex."""
    across = (0.5**0.5, 0.5**0.5, 0.0)
    cuts = [
        dataclasses.replace(one, geometry=lying(one, tuple(-one.offset_mm * x for x in across)))
        for one in stack(3)
    ]
    assert levels_of(cuts) == EXPECTED[3]
    assert levels_of(cuts[::-1]) == EXPECTED[3][::-1]


def lying(one: Cut, origin_mm: tuple[float, ...]):
    return dataclasses.replace(
        one.geometry,
        origin_mm=origin_mm,
        row_direction=(0.5**0.5, -(0.5**0.5), 0.0),
        column_direction=(0.0, 0.0, -1.0),
    )


def test_sizes_that_speak_against_the_axes_are_told() -> None:
    cuts = stack(3)
    assert long_axis([one.series() for one in cuts], [one.masks for one in cuts]).is_sure
    swapped = [one.masks for one in reversed(cuts)]
    assert not long_axis([one.series() for one in cuts], swapped).is_sure


def test_the_axis_points_to_the_apex() -> None:
    cuts = stack(3, from_behind=True)
    axis = long_axis([one.series() for one in cuts], [None] * 3)
    assert axis.towards_apex == pytest.approx(tuple(LONG_AXIS))
    places = axis.place_mm
    assert places[1] - places[0] == pytest.approx(20.0, abs=1e-3)


def test_a_long_axis_slice_has_no_level() -> None:
    cuts = stack(3)
    geometry = cuts[1].geometry
    long = dataclasses.replace(
        geometry, column_direction=tuple(float(value) for value in LONG_AXIS)
    )
    cuts.insert(1, dataclasses.replace(cuts[1], geometry=long))
    assert levels_of(cuts) == (BASAL, None, MID, APICAL)


def test_the_same_place_twice_is_one_level() -> None:
    cuts = stack(3)
    assert levels_of([cuts[0], *cuts]) == (BASAL, BASAL, MID, APICAL)
    assert levels_of([cuts[0], cuts[0]]) == (MID, MID)
