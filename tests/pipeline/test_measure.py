"""Numbers of regions on rings whose flow is known."""

import dataclasses
import math

import pytest
import torch
from torch import Tensor

from pipeline.measure import (
    MARGIN_PX,
    MIN_VALID_FRACTION,
    PIXELS_PER_SAMPLE,
    SHARED_FRACTION,
    measure,
    statistics_of,
)
from pipeline.motion import identity
from pipeline.regions import SEGMENTS, TERRITORIES, Layer, RegionFlow, SliceLevel, territory_of
from pipeline.segment.sectors import divide
from pipeline.types import FlowMap, SliceAnalysis
from tests.pipeline.segment.ring import cut

LEVELS = {SliceLevel.BASAL: 5.0, SliceLevel.MID: 25.0, SliceLevel.APICAL: 45.0}


def flow_map(flow: Tensor, error: Tensor | None = None) -> FlowMap:
    return FlowMap(
        flow_ml_min_g=flow,
        fit_quality=torch.ones_like(flow),
        delay_s=torch.zeros_like(flow),
        standard_error_ml_min_g=error,
    )


def ring(level: SliceLevel, **options: float) -> SliceAnalysis:
    """Return a slice whose flow is a tenth of the AHA number, and 2 ml/min/g less in the blood."""
    true = cut(offset_mm=LEVELS[level], level=level, **options)
    sectors = divide(true.masks, true.geometry, level)
    flow = torch.where(sectors.segment > 0, 0.1 * sectors.segment.float(), -2.0)
    return SliceAnalysis(
        motion=identity(torch.rand(4, *flow.shape), spacing_mm=(2.0, 2.0), n_proton_density=0),
        masks=true.masks,
        flow=flow_map(flow, torch.full_like(flow, 0.2)),
        tissue_time_s=None,
        tissue_mmol_l=None,
        sectors=sectors,
    )


@pytest.fixture(scope="module")
def slices() -> list[SliceAnalysis]:
    return [ring(level) for level in LEVELS]


def region(regions: tuple[RegionFlow, ...], name: str, layer: Layer = Layer.WHOLE) -> RegionFlow:
    found = [one for one in regions if one.name == name and one.layer is layer]
    assert len(found) == 1
    return found[0]


def with_flow(result: SliceAnalysis, flow: Tensor) -> SliceAnalysis:
    return dataclasses.replace(result, flow=flow_map(flow))


def test_every_segment_has_its_own_flow(slices: list[SliceAnalysis]) -> None:
    regions = measure(slices)
    found = {one.segment: one for one in regions if one.segment and one.layer is Layer.WHOLE}
    assert sorted(found) == list(range(1, 17))
    for number, one in found.items():
        assert one.flow.mean_ml_min_g == pytest.approx(0.1 * number, abs=1e-6)
        assert one.flow.median_ml_min_g == pytest.approx(0.1 * number, abs=1e-6)
        assert one.flow.sd_ml_min_g == pytest.approx(0.0, abs=1e-6)
        assert one.flow.valid_fraction == 1.0
    assert region(regions, "7 mid anterior").segment == 7


def test_names_and_layers_are_complete(slices: list[SliceAnalysis]) -> None:
    regions = measure(slices[::-1])
    names = [one.name for one in regions if one.layer is Layer.WHOLE]
    assert names[:7] == ["global", "basal", "mid", "apical", "LAD", "RCA", "LCX"]
    assert len(names) == 23
    assert len(regions) == 3 * 23


def test_wholes_are_the_sum_of_their_parts(slices: list[SliceAnalysis]) -> None:
    regions = measure(slices)
    n_all = region(regions, "global").flow.n_pixels
    halves = [region(regions, "global", layer).flow.n_pixels for layer in tuple(Layer)[1:]]
    assert sum(halves) == n_all
    assert sum(region(regions, level).flow.n_pixels for level in LEVELS) == n_all
    assert sum(region(regions, name).flow.n_pixels for name in TERRITORIES) == n_all
    lad = [one for one in regions if one.segment in TERRITORIES["LAD"] and one.layer is Layer.WHOLE]
    weighted = sum(one.flow.mean_ml_min_g * one.flow.n_pixels for one in lad)
    n_lad = sum(one.flow.n_pixels for one in lad)
    assert region(regions, "LAD").flow.mean_ml_min_g == pytest.approx(weighted / n_lad)


def test_halves_measure_their_own_side(slices: list[SliceAnalysis]) -> None:
    result = slices[1]
    assert result.sectors is not None
    flow = torch.where(result.sectors.is_endocardial, 1.0, 3.0)
    regions = measure([with_flow(result, flow)])
    assert region(regions, "mid", Layer.ENDOCARDIAL).flow.mean_ml_min_g == 1.0
    assert region(regions, "mid", Layer.EPICARDIAL).flow.mean_ml_min_g == 3.0
    assert 1.0 < region(regions, "mid").flow.mean_ml_min_g < 3.0


def test_pixels_that_a_border_cuts_do_not_count(slices: list[SliceAnalysis]) -> None:
    result = slices[1]
    assert result.sectors is not None
    cut_by_border = (result.sectors.segment > 0) & (result.sectors.border_px < MARGIN_PX)
    assert int(cut_by_border.sum()) > 50
    flow = torch.where(cut_by_border, 9.0, 2.0)
    assert region(measure([with_flow(result, flow)]), "global").flow.mean_ml_min_g == 2.0


