"""The whole analysis on the phantom, and every bad exam that must end in words, not in a crash."""

import dataclasses

import pytest
import torch

from models.networks import Networks
from pipeline.analyse import analyse
from pipeline.findings import Code, Grade
from pipeline.types import Analysis, ArterialInputSource, Exam, PatientState
from tests.pipeline.exams import (
    as_exam,
    at_reference,
    cut_all,
    one_slice,
    parameters,
    phantom,
    with_series,
)


def run(exam: Exam) -> Analysis:
    """Analyse without motion correction, which bad exams do not need."""
    return analyse(exam, parameters(phantom(), correct_motion=False))


def still() -> Exam:
    return one_slice(as_exam())


def failures(analysis: Analysis) -> set[Code]:
    return {found.code for found in analysis.findings if found.grade is Grade.FAIL}


def errors(analysis: Analysis, *, motion: bool) -> torch.Tensor:
    """Return relative errors of flow in pixels that are muscle in truth and in the mask."""
    parts = []
    scanned = phantom().slices if len(analysis.slices) > 1 else phantom().slices[1:2]
    for result, series in zip(analysis.slices, scanned, strict=True):
        assert result.flow is not None
        assert result.masks is not None
        reference = result.motion.reference
        flow, mask = result.flow.flow_ml_min_g, result.masks.myocardium
        if motion:
            flow = at_reference(flow, series, reference)
            mask = at_reference(mask, series, reference)
        true = series.truth.flow_ml_min_g
        both = mask & series.truth.reference_myocardium & flow.isfinite()
        parts.append((flow[both] / true[both] - 1.0).double())
    return torch.cat(parts)


@pytest.fixture(scope="module")
def stages() -> list[tuple[str, float]]:
    return []


@pytest.fixture(scope="module")
def moving(stages) -> Analysis:
    """Return the whole analysis of a breathing patient under stress.

    All slices: together they tell of arrival what the curves of one do not.
    """
    exam = as_exam(motion=True)
    return analyse(
        exam,
        parameters(phantom(), correct_motion=True),
        progress=lambda stage, fraction: stages.append((stage, fraction)),
    )


def _with_a_slice_elsewhere() -> Exam:
    """Return an exam whose last slice is said to lie 70 mm beside its place."""
    exam = as_exam()
    last = exam.slices[-1]
    x, y, z = last.geometry.origin_mm
    moved = dataclasses.replace(last.geometry, origin_mm=(x + 70.0, y, z))
    return dataclasses.replace(
        exam, slices=(*exam.slices[:-1], dataclasses.replace(last, geometry=moved))
    )


@pytest.mark.parametrize(
    ("networks", "text"),
    [
        (None, "where the other series of the exam have the heart"),
        (Networks(anatomy=None, published=None), "beside the heart of the other"),
    ],
)
def test_nothing_is_measured_where_the_other_slices_have_no_heart(networks, text):
    constants = parameters(phantom(), correct_motion=False)
    found = analyse(_with_a_slice_elsewhere(), constants, networks=networks)
    assert [result.masks is None for result in found.slices] == [False, False, True]
    told = [each for each in found.findings if text in each.text]
    assert [(each.code, each.grade, each.slice_index) for each in told] == [
        (Code.SEGMENTATION_UNCERTAIN, Grade.FAIL, 2)
    ]
    measured = {region.segment for region in found.regions if region.segment is not None}
    assert measured == set(range(1, 13))  # basal and mid


def test_flow_of_a_moving_exam_agrees_with_the_truth(moving):
    """The level that all pixels of one exam share is told to an eighth (docs/evidence)."""
    found = errors(moving, motion=True)
    level = found.median()
    assert abs(float(level)) < 2 * 0.12
    assert float((found - level).abs().median()) < 0.2
    assert moving.is_quantified
    assert not failures(moving)


def test_defect_and_healthy_wall_are_told_apart(moving):
    assert 1 in phantom().truth.defect_slices
    result, series = moving.slices[1], phantom().slices[1]
    flow = at_reference(result.flow.flow_ml_min_g, series, result.motion.reference)
    defect = series.truth.defect
    healthy = series.truth.reference_myocardium & ~defect
    assert float(flow[defect].nanmedian()) < 0.7 * float(flow[healthy].nanmedian())


