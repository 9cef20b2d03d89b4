"""AHA numbers against a heart whose place in the patient is known."""

import dataclasses
import math

import pytest
import torch

from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code, Grade
from pipeline.regions import SliceLevel, SliceSectors
from pipeline.segment.sectors import divide, divide_exam
from tests.pipeline.segment.ring import Cut, cut

LEVELS = (SliceLevel.BASAL, SliceLevel.MID, SliceLevel.APICAL)
OFFSETS_MM = (5.0, 25.0, 45.0)


def agreement(found: SliceSectors | None, true: Cut) -> float:
    """Return the share of the wall that has its true AHA number."""
    assert found is not None
    wall = true.masks.myocardium
    assert torch.equal(found.segment > 0, wall)
    return float((found.segment == true.segment)[wall].double().mean())


@pytest.mark.parametrize("turn_deg", range(0, 360, 30))
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_numbers_do_not_depend_on_how_the_image_lies(turn_deg: int, is_mirrored: bool) -> None:
    for level in LEVELS:
        true = cut(level=level, turn_deg=float(turn_deg), is_mirrored=is_mirrored)
        assert agreement(divide(true.masks, true.geometry, level), true) > 0.95


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("from_behind", [False, True])
def test_numbers_do_not_depend_on_the_order_of_slices(
    order: tuple[int, ...], from_behind: bool
) -> None:
    cuts = [
        cut(offset_mm=OFFSETS_MM[index], level=LEVELS[index], from_behind=from_behind)
        for index in order
    ]
    sectors, findings = divide_exam([one.series() for one in cuts], [one.masks for one in cuts])
    assert not findings
    for found, true in zip(sectors, cuts, strict=True):
        assert agreement(found, true) > 0.95


@pytest.mark.parametrize("degrees", [-60.0, -30.0, 30.0, 60.0])
def test_a_heart_turned_about_its_axis_keeps_its_segments(degrees: float) -> None:
    true = cut(rotated_heart_deg=degrees, turn_deg=70.0)
    assert agreement(divide(true.masks, true.geometry, SliceLevel.MID), true) > 0.95


def test_pixels_mirrored_behind_the_back_of_the_header_are_noticed() -> None:
    cuts = [cut(offset_mm=offset_mm) for offset_mm in OFFSETS_MM]
    masks = [mirrored(one) for one in cuts]
    _, findings = divide_exam([one.series() for one in cuts], masks)
    assert [(found.code, found.grade) for found in findings] == [
        (Code.SEGMENTATION_UNCERTAIN, Grade.REVIEW)
    ]
    assert "mirrored" in findings[0].text


def mirrored(true: Cut):
    """Flip the pixels left to right and leave the geometry as it is."""
    masks = true.masks
    return dataclasses.replace(
        masks,
        myocardium=masks.myocardium.flip(1),
        left_ventricle=masks.left_ventricle.flip(1),
        right_ventricle=masks.right_ventricle.flip(1),
    )


def test_insertions_of_a_network_are_preferred() -> None:
    true = cut()
    centre = true.masks.left_ventricle.nonzero().double().mean(dim=0)
    opposite = [
        (float(centre[0]) + 20 * math.sin(angle), float(centre[1]) + 20 * math.cos(angle))
        for angle in (-1.0, 1.0)
    ]
    masks = dataclasses.replace(true.masks, insertions_px=tuple(opposite))
    assert agreement(divide(masks, true.geometry, SliceLevel.MID), true) < 0.5


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_slice_without_right_ventricle_follows_the_next_one(missing: int) -> None:
    cuts = [
        cut(
            offset_mm=offset_mm,
            level=level,
            turn_deg=40.0 * position,
            with_right=position != missing,
        )
        for position, (offset_mm, level) in enumerate(zip(OFFSETS_MM, LEVELS, strict=True))
    ]
    sectors, findings = divide_exam([one.series() for one in cuts], [one.masks for one in cuts])
    assert agreement(sectors[missing], cuts[missing]) > 0.95
    assert [found.slice_index for found in findings] == [missing]
    assert findings[0].grade is (Grade.NOTE if missing == 2 else Grade.REVIEW)