@pytest.mark.parametrize("wall_px", [0, 1])
def test_a_thin_wall_keeps_half_of_its_pixels(wall_px: int) -> None:
    result = ring(SliceLevel.MID)
    assert result.sectors is not None
    thin = torch.where(result.sectors.border_px > 0, 0.1 + 0.1 * wall_px, 0.0)
    sectors = dataclasses.replace(result.sectors, border_px=thin)
    regions = measure([dataclasses.replace(result, sectors=sectors)])
    n_wall = int((sectors.segment > 0).sum())
    assert region(regions, "global").flow.n_pixels >= n_wall / 2
    assert all(one.flow.n_pixels > 0 for one in regions)


def test_a_region_without_enough_flow_is_nan(slices: list[SliceAnalysis]) -> None:
    result = slices[1]
    assert result.flow is not None
    assert result.sectors is not None
    flow = result.flow.flow_ml_min_g.clone()
    flow[result.sectors.segment == 8] = float("nan")
    regions = measure([with_flow(result, flow)])
    lost = region(regions, "8 mid anteroseptal").flow
    assert math.isnan(lost.mean_ml_min_g)
    assert math.isnan(lost.standard_error_ml_min_g)
    assert lost.valid_fraction == 0.0
    assert region(regions, "9 mid inferoseptal").flow.mean_ml_min_g == pytest.approx(0.9)
    whole = region(regions, "mid").flow
    assert 0.7 < whole.valid_fraction < 0.95
    assert not math.isnan(whole.mean_ml_min_g)


@pytest.mark.parametrize(("n_valid", "has_number"), [(49, False), (50, True)])
def test_half_of_the_pixels_is_the_limit(n_valid: int, has_number: bool) -> None:
    assert MIN_VALID_FRACTION == 0.5
    flow = torch.full((100,), float("nan"), dtype=torch.float64)
    flow[:n_valid] = 1.0
    found = statistics_of(flow, torch.full_like(flow, 0.1), torch.zeros_like(flow))
    assert math.isnan(found.mean_ml_min_g) is not has_number
    assert found.n_pixels == n_valid


def test_error_of_a_mean_is_that_of_correlated_samples() -> None:
    """Simulate samples that share a part of their error, m pixels each, and one error of all."""
    n_samples, n_runs, error, systematic = 30, 20000, 0.3, 0.1
    generator = torch.Generator().manual_seed(0)
    every, shared = torch.randn(2, n_runs, 1, generator=generator, dtype=torch.float64)
    own = torch.randn(n_runs, n_samples, generator=generator, dtype=torch.float64)
    drawn = error * (SHARED_FRACTION**0.5 * shared + (1 - SHARED_FRACTION) ** 0.5 * own)
    expected = float((systematic * every + drawn).mean(dim=1).std())
    n_pixels = round(n_samples * PIXELS_PER_SAMPLE)
    flow = torch.ones(n_pixels, dtype=torch.float64)
    found = statistics_of(
        flow, torch.full_like(flow, math.hypot(error, systematic)), systematic * flow
    )
    assert found.standard_error_ml_min_g == pytest.approx(expected, rel=0.03)


def test_no_mean_is_better_than_what_all_pixels_share() -> None:
    flow = torch.full((10000,), 2.0, dtype=torch.float64)
    found = statistics_of(flow, 0.15 * flow, 0.14 * flow).standard_error_ml_min_g
    assert 0.28 < found < 0.29


def test_error_of_few_pixels_is_not_below_that_of_one_sample() -> None:
    flow = torch.ones(3, dtype=torch.float64)
    found = statistics_of(flow, 0.4 * flow, 0.0 * flow)
    assert found.standard_error_ml_min_g == pytest.approx(0.4)


def test_without_errors_of_pixels_the_spread_is_taken() -> None:
    flow = torch.tensor([1.0, 3.0], dtype=torch.float64).repeat(32)
    found = statistics_of(flow, torch.full_like(flow, float("nan")), torch.zeros_like(flow))
    assert found.standard_error_ml_min_g == pytest.approx((PIXELS_PER_SAMPLE / 64) ** 0.5)


def test_what_a_map_says_its_pixels_share_stays_in_every_region(
    slices: list[SliceAnalysis],
) -> None:
    result = slices[1]
    assert result.flow is not None
    shared = dataclasses.replace(
        result.flow,
        flow_ml_min_g=torch.full_like(result.flow.flow_ml_min_g, 2.0),
        systematic_fraction=0.1,
    )
    for one in measure([dataclasses.replace(result, flow=shared)]):
        assert one.flow.standard_error_ml_min_g == pytest.approx(0.2, rel=1e-6)


def test_a_slice_without_flow_or_sectors(slices: list[SliceAnalysis]) -> None:
    no_flow = dataclasses.replace(slices[0], flow=None)
    regions = measure([no_flow, *slices[1:]])
    assert math.isnan(region(regions, "basal").flow.mean_ml_min_g)
    assert region(regions, "mid").flow.mean_ml_min_g == pytest.approx(0.95, abs=0.1)
    assert measure([dataclasses.replace(slices[0], sectors=None)]) == ()
    assert measure([]) == ()


def test_without_segments_there_are_levels_only(slices: list[SliceAnalysis]) -> None:
    result = slices[0]
    assert result.sectors is not None
    blank = dataclasses.replace(result.sectors, segment=torch.zeros_like(result.sectors.segment))
    names = {one.name for one in measure([dataclasses.replace(result, sectors=blank)])}
    assert names == {"global", "basal"}


def test_each_segment_has_one_territory() -> None:
    numbers = sorted(number for part in TERRITORIES.values() for number in part)
    assert numbers == list(range(1, 17)) == [n for part in SEGMENTS.values() for n in part]
    assert territory_of(14) == "LAD"
    assert territory_of(3) == "RCA"
    assert territory_of(16) == "LCX"