def test_everything_a_reader_needs_is_there(moving):
    assert moving.arterial_input is not None
    assert moving.arterial_motion is not None
    result = moving.slices[1]
    assert result.tissue_mmol_l.shape == result.tissue_time_s.shape == (60,)
    assert 0.3 < float(result.tissue_mmol_l.max()) < 1.0
    valid = result.flow.flow_ml_min_g[result.masks.myocardium].isfinite()
    assert float(valid.double().mean()) > 0.9
    assert result.flow.flow_ml_min_g.isfinite().sum() > 2 * result.masks.myocardium.sum()


def test_progress_grows_to_one_and_names_its_stages(moving, stages):
    fractions = [fraction for _, fraction in stages]
    assert fractions == sorted(fractions)
    assert fractions[0] >= 0.0
    assert fractions[-1] == 1.0
    assert all(stage for stage, _ in stages)


def test_a_still_exam_is_quantified_by_the_deconvolution_alone():
    result = run(as_exam())
    found = errors(result, motion=False)
    assert float(found.abs().median()) < 0.15
    assert abs(float(found.median())) < 0.12


def test_the_same_exam_gives_the_same_bytes():
    first, second = run(still()), run(still())
    flow = [analysis.slices[0].flow.flow_ml_min_g for analysis in (first, second)]
    assert torch.equal(flow[0].nan_to_num(-1.0), flow[1].nan_to_num(-1.0))


def test_without_an_arterial_series_the_cavity_serves_and_is_said_to():
    result = run(dataclasses.replace(still(), arterial_input=None))
    assert failures(result) == set()
    assert result.arterial_input is not None
    assert result.arterial_input.source is ArterialInputSource.SINGLE_SEQUENCE
    assert result.arterial_input.slice_index == 0
    assert result.is_quantified
    said = [found for found in result.findings if found.code is Code.ARTERIAL_INPUT_SATURATED]
    assert any("overestimated" in found.text for found in said)
    assert {found.grade for found in said} <= {Grade.REVIEW, Grade.NOTE}


def test_without_an_arterial_series_and_a_sequence_tissue_stays_as_it_was():
    bare = with_series(dataclasses.replace(still(), arterial_input=None), sequence=None)
    result = run(bare)
    assert Code.NO_ARTERIAL_INPUT in failures(result)
    assert result.arterial_input is None
    assert result.slices[0].flow is None
    assert result.slices[0].motion.frames.shape == still().slices[0].frames.shape


def test_without_sequence_parameters_only_that_slice_has_no_flow():
    exam = as_exam()
    unknown = dataclasses.replace(exam.slices[0], sequence=None)
    result = run(dataclasses.replace(exam, slices=(unknown, exam.slices[1])))
    assert failures(result) == {Code.UNSUPPORTED_SEQUENCE}
    assert result.slices[0].flow is None
    assert result.slices[1].flow is not None


def test_without_arterial_sequence_parameters_there_is_no_flow():
    exam = still()
    unknown = dataclasses.replace(exam.arterial_input, sequence=None)
    result = run(dataclasses.replace(exam, arterial_input=unknown))
    assert failures(result) == {Code.UNSUPPORTED_SEQUENCE}
    assert not result.is_quantified


@pytest.fixture(scope="module")
def without_density() -> Analysis:
    exam = still()
    series = exam.slices[0]
    return run(
        with_series(exam, frames=series.frames[3:], time_s=series.time_s[3:], n_proton_density=0)
    )


def test_without_proton_density_flow_is_computed_with_a_warning(without_density):
    result = without_density
    assert result.is_quantified
    warned = [found for found in result.findings if "native T1" in found.text]
    assert [(found.code, found.grade) for found in warned] == [
        (Code.UNSUPPORTED_SEQUENCE, Grade.REVIEW)
    ]
    assert float(errors_of_one(result).abs().median()) < 0.5


