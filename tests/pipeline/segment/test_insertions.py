"""Insertion points, and which way is anterior."""

import dataclasses
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.phantom import PhantomSeries, make_exam
from models.phantom.patient import draw_patient
from models.phantom.protocol import PhantomState, Protocol
from node.scanner.plane import short_axis_plane
from pipeline.segment.insertions import anterior_turn, find_insertions, septum_of
from pipeline.segment.wall import trace_wall
from pipeline.types import Geometry, HeartMasks
from tests.pipeline.segment.ring import ANTERIOR, SEPTAL, SPACING_MM, Cut, cut


def insertions_of(true: Cut):
    wall = trace_wall(true.masks, SPACING_MM)
    assert wall is not None
    return wall, find_insertions(true.masks, wall)


def septal_angle_deg(true: Cut) -> float:
    """Return by how much the middle of the septum that is found differs from the true one."""
    wall, _ = insertions_of(true)
    septum = septum_of(true.masks, wall, true.geometry)
    assert septum is not None
    x, y = (
        sum(a * b for a, b in zip(septum.middle, axis, strict=True)) for axis in (SEPTAL, ANTERIOR)
    )
    return math.degrees(math.atan2(y, x))


@settings(max_examples=25, deadline=None)
@given(
    turn_deg=st.floats(0, 360),
    is_mirrored=st.booleans(),
    reach=st.floats(0.7, 1.1),
    cavity_mm=st.floats(10, 28),
)
def test_the_middle_of_the_septum_is_found_to_a_few_degrees(
    turn_deg: float, is_mirrored: bool, reach: float, cavity_mm: float
) -> None:
    true = cut(turn_deg=turn_deg, is_mirrored=is_mirrored, right_reach=reach, cavity_mm=cavity_mm)
    assert abs(septal_angle_deg(true)) < 4.0


def test_insertions_lie_where_both_outlines_cross() -> None:
    true = cut(cavity_mm=20.0)
    wall, points = insertions_of(true)
    assert points is not None
    angles = [
        math.atan2(
            (row - wall.rays.centre_row) * SPACING_MM[0],
            (column - wall.rays.centre_column) * SPACING_MM[1],
        )
        for row, column in points
    ]
    width_deg = math.degrees((angles[1] - angles[0]) % (2 * math.pi))
    assert width_deg == pytest.approx(crossing_width_deg(29.0), abs=20.0)
    for row, column in points:
        away = math.hypot(
            (row - wall.rays.centre_row) * SPACING_MM[0],
            (column - wall.rays.centre_column) * SPACING_MM[1],
        )
        assert away == pytest.approx(29.0, abs=1.0)


def crossing_width_deg(outer_mm: float) -> float:
    angle = torch.linspace(0, math.pi, 2000)
    x, y = outer_mm * torch.cos(angle), outer_mm * torch.sin(angle)
    inside = torch.hypot((x - 0.95 * outer_mm) / 1.05, y / 1.15) < outer_mm
    return 2 * math.degrees(float(angle[inside].max()))


def test_a_muscle_bundle_does_not_end_the_septum() -> None:
    true = cut()
    row, column = (
        part.float()
        for part in torch.meshgrid(*(torch.arange(n) for n in true.segment.shape), indexing="ij")
    )
    wall, points = insertions_of(true)
    assert points is not None
    across = [0.5 * (a + b) for a, b in zip(*points, strict=True)]
    direction = (across[0] - wall.rays.centre_row, across[1] - wall.rays.centre_column)
    along = (row - wall.rays.centre_row) * direction[1] - (
        column - wall.rays.centre_column
    ) * direction[0]
    band = (along / math.hypot(*direction)).abs() < 2.0
    right = true.masks.right_ventricle
    parted = dataclasses.replace(true.masks, right_ventricle=right & ~band)
    assert not torch.equal(parted.right_ventricle, right)
    found = find_insertions(parted, wall)
    torch.testing.assert_close(torch.tensor(found), torch.tensor(points))


@pytest.mark.parametrize("right", [None, "empty", "far", "around"])
def test_what_is_no_right_ventricle_gives_no_insertions(right: str | None) -> None:
    true = cut()
    wall = trace_wall(true.masks, SPACING_MM)
    assert wall is not None
    mask = torch.zeros_like(true.masks.myocardium)
    if right == "far":
        mask[:4, :4] = True
    if right == "around":
        mask = ~(true.masks.myocardium | true.masks.left_ventricle)
    masks = dataclasses.replace(true.masks, right_ventricle=None if right is None else mask)
    assert find_insertions(masks, wall) is None
    assert septum_of(masks, wall, true.geometry) is None


@pytest.mark.parametrize("is_mirrored", [False, True])
@pytest.mark.parametrize("degrees", [-80.0, 0.0, 80.0])
def test_anterior_is_found_in_a_heart_turned_far(is_mirrored: bool, degrees: float) -> None:
    true = cut(is_mirrored=is_mirrored, rotated_heart_deg=degrees)
    wall, _ = insertions_of(true)
    septum = septum_of(true.masks, wall, true.geometry)
    assert septum is not None
    turn, agree = anterior_turn(septum, true.geometry)
    assert turn == (-1.0 if is_mirrored else 1.0)
    assert agree


@pytest.mark.parametrize("seed", [5001, 5002])
def test_septum_of_a_phantom_lies_at_its_right_ventricle(seed: int) -> None:
    protocol = Protocol(n_saturation_recovery=4, n_slices=3)
    heart = draw_patient(seed, state=PhantomState.REST, protocol=protocol).heart
    for series in make_exam(seed, state="rest", protocol=protocol).slices:
        truth = series.truth
        masks = HeartMasks(
            myocardium=truth.reference_myocardium,
            left_ventricle=truth.reference_left_ventricle,
            right_ventricle=truth.reference_right_ventricle,
        )
        wall = trace_wall(masks, series.spacing_mm)
        assert wall is not None
        points = find_insertions(masks, wall)
        assert points is not None
        first, last = (
            math.atan2(row - wall.rays.centre_row, column - wall.rays.centre_column)
            for row, column in points
        )
        middle = first + 0.5 * ((last - first) % (2 * math.pi))
        off = math.remainder(middle + heart.right_ventricle_angle_rad, 2 * math.pi)
        assert abs(math.degrees(off)) < 8.0  # outlines are wavy
        septum = septum_of(masks, wall, scanned_geometry(series))
        assert septum is not None
        assert anterior_turn(septum, scanned_geometry(series)) == (1.0, True)


def scanned_geometry(series: PhantomSeries) -> Geometry:
    """Return where the virtual scanner puts the slice."""
    matrix = (series.frames.shape[1], series.frames.shape[2])
    plane = short_axis_plane(matrix, series.spacing_mm, series.offset_mm)
    return Geometry(
        spacing_mm=series.spacing_mm,
        thickness_mm=series.thickness_mm,
        origin_mm=tuple(plane.origin_mm.tolist()),
        row_direction=tuple(plane.row_direction.tolist()),
        column_direction=tuple(plane.column_direction.tolist()),
    )