def test_a_stray_right_ventricle_is_overruled() -> None:
    cuts = [cut(offset_mm=o, level=v) for o, v in zip(OFFSETS_MM, LEVELS, strict=True)]
    stray = cut(offset_mm=OFFSETS_MM[1], level=LEVELS[1], rotated_heart_deg=100.0)
    masks = [cuts[0].masks, stray.masks, cuts[2].masks]
    sectors, findings = divide_exam([one.series() for one in cuts], masks)
    assert agreement(sectors[1], cuts[1]) > 0.95
    assert [(found.slice_index, found.grade) for found in findings] == [(1, Grade.REVIEW)]


def test_a_sliver_of_a_right_ventricle_is_not_trusted() -> None:
    cuts = [cut(offset_mm=o, level=v) for o, v in zip(OFFSETS_MM, LEVELS, strict=True)]
    masks = [one.masks for one in cuts]
    assert masks[2].right_ventricle is not None
    lower_half = torch.arange(masks[2].right_ventricle.shape[0])[:, None] > 62
    masks[2] = dataclasses.replace(masks[2], right_ventricle=masks[2].right_ventricle & lower_half)
    sectors, findings = divide_exam([one.series() for one in cuts], masks)
    assert agreement(sectors[2], cuts[2]) > 0.95
    assert [(found.slice_index, found.grade) for found in findings] == [(2, Grade.NOTE)]
    alone, findings = divide_exam([cuts[2].series()], masks[2:])
    assert alone[0] is not None
    assert [found.grade for found in findings] == [Grade.REVIEW]


def test_without_any_right_ventricle_there_are_halves_but_no_segments() -> None:
    cuts = [cut(offset_mm=offset_mm, with_right=False) for offset_mm in OFFSETS_MM]
    sectors, findings = divide_exam([one.series() for one in cuts], [one.masks for one in cuts])
    assert len(findings) == 1
    assert findings[0].grade is Grade.REVIEW
    for found in sectors:
        assert found is not None
        assert not bool(found.segment.any())
        assert bool(found.is_endocardial.any())


def test_one_slice_without_right_ventricle_is_refused() -> None:
    true = cut(with_right=False)
    with pytest.raises(CannotQuantifyError) as caught:
        divide(true.masks, true.geometry, SliceLevel.MID)
    assert caught.value.code is Code.SEGMENTATION_UNCERTAIN


def test_slices_without_masks_stay_without_sectors() -> None:
    cuts = [cut(offset_mm=offset_mm) for offset_mm in OFFSETS_MM]
    sectors, _ = divide_exam([one.series() for one in cuts], [None, cuts[1].masks, None])
    assert [found is not None for found in sectors] == [False, True, False]
    assert divide_exam([], []) == ((), ())


@pytest.mark.parametrize("cavity_mm", [6.0, 16.0, 26.0])
def test_halves_are_equally_thick(cavity_mm: float) -> None:
    true = cut(cavity_mm=cavity_mm)
    found = divide(true.masks, true.geometry, SliceLevel.MID)
    inner, wall = found.is_endocardial, true.masks.myocardium
    assert not bool((inner & ~wall).any())
    pixel_mm2 = math.prod(true.geometry.spacing_mm)
    middle_mm = cavity_mm + 4.5
    expected_mm2 = math.pi * (middle_mm**2 - cavity_mm**2)
    assert float(inner.sum()) * pixel_mm2 == pytest.approx(expected_mm2, rel=0.08)


def test_distance_to_the_border_is_that_of_the_ring() -> None:
    true = cut()
    found = divide(true.masks, true.geometry, SliceLevel.MID)
    deepest_mm = float(found.border_px.max()) * math.sqrt(math.prod(true.geometry.spacing_mm))
    assert deepest_mm == pytest.approx(4.5, abs=0.6)
    assert float(found.border_px[~true.masks.myocardium].abs().max()) == 0.0


def test_an_open_ring_is_still_divided() -> None:
    true = cut(level=SliceLevel.BASAL)
    masks = dataclasses.replace(true.masks, myocardium=true.masks.myocardium & (true.segment != 6))
    found = divide(masks, true.geometry, SliceLevel.BASAL)
    wall = masks.myocardium
    assert float((found.segment == true.segment)[wall].double().mean()) > 0.9