def test_blood_of_the_right_ventricle_is_not_taken_for_the_baseline_of_the_septum(without_density):
    """Without proton density the baseline is the scale; RV blood in it cost the septum 60 %."""
    truth = phantom().slices[1].truth
    right = truth.reference_right_ventricle.float()[None]
    septum = torch.nn.functional.max_pool2d(right, 5, 1, 2)[0] > 0
    septum &= truth.reference_myocardium
    flow = without_density.slices[0].flow.flow_ml_min_g
    known = septum & flow.isfinite()
    assert int(known.sum()) > 50
    assert abs(float((flow[known] / truth.flow_ml_min_g[known] - 1.0).median())) < 0.2


def errors_of_one(analysis: Analysis) -> torch.Tensor:
    truth = phantom().slices[1].truth
    flow = analysis.slices[0].flow.flow_ml_min_g
    both = truth.reference_myocardium & flow.isfinite()
    return flow[both] / truth.flow_ml_min_g[both] - 1.0


def test_a_single_slice_of_unknown_state_is_quantified_and_noted():
    result = run(dataclasses.replace(still(), state=PatientState.UNKNOWN))
    assert result.is_quantified
    codes = {found.code for found in result.findings}
    assert {Code.FEW_SLICES, Code.STATE_MISSING} <= codes


def test_no_slices_at_all():
    result = run(dataclasses.replace(still(), slices=()))
    assert Code.NO_PERFUSION_SERIES in failures(result)
    assert result.slices == ()


@pytest.mark.parametrize(
    ("keep", "what"),
    [
        (slice(14, None), "bolus at the first frame"),
        (slice(18), "cut off during the bolus"),
        (slice(8), "ends before the bolus"),
        (slice(20), "twenty beats"),
        (slice(1), "one frame"),
        (slice(0), "no perfusion frame"),
    ],
)
def test_a_bolus_that_is_not_covered_is_said(keep, what):
    result = run(cut_all(still(), keep))
    assert failures(result) & {Code.BOLUS_NOT_COVERED, Code.NO_ARTERIAL_INPUT}, what
    assert not result.is_quantified
    assert len(result.slices) == 1


def spoilt(kind: str) -> Exam:
    """Return an exam whose tissue frames are no tissue."""
    exam = still()
    frames = exam.slices[0].frames
    noise = torch.randn(frames.shape, generator=torch.Generator().manual_seed(3))
    made = {
        "zero": torch.zeros_like(frames),
        "constant": torch.full_like(frames, 300.0),
        "noise": 300.0 + 20.0 * noise,
        "nan": torch.full_like(frames, torch.nan),
    }[kind]
    return with_series(exam, frames=made)


@pytest.mark.parametrize("kind", ["zero", "constant", "noise", "nan"])
def test_frames_that_show_no_tissue_give_no_flow_and_no_crash(kind):
    result = run(spoilt(kind))
    assert failures(result)
    flow = result.slices[0].flow
    assert flow is None or float(flow.flow_ml_min_g.isfinite().double().mean()) < 0.05


@pytest.mark.parametrize("value", [torch.nan, 0.0, 1e6])
def test_a_spoilt_pixel_stays_alone(value):
    exam = still()
    clean = run(exam).slices[0]
    row, column = torch.nonzero(clean.masks.myocardium)[40].tolist()
    frames = exam.slices[0].frames.clone()
    frames[30, row, column] = value
    flow = run(with_series(exam, frames=frames)).slices[0].flow
    assert flow is not None
    assert int(flow.flow_ml_min_g.isfinite().sum()) > 0.9 * int(
        clean.flow.flow_ml_min_g.isfinite().sum()
    )


def test_a_failing_slice_does_not_take_the_others_along():
    exam = as_exam()
    empty = dataclasses.replace(exam.slices[0], frames=torch.zeros_like(exam.slices[0].frames))
    result = run(dataclasses.replace(exam, slices=(empty, exam.slices[1])))
    assert result.slices[1].flow is not None
    assert {found.slice_index for found in result.findings if found.grade is Grade.FAIL} == {0}


def test_a_missed_trigger_in_the_first_pass_is_reported():
    exam = still()
    series = exam.slices[0]
    keep = torch.ones(series.time_s.shape[0], dtype=torch.bool)
    keep[20] = False
    result = run(with_series(exam, frames=series.frames[keep], time_s=series.time_s[keep]))
    assert Code.MISSED_TRIGGERS in {found.code for found in result.findings}
    assert result.is_quantified
