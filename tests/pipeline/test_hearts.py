"""One heart in all series of an exam: who is believed, and where it is put in the others."""

import math
from dataclasses import replace

import pytest
import torch

from pipeline.hearts import find_hearts, one_heart
from pipeline.place import pixel_of, point_mm
from pipeline.segment import HeartRegion
from pipeline.types import Geometry, ImageSeries
from tests.pipeline.exams import as_exam

NORMAL_MM = 10.0
TURNED = {"row_direction": (0.0, 1.0, 0.0), "column_direction": (-1.0, 0.0, 0.0)}


def plane(level: int, **changes: object) -> ImageSeries:
    """Return an empty series of 2 mm pixels, the planes 10 mm apart."""
    geometry = Geometry(
        spacing_mm=(2.0, 2.0),
        thickness_mm=8.0,
        origin_mm=(-100.0, -100.0, NORMAL_MM * level),
        row_direction=(1.0, 0.0, 0.0),
        column_direction=(0.0, 1.0, 0.0),
    )
    return ImageSeries(
        frames=torch.zeros(2, 100, 100),
        time_s=torch.arange(2.0),
        n_proton_density=0,
        geometry=replace(geometry, **changes),  # type: ignore[arg-type]  # fields by name
        sequence=None,
        proton_density=None,
    )


def found(row: int, column: int, agreement: float) -> HeartRegion:
    return HeartRegion(
        centre_row=float(row),
        centre_column=float(column),
        radius_mm=52.0,
        bolus_contrast=3.0,
        agreement=agreement,
    )


def places(regions: tuple[HeartRegion, ...]) -> list[tuple[float, float]]:
    return [(region.centre_row, region.centre_column) for region in regions]


STACK = [plane(0), plane(1), plane(2)]


def test_a_doubtful_slice_takes_the_place_of_those_that_agree() -> None:
    regions = [found(50, 60, 0.9), found(52, 62, 0.9), found(5, 90, 0.0)]
    assert places(one_heart(regions, STACK)) == [(50, 60), (52, 62), (51, 61)]


def test_a_slice_that_contradicts_two_others_is_outvoted_however_sure_it_is() -> None:
    regions = [found(50, 60, 0.9), found(5, 5, 0.99), found(52, 62, 0.9)]
    assert places(one_heart(regions, STACK)) == [(50, 60), (51, 61), (52, 62)]


def test_only_a_heart_that_two_series_saw_is_shared() -> None:
    two = one_heart([found(50, 60, 0.9), found(5, 5, 0.0), found(52, 62, 0.9)], STACK)
    assert [region.is_shared for region in two] == [True, True, True]
    one = one_heart([found(50, 60, 0.97), found(9, 9, 0.0), found(80, 9, 0.0)], STACK)
    assert [region.is_shared for region in one] == [False, False, False]


def test_one_sure_series_is_believed_and_one_that_is_not_is_not() -> None:
    sure = one_heart([found(50, 60, 0.97), found(9, 9, 0.0), found(80, 9, 0.0)], STACK)
    assert places(sure) == [(50, 60)] * 3
    regions = [found(50, 60, 0.90), found(9, 9, 0.0), found(80, 9, 0.0)]
    assert one_heart(regions, STACK) == tuple(regions)


def test_without_a_network_each_slice_keeps_what_the_bolus_said() -> None:
    regions = [found(50, 60, 0.0), found(9, 9, 0.0), found(80, 9, 0.0)]
    assert one_heart(regions, STACK) == tuple(regions)


def test_what_is_known_is_carried_through_the_patient() -> None:
    # Half the pixel size, another corner, and turned by a quarter.
    other = plane(2, spacing_mm=(1.0, 1.0), origin_mm=(60.0, -20.0, 20.0), **TURNED)
    regions = [found(50, 60, 0.9), found(50, 60, 0.9), found(5, 9, 0.0)]
    moved = one_heart(regions, [*STACK[:2], other])[2]
    here = point_mm(50.0, 60.0, STACK[0].geometry)
    there = point_mm(moved.centre_row, moved.centre_column, other.geometry)
    torch.testing.assert_close(there[:2], here[:2])
    assert pixel_of(there, other.geometry) == pytest.approx((moved.centre_row, moved.centre_column))


def test_planes_that_cross_the_axis_aslant_are_left_alone() -> None:
    long_axis = plane(2, column_direction=(0.0, 0.0, 1.0))
    regions = [found(50, 60, 0.9), found(50, 60, 0.9), found(5, 9, 0.0)]
    assert one_heart(regions, [*STACK[:2], long_axis])[2] == regions[2]


@pytest.mark.parametrize(
    "broken",
    [
        {"row_direction": (0.0, 0.0, 0.0)},
        {"origin_mm": (math.nan, math.nan, math.nan)},
        {"row_direction": (math.nan, 0.0, 0.0)},
    ],
)
def test_a_plane_whose_place_is_not_known_changes_nothing(
    broken: dict[str, object],
) -> None:
    stack = [plane(level, **broken) for level in range(3)]
    regions = [found(50, 60, 0.99), found(52, 62, 0.97), found(5, 9, 0.0)]
    assert one_heart(regions, stack) == tuple(regions)
    assert one_heart([], []) == ()


def test_an_axis_beside_the_image_changes_nothing() -> None:
    beside = plane(2, origin_mm=(500.0, 500.0, 20.0))
    regions = [found(50, 60, 0.9), found(50, 60, 0.9), found(5, 9, 0.0)]
    assert one_heart(regions, [*STACK[:2], beside])[2] == regions[2]


def test_the_series_of_an_exam_are_looked_at_one_by_one() -> None:
    exam = as_exam(1, motion=True)
    regions = find_hearts(exam.slices, None)
    assert len(regions) == len(exam.slices)
    assert all(region.agreement == 0.0 for region in regions)
