"""Rest finds its muscle under stress however the slices were planned, or there is no map."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.findings import Code, Grade
from pipeline.measure import counted_pixels, measure
from pipeline.quality import AnalysedExam
from pipeline.regions import Layer
from pipeline.reserve import Reserve, compare_states
from pipeline.reserve.ratios import SYSTEMATIC_CORRELATION
from pipeline.types import PatientState
from tests.pipeline.reserve.pair import (
    OFFSETS_MM,
    cuts_of,
    exam_of,
    stress_exam,
    true_reserve,
    with_slices,
)

STRESS = stress_exam()
TRUE = [true_reserve(one) for one in cuts_of()]


def rest_exam(offsets_mm: tuple[float, ...] = OFFSETS_MM, **moved: object) -> AnalysedExam:
    return exam_of(PatientState.REST, cuts_of(offsets_mm), **moved)


def errors_of(reserve: Reserve, index: int) -> np.ndarray:
    """Return the relative errors of the pixels of one map, which knows nearly all that count."""
    found, sectors = reserve.maps[index], STRESS.analysis.slices[index].sectors
    assert found is not None
    assert sectors is not None
    known, counted = found.reserve.isfinite().numpy(), counted_pixels(sectors).numpy()
    assert not (known & ~counted).any()
    assert known.sum() > 0.9 * counted.sum()
    return found.reserve.numpy()[known] / TRUE[index][known] - 1.0


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"turn_deg": 40.0},
        {"turn_deg": -115.0, "is_mirrored": True},
        {"from_behind": True},
        {"rotated_heart_deg": 9.0},
        {"rotated_heart_deg": -9.0, "turn_deg": 90.0, "is_mirrored": True},
    ],
)
def test_every_pixel_finds_its_muscle(options: dict[str, object]) -> None:
    rotated = float(options.get("rotated_heart_deg", 0.0))
    rest = exam_of(PatientState.REST, cuts_of(**options), shift_mm=(6.0, -8.0), rotated_deg=rotated)
    reserve = compare_states(stress=STRESS, rest=rest)
    assert reserve.findings == ()
    for index in range(3):
        error = np.abs(errors_of(reserve, index))
        assert np.median(error) < 0.015
        assert np.quantile(error, 0.95) < 0.05


def test_a_heart_in_another_phase_is_followed_by_its_borders() -> None:
    smaller = [
        one
        for offset, cavity in zip(OFFSETS_MM, (20.0, 18.5, 15.0), strict=True)
        for one in cuts_of((offset,), cavity_mm=cavity)
    ]
    reserve = compare_states(stress=STRESS, rest=exam_of(PatientState.REST, smaller))
    for index in range(3):
        found = reserve.maps[index]
        assert found is not None
        assert 0.75 < found.overlap_dice < 0.97
        assert np.median(np.abs(errors_of(reserve, index))) < 0.015


def test_an_exam_beside_itself_has_a_reserve_of_one() -> None:
    reserve = compare_states(stress=STRESS, rest=STRESS)
    for found in reserve.maps:
        assert found is not None
        assert found.overlap_dice > 0.97
        ratio = found.reserve[found.reserve.isfinite()]
        assert float((ratio - 1).abs().quantile(0.95)) < 0.03
    assert all(one.reserve == pytest.approx(1.0) for one in reserve.regions)


@settings(max_examples=4, deadline=None)
@given(factor=st.floats(0.5, 3.0))
def test_reserve_scales_with_stress_and_against_rest(factor: float) -> None:
    def scaled(one: AnalysedExam) -> AnalysedExam:
        return with_slices(
            one,
            [
                dataclasses.replace(
                    each,
                    flow=dataclasses.replace(
                        each.flow,
                        flow_ml_min_g=factor * each.flow.flow_ml_min_g,
                        standard_error_ml_min_g=factor * each.flow.standard_error_ml_min_g,
                    ),
                )
                for each in one.analysis.slices
                if each.flow is not None
            ],
        )

    rest = rest_exam()
    plain = compare_states(stress=STRESS, rest=rest)
    above = compare_states(stress=scaled(STRESS), rest=rest)
    below = compare_states(stress=STRESS, rest=scaled(rest))
    for one, more, less in zip(plain.regions, above.regions, below.regions, strict=True):
        assert more.reserve == pytest.approx(factor * one.reserve, rel=1e-4)
        assert less.reserve == pytest.approx(one.reserve / factor, rel=1e-4)
        assert more.standard_error == pytest.approx(factor * one.standard_error, rel=1e-4)
    maps = zip(plain.maps, above.maps, strict=True)
    for before, after in maps:
        assert before is not None
        assert after is not None
        expected = factor * before.reserve
        torch.testing.assert_close(after.reserve, expected, equal_nan=True)


def test_slices_are_matched_by_place_not_by_number() -> None:
    backwards = exam_of(PatientState.REST, cuts_of(OFFSETS_MM[::-1]))
    reserve = compare_states(stress=STRESS, rest=backwards)
    assert [None if one is None else one.rest_slice for one in reserve.maps] == [2, 1, 0]
    assert all(np.median(np.abs(errors_of(reserve, index))) < 0.015 for index in range(3))


def test_a_slice_that_rest_lacks_has_no_map_and_takes_part_in_no_number() -> None:
    reserve = compare_states(stress=STRESS, rest=rest_exam(OFFSETS_MM[:2]))
    assert [one is None for one in reserve.maps] == [False, False, True]
    (finding,) = reserve.findings
    assert (finding.code, finding.grade, finding.slice_index) == (
        Code.FEW_SLICES,
        Grade.REVIEW,
        2,
    )
    assert "20.0 mm away" in finding.text
    numbers = {one.name: one.reserve for one in reserve.regions if one.layer is Layer.WHOLE}
    known = {name for name, value in numbers.items() if math.isfinite(value)}
    # What reaches into the apex has no number either: the ratio would be that of other muscle.
    assert known == {name for name in numbers if name.split()[-2:-1] in (["basal"], ["mid"])} | {
        "basal",
        "mid",
    }


def test_more_slices_at_rest_change_no_segment() -> None:
    """Five slices call the places of three by other levels; the reserve keeps those of stress."""
    rest = rest_exam((5.0, 15.0, 25.0, 35.0, 45.0))
    reserve = compare_states(stress=STRESS, rest=rest)
    usual = compare_states(stress=STRESS, rest=rest_exam())
    assert [one and one.rest_slice for one in reserve.maps] == [0, 2, 4]
    assert [one.name for one in reserve.regions] == [one.name for one in usual.regions]
    for one, other in zip(reserve.regions, usual.regions, strict=True):
        assert one.reserve == pytest.approx(other.reserve, rel=0.02)


@pytest.mark.parametrize(("along_mm", "n_maps"), [(3.9, 3), (4.1, 0), (-4.1, 0)])
def test_a_slice_further_than_half_its_thickness_shows_other_muscle(
    along_mm: float, n_maps: int
) -> None:
    reserve = compare_states(stress=STRESS, rest=rest_exam(along_mm=along_mm))
    assert sum(one is not None for one in reserve.maps) == n_maps
    assert len(reserve.findings) == 3 - n_maps
    assert any(math.isfinite(one.reserve) for one in reserve.regions) is (n_maps > 0)


def test_a_patient_who_was_moved_has_no_map() -> None:
    reserve = compare_states(stress=STRESS, rest=rest_exam(shift_mm=(35.0, 0.0)))
    assert reserve.maps == (None, None, None)
    assert {one.code for one in reserve.findings} == {Code.FEW_SLICES}


def test_a_heart_turned_by_half_a_segment_is_not_believed() -> None:
    turned = exam_of(PatientState.REST, cuts_of(rotated_heart_deg=40.0), rotated_deg=40.0)
    reserve = compare_states(stress=STRESS, rest=turned)
    assert reserve.maps == (None, None, None)
    assert {one.code for one in reserve.findings} == {Code.SEGMENTATION_UNCERTAIN}


def test_a_ventricle_of_another_size_is_not_believed() -> None:
    reserve = compare_states(
        stress=STRESS, rest=exam_of(PatientState.REST, cuts_of(cavity_mm=34.0))
    )
    assert reserve.maps == (None, None, None)
    assert all("diameter" in one.text for one in reserve.findings)


def test_a_wall_that_lost_half_of_itself_is_not_believed() -> None:
    rest = rest_exam()
    slices = list(rest.analysis.slices)
    masks = slices[1].masks
    assert masks is not None
    half = masks.myocardium.clone()
    half[: half.shape[0] // 2] = False
    slices[1] = dataclasses.replace(slices[1], masks=dataclasses.replace(masks, myocardium=half))
    reserve = compare_states(stress=STRESS, rest=with_slices(rest, slices))
    assert [one is None for one in reserve.maps] == [False, True, False]
    assert [one.code for one in reserve.findings] == [Code.SEGMENTATION_UNCERTAIN]


@pytest.mark.parametrize("lacking", ["flow", "masks"])
def test_what_is_missing_at_rest_is_said(lacking: str) -> None:
    rest = rest_exam()
    slices = list(rest.analysis.slices)
    slices[0] = dataclasses.replace(slices[0], **{lacking: None, "sectors": None})
    reserve = compare_states(stress=STRESS, rest=with_slices(rest, slices))
    assert [one is None for one in reserve.maps] == [True, False, False]
    (finding,) = reserve.findings
    assert finding.slice_index == 0
    assert ("no wall is known at rest" if lacking == "masks" else "no blood flow") in finding.text


def test_nothing_at_rest_gives_nothing() -> None:
    rest = rest_exam()
    bare = [dataclasses.replace(one, masks=None, flow=None) for one in rest.analysis.slices]
    reserve = compare_states(stress=STRESS, rest=with_slices(rest, bare))
    assert reserve.maps == (None, None, None)
    assert all(math.isnan(one.reserve) for one in reserve.regions)
    assert len(reserve.findings) == 3


def test_a_rest_exam_without_slices_gives_nothing() -> None:
    rest = rest_exam()
    empty = dataclasses.replace(
        with_slices(rest, []), exam=dataclasses.replace(rest.exam, slices=())
    )
    reserve = compare_states(stress=STRESS, rest=empty)
    assert reserve.maps == (None, None, None)
    assert len(reserve.findings) == 3


def test_no_flow_at_rest_is_no_ratio() -> None:
    rest = rest_exam()
    slices = [
        dataclasses.replace(
            one, flow=dataclasses.replace(one.flow, flow_ml_min_g=0.01 * one.flow.flow_ml_min_g)
        )
        for one in rest.analysis.slices
        if one.flow is not None
    ]
    reserve = compare_states(stress=STRESS, rest=with_slices(rest, slices))
    assert all(one is not None and not one.reserve.isfinite().any() for one in reserve.maps)


def test_pixels_on_a_border_do_not_enter_what_is_carried() -> None:
    """They hold blood or fat in part, and would draw a defect along the cavity."""
    rest = rest_exam()
    slices = [
        dataclasses.replace(
            one,
            flow=dataclasses.replace(
                one.flow,
                flow_ml_min_g=torch.where(
                    counted_pixels(one.sectors), one.flow.flow_ml_min_g, 50.0
                ),
            ),
        )
        for one in rest.analysis.slices
        if one.flow is not None and one.sectors is not None
    ]
    plain = compare_states(stress=STRESS, rest=rest)
    beside = compare_states(stress=STRESS, rest=with_slices(rest, slices))
    for one, other in zip(plain.maps, beside.maps, strict=True):
        assert one is not None
        assert other is not None
        torch.testing.assert_close(one.reserve, other.reserve, equal_nan=True)


@pytest.mark.parametrize("bound_in", ["stress", "rest"])
def test_a_flow_at_a_bound_has_no_ratio(bound_in: str) -> None:
    """Left half at a bound: "at least" over a number is no number."""

    def bounded(one: AnalysedExam) -> AnalysedExam:
        slices = []
        for each in one.analysis.slices:
            assert each.flow is not None
            at_bound = torch.zeros_like(each.flow.flow_ml_min_g, dtype=torch.bool)
            at_bound[:, : at_bound.shape[1] // 2] = True
            slices.append(
                dataclasses.replace(each, flow=dataclasses.replace(each.flow, at_bound=at_bound))
            )
        return with_slices(one, slices)

    rest = rest_exam()
    stress = bounded(STRESS) if bound_in == "stress" else STRESS
    reserve = compare_states(stress=stress, rest=bounded(rest) if bound_in == "rest" else rest)
    middle = STRESS.analysis.slices[0].masks.myocardium.shape[1] // 2
    for found in reserve.maps:
        assert found is not None
        known = found.reserve.isfinite()
        assert not known[:, : middle - 1].any()
        assert int(known[:, middle + 1 :].sum()) > 100


def test_the_reserve_of_a_region_is_the_ratio_of_the_numbers_on_both_pages() -> None:
    rest = rest_exam()
    reserve = compare_states(stress=STRESS, rest=rest)
    flows = [
        {(one.name, one.layer): one.flow for one in each.analysis.regions}
        for each in (STRESS, rest)
    ]
    for one in reserve.regions:
        above, below = (each[one.name, one.layer] for each in flows)
        assert one.reserve == pytest.approx(above.mean_ml_min_g / below.mean_ml_min_g)
    assert {one.layer for one in reserve.regions} == set(Layer)
    assert sum(one.segment is not None for one in reserve.regions) == 48


def test_the_error_of_a_ratio_is_that_of_many_draws() -> None:
    """Propagation to first order against a million draws of both flows."""
    rest = rest_exam()
    reserve = compare_states(stress=STRESS, rest=rest)
    generator = np.random.default_rng(5)
    above, below = (
        next(one.flow for one in each.analysis.regions if one.name == "global")
        for each in (STRESS, rest)
    )
    drawn = [
        generator.normal(one.mean_ml_min_g, one.standard_error_ml_min_g, 1_000_000)
        for one in (above, below)
    ]
    found = next(one for one in reserve.regions if one.name == "global")
    assert found.standard_error == pytest.approx(float(np.std(drawn[0] / drawn[1])), rel=0.02)
    assert math.isfinite(found.standard_error)


def test_systematic_errors_of_both_exams_cancel_in_part() -> None:
    """First order against a million draws of both levels, which hang together."""
    size = 0.08

    def with_systematic(one: AnalysedExam) -> AnalysedExam:
        return with_slices(
            one,
            [
                dataclasses.replace(
                    each, flow=dataclasses.replace(each.flow, systematic_fraction=size)
                )
                for each in one.analysis.slices
                if each.flow is not None
            ],
        )

    exams = [with_systematic(STRESS), with_systematic(rest_exam())]
    reserve = compare_states(stress=exams[0], rest=exams[1])
    found = next(one for one in reserve.regions if one.name == "global")
    generator = np.random.default_rng(6)
    rho = SYSTEMATIC_CORRELATION
    common = generator.normal(size=1_000_000)
    drawn = []
    for each in exams:
        flow = next(one.flow for one in measure(each.analysis.slices) if one.name == "global")
        own = math.sqrt(flow.standard_error_ml_min_g**2 - (size * flow.mean_ml_min_g) ** 2)
        level = rho**0.5 * common + (1 - rho) ** 0.5 * generator.normal(size=1_000_000)
        noise = own * generator.normal(size=1_000_000)
        drawn.append(flow.mean_ml_min_g * (1 + size * level) + noise)
    assert found.standard_error == pytest.approx(float(np.std(drawn[0] / drawn[1])), rel=0.02)
