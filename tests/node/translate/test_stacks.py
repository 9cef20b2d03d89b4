"""Slices are put together and in order by geometry alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from node.translate.headers import FrameHeader
from node.translate.stacks import APEX_DIRECTION, Stack, gather_stacks, order_base_to_apex
from pipeline.types import Geometry


def geometry(normal: np.ndarray, height_mm: float, *, flipped: bool = False) -> Geometry:
    """Return a plane across a normal, at a height along it."""
    helper = np.eye(3)[int(np.argmin(np.abs(normal)))]
    row = np.cross(normal, helper)
    row /= np.linalg.norm(row)
    column = np.cross(normal, row) * (-1 if flipped else 1)
    origin = height_mm * normal - 40 * row - 30 * column
    return Geometry(
        spacing_mm=(2.0, 2.0),
        thickness_mm=8.0,
        origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
        row_direction=(float(row[0]), float(row[1]), float(row[2])),
        column_direction=(float(column[0]), float(column[1]), float(column[2])),
    )


def header(place: Geometry, sop_uid: str = "1.2", echo_time_ms: float = 1.0) -> FrameHeader:
    return FrameHeader(
        path=Path(sop_uid),
        dataset=Dataset(),
        study_uid="1",
        series_uid="1.1",
        sop_uid=sop_uid,
        sop_class_uid="1",
        patient_digest="",
        series_number=1,
        names="",
        protocol="",
        station="",
        image_type=(),
        shape=(30, 40),
        geometry=place,
        echo_time_ms=echo_time_ms,
    )


def stack(place: Geometry) -> Stack:
    return Stack(frames=(header(place),), geometry=place)


def unit(theta: float, phi: float) -> np.ndarray:
    return np.array([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)])


angles = st.tuples(st.floats(0, np.pi), st.floats(-np.pi, np.pi))


@given(angles=angles, flipped=st.booleans(), order=st.permutations(range(4)))
def test_slices_run_towards_left_front_and_foot(
    angles: tuple[float, float], flipped: bool, order: list[int]
) -> None:
    normal = unit(*angles)
    if abs(normal @ APEX_DIRECTION) < 0.21:
        return
    heights = [0.0, 11.0, 20.0, 45.0]
    stacks = [stack(geometry(normal, height, flipped=flipped)) for height in heights]
    ordered = order_base_to_apex([stacks[index] for index in order], None)
    towards_apex = normal * np.sign(normal @ APEX_DIRECTION)
    positions = [np.array(item.geometry.origin_mm) @ towards_apex for item in ordered]
    assert positions == sorted(positions)


@pytest.mark.parametrize("basal_end", [0.0, 20.0])
def test_across_the_heart_the_arterial_input_marks_the_base(basal_end: float) -> None:
    normal = np.cross(APEX_DIRECTION, [0.0, 0.0, 1.0])
    normal /= np.linalg.norm(normal)
    stacks = [stack(geometry(normal, height)) for height in (0.0, 10.0, 20.0)]
    ordered = order_base_to_apex(stacks, geometry(normal, basal_end))
    height = float(np.array(ordered[0].geometry.origin_mm) @ normal)
    assert height == pytest.approx(basal_end)


def test_frames_gather_by_place_and_echo() -> None:
    normal = unit(0.7, 0.3)
    near, far = geometry(normal, 0.0), geometry(normal, 10.0)
    jittered = replace(
        near, origin_mm=(near.origin_mm[0] + 0.02, near.origin_mm[1], near.origin_mm[2] - 0.03)
    )
    frames = [
        header(near, "1"),
        header(far, "2"),
        header(jittered, "3"),
        header(near, "4", echo_time_ms=2.5),
    ]
    gathered = gather_stacks(frames)
    assert [[frame.sop_uid for frame in item.frames] for item in gathered] == [
        ["1", "3"],
        ["2"],
        ["4"],
    ]
