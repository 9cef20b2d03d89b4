"""Slices that are mirrored, crossing, doubled, reversed or astray are told from a good stack."""

import dataclasses
import math

import pytest
import torch

from pipeline.findings import Code, Finding, Grade
from pipeline.place import centre_mm, normal_of
from pipeline.quality.geometry import check_geometry
from pipeline.types import Exam, Geometry, HeartMasks
from tests.pipeline.quality.hearts import PLANE, heart_slice, masks, toy
from tests.pipeline.quality.test_checks import exam


def plane(height_mm: float, **changes) -> Geometry:
    return dataclasses.replace(PLANE, origin_mm=(0.0, 0.0, height_mm), **changes)


def stack(*planes: Geometry) -> Exam:
    return exam(slices=tuple(heart_slice(geometry=item) for item in planes))


def smaller(factor: float) -> HeartMasks:
    """Return masks of a heart that is smaller in both directions."""
    axis = torch.arange(72.0) - 36
    rows, columns = torch.meshgrid(axis, axis, indexing="ij")
    row, column = ((place / factor + 36).round().long().clamp(0, 71) for place in (rows, columns))
    found = masks()
    right = found.right_ventricle
    assert right is not None
    return masks(
        myocardium=found.myocardium[row, column],
        left_ventricle=found.left_ventricle[row, column],
        right_ventricle=right[row, column],
    )


GOOD = stack(plane(0.0), plane(-15.0), plane(-30.0))
"""From base to apex, which points to the feet."""
HEARTS = (smaller(1.0), smaller(0.85), smaller(0.7))


def said(found: tuple[Finding, ...]) -> list[str]:
    assert {(entry.code, entry.grade) for entry in found} <= {
        (Code.SEGMENTATION_UNCERTAIN, Grade.REVIEW)
    }
    return [entry.sentence for entry in found]


def test_a_good_stack_is_silent() -> None:
    assert said(check_geometry(GOOD, HEARTS)) == []
    assert said(check_geometry(GOOD, (None, None, None))) == []
    assert said(check_geometry(exam(slices=()), ())) == []


def test_crossing_slices_are_said() -> None:
    turned = plane(-15.0, column_direction=(0.0, math.cos(0.3), math.sin(0.3)))
    crossing = stack(plane(0.0), turned, plane(-30.0))
    assert "The slices are not parallel." in said(check_geometry(crossing, HEARTS))


def test_a_doubled_slice_is_said() -> None:
    doubled = stack(plane(0.0), plane(-0.5), plane(-30.0))
    assert said(check_geometry(doubled, (None,) * 3)) == ["Two slices lie at the same place."]


def test_a_heart_that_grows_towards_its_apex_is_said() -> None:
    found = said(check_geometry(GOOD, tuple(reversed(HEARTS))))
    assert found == ["The ventricles grow towards the apex: base and apex may be exchanged."]


def test_a_mirrored_image_is_said() -> None:
    flipped = tuple(
        masks(
            myocardium=heart.myocardium.flip(1),
            left_ventricle=heart.left_ventricle.flip(1),
            right_ventricle=heart.right_ventricle.flip(1),
        )
        for heart in HEARTS
        if heart.right_ventricle is not None
    )
    assert any("mirrored" in text for text in said(check_geometry(GOOD, flipped)))


def test_a_mirrored_image_whose_header_knows_is_silent() -> None:
    known = stack(
        *(plane(height, row_direction=(-1.0, 0.0, 0.0)) for height in (0.0, -15.0, -30.0))
    )
    flipped = tuple(
        masks(
            myocardium=heart.myocardium.flip(1),
            left_ventricle=heart.left_ventricle.flip(1),
            right_ventricle=heart.right_ventricle.flip(1),
        )
        for heart in HEARTS
        if heart.right_ventricle is not None
    )
    assert said(check_geometry(known, flipped)) == []


@pytest.mark.parametrize(("shift_px", "n_findings"), [(4, 0), (14, 1)])
def test_a_ventricle_beside_that_of_the_others_is_said(shift_px: int, n_findings: int) -> None:
    moved = dataclasses.replace(
        HEARTS[2],
        left_ventricle=HEARTS[2].left_ventricle.roll(shift_px, 0),
        myocardium=HEARTS[2].myocardium.roll(shift_px, 0),
        right_ventricle=None,
    )
    found = said(check_geometry(GOOD, (*HEARTS[:2], moved)))
    assert len(found) == n_findings
    assert all(text.startswith("Slice 3: its left ventricle lies 3") for text in found)


def test_places_follow_the_header() -> None:
    mask = torch.zeros(72, 72, dtype=torch.bool)
    mask[10, 20] = True
    oblique = plane(-5.0, row_direction=(0.0, 1.0, 0.0), column_direction=(0.0, 0.0, -1.0))
    # PS3.3 C.7.6.2.1.1: origin + column * spacing * row direction + row * ... column direction.
    assert centre_mm(mask, oblique).tolist() == [0.0, 50.0, -30.0]
    assert normal_of(oblique).tolist() == [-1.0, 0.0, 0.0]
    assert int(toy().left_ventricle.sum()) > 0
