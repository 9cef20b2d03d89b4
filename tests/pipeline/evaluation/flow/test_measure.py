"""A map that is the truth has no error; one that is wrong by a known amount has just that."""

import math
from dataclasses import replace

import pytest
import torch

from models.phantom import AskedTissue, Protocol, make_exam
from pipeline.evaluation.cases import Split
from pipeline.evaluation.flow.design import Group, Trial
from pipeline.evaluation.flow.measure import measure
from pipeline.evaluation.flow.prepared import Prepared, View
from pipeline.evaluation.flow.records import FlowRecord, Motion, from_line, to_line, unique
from pipeline.evaluation.flow.statistics import of_segments, pixel_coverage
from pipeline.evaluation.flow.true_wall import narrow_sectors, segments, true_wall
from pipeline.evaluation.phantom_exam import exam_of
from pipeline.motion import identity
from pipeline.types import Analysis, FlowMap, FlowModel, PatientState, SliceAnalysis

TRIAL = Trial(
    split=Split.DEVELOPMENT,
    group=Group.CLINICAL,
    factor="",
    level="",
    seed=5040,
    protocol=Protocol(
        n_slices=1,
        matrix=(96, 96),
        arterial_matrix=(32, 32),
        n_saturation_recovery=8,
        tissue=AskedTissue(defect_share=0.5, defect_width_mm=20.0),
    ),
    slices=(0,),
)


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    exam = make_exam(TRIAL.seed, protocol=TRIAL.protocol)
    still = View(exam=exam_of(exam, (0,), moves=False), true=(true_wall(exam.slices[0], None),))
    moving = View(exam=exam_of(exam, (0,), moves=True), true=(true_wall(exam.slices[0], 5),))
    return Prepared(
        views={Motion.STILL: still, Motion.CORRECTED: moving}, truth=exam.truth, agent=exam.agent
    )


def _measured(prepared: Prepared, *, factor: float, error: float = 0.1) -> FlowRecord:
    """Measure a map that is the truth times a factor, with a standard error of its own."""
    view = prepared.views[Motion.STILL]
    true = view.true[0].flow_ml_min_g
    flow = FlowMap(
        flow_ml_min_g=factor * true,
        fit_quality=torch.ones_like(true),
        delay_s=view.true[0].delay_s,
        model=FlowModel.BTEX,
        standard_error_ml_min_g=error * true,
        at_bound=torch.zeros_like(true, dtype=torch.bool),
    )
    frames = view.exam.slices[0].frames
    result = SliceAnalysis(
        motion=identity(frames, spacing_mm=(2.0, 2.0), n_proton_density=3),
        masks=None,
        flow=flow,
        tissue_time_s=None,
        tissue_mmol_l=None,
    )
    analysis = Analysis(
        state=PatientState.STRESS, slices=(result,), arterial_motion=None, arterial_input=None
    )
    return measure(TRIAL, prepared, analysis, motion=Motion.STILL, model=FlowModel.BTEX, cpu_s=0.5)


def test_truth_has_no_error_and_finds_the_defect(prepared: Prepared) -> None:
    """Every figure is that of a perfect map."""
    record = _measured(prepared, factor=1.0)
    found = of_segments([record])
    assert found.n_values == 6
    assert found.root_mean_square < 1e-6
    assert record.pixel_median_error < 1e-6
    assert record.pixel_auc > 0.99
    assert record.delay_error_s == 0.0
    assert record.n_known == record.n_pixels
    assert pixel_coverage([record]).within_68 == 1.0
    worst = min(
        range(len(record.sector_relative_flow)), key=record.sector_relative_flow.__getitem__
    )
    assert worst == 0
    assert record.sector_defect_share[0] > 0.8


def test_error_of_a_tenth_is_found_as_such(prepared: Prepared) -> None:
    """Bias, pixel error and coverage follow; what is relative does not."""
    record = _measured(prepared, factor=1.1, error=0.07)
    assert of_segments([record]).bias == pytest.approx(0.1, abs=1e-4)
    assert record.pixel_median_error == pytest.approx(0.1, abs=1e-4)
    assert record.pixel_median_bias == pytest.approx(0.1, abs=1e-4)
    assert pixel_coverage([record]).within_68 == 0.0
    assert pixel_coverage([record]).within_95 == 1.0
    assert record.pixel_auc == _measured(prepared, factor=1.0).pixel_auc


def test_record_survives_the_file(prepared: Prepared) -> None:
    """But for digits that nobody reads; the later of two counts."""
    record = _measured(prepared, factor=1.1)
    again = from_line(to_line(record))
    assert again.key == record.key
    assert again.segment_found == pytest.approx(record.segment_found, abs=1e-5)
    assert math.isnan(again.blood_volume_error)
    assert unique([record, replace(record, cpu_s=9.0)])[0].cpu_s == 9.0
    with pytest.raises(ValueError, match="version"):
        from_line("{}")


def test_truth_follows_the_motion(prepared: Prepared) -> None:
    """In the frame that a map shows, the wall is where it is drawn and its flow is the same."""
    still, moved = (prepared.views[motion].true[0] for motion in (Motion.STILL, Motion.CORRECTED))
    assert not torch.equal(still.wall, moved.wall)
    means = [float(true.flow_ml_min_g.nanmean()) for true in (still, moved)]
    assert means[0] == pytest.approx(means[1], rel=0.02)
    assert bool(moved.flow_ml_min_g[moved.wall].isfinite().all())


def test_sectors_divide_the_wall(prepared: Prepared) -> None:
    """Six equal parts, four in the apex; the first narrow one is the defect."""
    true = prepared.views[Motion.STILL].true[0]
    for is_apical, count in ((False, 6), (True, 4)):
        labels = segments(true, is_apical=is_apical)
        sizes = torch.bincount(labels[true.wall])[1:]
        assert len(sizes) == count
        assert float(sizes.max() / sizes.min()) < 2.5
        assert not bool(labels[~true.wall].any())
    first = narrow_sectors(true) == 1
    overlap = (first & (true.defect_share > 0.5)).sum() / first.sum()
    assert float(overlap) > 0.85
