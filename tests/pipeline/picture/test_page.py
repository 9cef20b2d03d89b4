"""The page: fixed size and colours, deterministic, and complete for any analysis."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pipeline.findings import ACTIONS, Code, Finding, Grade
from pipeline.picture import PAGE_SHAPE, Provenance, draw_failure_page, draw_page
from pipeline.picture.colour import flow_colours
from pipeline.picture.paint import colour_of, paint
from pipeline.picture.scale import FLOW_SCALE, ColourTable
from pipeline.regions import FlowStatistics, Layer, RegionFlow
from pipeline.types import (
    Analysis,
    ArterialInput,
    ArterialInputSource,
    Exam,
    FlowMap,
    Geometry,
    HeartMasks,
    ImageSeries,
    MotionCorrection,
    MotionQuality,
    PatientState,
    SliceAnalysis,
)

N_FRAMES = 24
SIZE = 72
PROVENANCE = Provenance(
    software="perfnode test",
    created="2026-01-01",
    label="RESEARCH ONLY",
    motion="learned: anatomy sha256 1a2b3c4d",
)
QUALITY = MotionQuality(
    roughness_before=0.2,
    roughness_after=0.1,
    pca_metric_before=3.0,
    pca_metric_after=2.0,
    sharpness_before=1.0,
    sharpness_after=1.1,
    folded_fraction=0.0,
    mean_displacement_px=1.0,
)


def _disc(radius: float) -> torch.Tensor:
    grid = torch.arange(SIZE, dtype=torch.float32) - SIZE / 2
    return (grid[:, None] ** 2 + grid[None, :] ** 2).sqrt() < radius


def _series() -> ImageSeries:
    time_s = torch.cumsum(torch.full((N_FRAMES,), 0.8, dtype=torch.float64), dim=0)
    bolus = torch.exp(-0.5 * ((torch.arange(N_FRAMES) - 10) / 3.0) ** 2)
    frames = (
        100
        + 900 * bolus[:, None, None] * _disc(8)[None]
        + 50 * torch.rand((N_FRAMES, SIZE, SIZE), generator=torch.Generator().manual_seed(1))
    )
    return ImageSeries(
        frames=frames,
        time_s=time_s,
        n_proton_density=3,
        geometry=Geometry(
            spacing_mm=(2.0, 2.0),
            thickness_mm=8.0,
            origin_mm=(0.0, 0.0, 0.0),
            row_direction=(1.0, 0.0, 0.0),
            column_direction=(0.0, 1.0, 0.0),
        ),
        sequence=None,
        proton_density=None,
    )


def _slice_analysis(series: ImageSeries) -> SliceAnalysis:
    myocardium = _disc(14) & ~_disc(8)
    flow = torch.where(_disc(20), torch.tensor(2.5), torch.tensor(torch.nan))
    return SliceAnalysis(
        motion=MotionCorrection(
            frames=series.frames,
            displacement=torch.zeros(N_FRAMES, 2, SIZE, SIZE),
            reference=15,
            method="iterative",
            quality=QUALITY,
            is_unlike=torch.zeros(N_FRAMES, dtype=torch.bool),
        ),
        masks=HeartMasks(myocardium=myocardium, left_ventricle=_disc(8), right_ventricle=None),
        flow=FlowMap(
            flow_ml_min_g=flow, fit_quality=torch.ones_like(flow), delay_s=torch.zeros_like(flow)
        ),
        tissue_time_s=series.time_s[3:],
        tissue_mmol_l=torch.linspace(0, 0.6, N_FRAMES - 3),
    )


def _case(n_slices: int = 3) -> tuple[Exam, Analysis]:
    series = _series()
    exam = Exam(
        state=PatientState.STRESS,
        field_strength_t=3.0,
        slices=(series,) * n_slices,
        arterial_input=None,
    )
    analysis = Analysis(
        state=PatientState.STRESS,
        slices=(_slice_analysis(series),) * n_slices,
        arterial_motion=None,
        arterial_input=ArterialInput(
            time_s=series.time_s,
            concentration_mmol_l=torch.linspace(0, 4, N_FRAMES),
            mask=_disc(5),
            source=ArterialInputSource.DUAL_SEQUENCE,
            foot=6,
            peak=10,
            valley=16,
        ),
    )
    return exam, analysis


def test_page_is_rgb_of_the_promised_size() -> None:
    page = draw_page(*_case(), PROVENANCE)
    assert page.shape == (*PAGE_SHAPE, 3)
    assert page.dtype == np.uint8
    assert page.std() > 10


def test_same_analysis_gives_the_same_pixels() -> None:
    assert np.array_equal(draw_page(*_case(), PROVENANCE), draw_page(*_case(), PROVENANCE))


def test_flow_has_its_fixed_colour_on_the_page() -> None:
    page = draw_page(*_case(), PROVENANCE)
    expected = np.round(255 * np.array(colour_of(2.5, FLOW_SCALE, ColourTable.PERFUSION)))
    near = np.abs(page.astype(float) - expected).max(axis=-1) <= 1
    assert near.sum() > 3000


def test_unknown_flow_shows_the_image_in_grey() -> None:
    unknown, image = np.full((4, 4), np.nan), np.arange(16.0).reshape(4, 4)
    rgb = paint(unknown, image, FLOW_SCALE, ColourTable.PERFUSION)
    assert np.ptp(rgb, axis=-1).max() == pytest.approx(0.0)


def test_colours_rise_in_lightness() -> None:
    rgb = flow_colours()(np.linspace(0, 1, 64))[:, :3]
    luminance = rgb @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luminance) > -1e-3).all()


@pytest.mark.parametrize("n_slices", [1, 2, 3, 5])
def test_any_number_of_slices_is_drawn(n_slices: int) -> None:
    assert draw_page(*_case(n_slices), PROVENANCE).shape == (*PAGE_SHAPE, 3)


def test_page_without_any_result_is_drawn() -> None:
    exam, analysis = _case()
    bare = replace(
        analysis.slices[0], masks=None, flow=None, tissue_time_s=None, tissue_mmol_l=None
    )
    empty = replace(
        analysis,
        slices=(bare,) * 3,
        arterial_input=None,
        findings=tuple(
            Finding(code=code, grade=Grade.FAIL, text="a long sentence " * 6) for code in Code
        ),
    )
    assert draw_page(exam, empty, PROVENANCE).shape == (*PAGE_SHAPE, 3)


def test_findings_change_the_page() -> None:
    exam, analysis = _case()
    finding = Finding(code=Code.RESIDUAL_MOTION, grade=Grade.REVIEW, text="motion", slice_index=1)
    marked = replace(analysis, findings=(finding,))
    assert not np.array_equal(
        draw_page(exam, analysis, PROVENANCE), draw_page(exam, marked, PROVENANCE)
    )


def test_numbers_of_regions_are_on_the_page() -> None:
    exam, analysis = _case()
    flow = FlowStatistics(
        mean_ml_min_g=2.5,
        median_ml_min_g=2.5,
        sd_ml_min_g=0.1,
        standard_error_ml_min_g=0.1,
        n_pixels=90,
        valid_fraction=1.0,
    )
    region = RegionFlow(name="7 mid anterior", layer=Layer.WHOLE, flow=flow, segment=7)
    measured = replace(analysis, regions=(region,))
    pages = [draw_page(exam, one, PROVENANCE) for one in (analysis, measured)]
    changed = (pages[0] != pages[1]).any(axis=-1)
    assert changed[66:416, 1094:1444].any()
    assert changed[424:1000, 1018:1512].any()
    assert not changed[:, :1010].any()


def test_the_blood_pool_has_no_colour_on_the_map() -> None:
    page = draw_page(*_case(), PROVENANCE).astype(int)
    panel = page[96 + 128 : 96 + 168, 24 + 128 : 24 + 168]
    assert np.ptp(panel, axis=-1).max() <= 1


@pytest.mark.parametrize("code", list(Code))
def test_failure_page_exists_for_every_code(code: Code) -> None:
    page = draw_failure_page(
        code=code, text="why " * 30, reference="S-000000", delivered="nothing", footer="foot"
    )
    assert page.shape == (*PAGE_SHAPE, 3)
    assert ACTIONS[code]
