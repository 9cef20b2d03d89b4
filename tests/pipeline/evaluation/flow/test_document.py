"""Results become a document with goals, tables and pictures, also when there are few of them."""

import math
from dataclasses import fields

import numpy as np
import pytest

from models.phantom import TissueModel
from pipeline.evaluation.cases import Split
from pipeline.evaluation.flow import plots
from pipeline.evaluation.flow.curve_trials import CurveRow, curve_line, curve_row
from pipeline.evaluation.flow.design import FACTORS, Group, factor_trials
from pipeline.evaluation.flow.goals import verdicts
from pipeline.evaluation.flow.plan import Task, key_of, tasks
from pipeline.evaluation.flow.records import FlowRecord, Motion
from pipeline.evaluation.flow.summary import document
from pipeline.evaluation.summary import reading_of
from pipeline.types import FlowModel


def _record(**changes: object) -> FlowRecord:
    numbers = {each.name: 0.05 for each in fields(FlowRecord) if each.type in (float, "float")}
    counts = {each.name: 10 for each in fields(FlowRecord) if each.type in (int, "int")}
    words = {
        "split": Split.HELD_OUT.value,
        "group": Group.CLINICAL.value,
        "factor": "",
        "level": "",
        "motion": Motion.CORRECTED.value,
        "model": FlowModel.BTEX.value,
        "tissue": TissueModel.PLUG_FLOW.value,
        "codes": ("P05",),
        "segment_true": (1.0, 2.0),
        "segment_found": (1.02, 2.02),
        "region_true": (1.0, 2.0),
        "region_found": (1.05, 2.3),
        "region_standard_error": (0.1, 0.1),
        "sector_defect_share": (1.0, 0.0, 0.0),
        "sector_relative_flow": (0.5, 1.0, math.nan),
    }
    counts |= {"n_with_error": 100, "n_within_68": 70, "n_within_95": 80}
    return FlowRecord(**{**numbers, **counts, **words, **changes})


RECORDS = [
    _record(),
    _record(motion=Motion.STILL.value),
    _record(model=FlowModel.FERMI.value, segment_found=(1.2, math.nan)),
    _record(group=Group.FACTOR.value, factor="MBF", level="3"),
    _record(group=Group.FACTOR.value, factor="MBF", level="1"),
    _record(group=Group.RANDOM.value, seed=11),
]
CURVE = CurveRow(
    tissue="plug flow",
    signal_to_noise=20.0,
    model="btex",
    n_voxels=100,
    bias=0.01,
    median_error=0.2,
    within_68=math.nan,
    within_95=0.9,
    missing_fraction=0.0,
    voxels_per_s=1e4,
)


def test_goals_are_judged() -> None:
    """Bias of 1.5 % meets, a 95 % interval that holds 80 % misses."""
    found = {verdict.text: verdict for verdict in verdicts(RECORDS[:1])}
    assert found["segment bias, size, %"].found == pytest.approx(1.5)
    assert found["segment bias, size, %"].is_met
    assert found["defect of 1 cm at half flow: AUC of sectors"].found == 1.0
    assert found["pixels: 68 % interval off by, points"].is_met
    assert found["pixels: 95 % interval off by, points"].found == pytest.approx(15.0)
    assert not found["pixels: 95 % interval off by, points"].is_met
    assert found["segments: 68 % interval off by, points"].found == pytest.approx(18.27, abs=0.01)


def test_document_holds_reading_goals_and_tables() -> None:
    """What was written by hand stays."""
    text = document(RECORDS, [CURVE], reading="What I read.", pictures=("![a](b.png)",))
    assert reading_of(text) == "What I read."
    assert "met, 1.5 to spare" in text
    assert "| btex | corrected | 1 | 2 | 1.5 |" in text
    assert "| MBF | 3 | 1 |" in text
    assert "| plug flow | 20 | btex | 100 | 1.0 | 20.0 | - | 90.0 |" in text
    assert "P05 (1)" in text
    assert "## Goals" in document([], [], reading="", pictures=())


@pytest.mark.parametrize("records", [RECORDS, []])
def test_plots_are_drawn(records: list[FlowRecord]) -> None:
    """Of many results and of none."""
    for figure in (
        plots.agreement_plot(records, FlowModel.BTEX),
        plots.bias_plot(records),
        plots.factor_plot(records, FlowModel.BTEX),
        plots.coverage_plot(records, FlowModel.BTEX),
        plots.defect_plot(records),
        plots.model_plot(records),
    ):
        figure.canvas.draw()
        pixels = np.asarray(figure.canvas.buffer_rgba())
        assert pixels.min() < 100 < pixels.max()


def test_curve_rows_survive_the_file() -> None:
    """A figure that is not there stays so."""
    again = curve_row(curve_line(CURVE))
    assert math.isnan(again.within_68)
    assert again.bias == CURVE.bias
    with pytest.raises(ValueError, match="version"):
        curve_row("[]")


def test_tasks_leave_out_what_is_done() -> None:
    """Factors but flow are fitted with the default only; what is done is not done again."""
    trials = factor_trials(Split.DEVELOPMENT, "field", 1)
    models = (FlowModel.BTEX, FlowModel.FERMI)
    every = tasks(trials, models, frozenset())
    assert [len(task.missing) for task in every] == [2, 2]
    assert (Motion.STILL, FlowModel.FERMI) not in every[0].wanted
    flow = tasks(factor_trials(Split.DEVELOPMENT, "MBF", 1), models, frozenset())
    assert {len(task.missing) for task in flow} == {4}
    done = frozenset(key_of(trials[0], *each) for each in every[0].wanted)
    assert [task.trial for task in tasks(trials, models, done)] == [trials[1]]
    assert Task(trial=trials[0], wanted=every[0].wanted, done=done).missing == ()


@pytest.mark.parametrize("factor", FACTORS)
def test_levels_of_a_factor_differ_in_it_alone(factor: str) -> None:
    """And share their patient."""
    trials = factor_trials(Split.DEVELOPMENT, factor, 1)
    assert len({trial.seed for trial in trials}) == 1
    assert len({(repr(trial.protocol), trial.has_arterial_series) for trial in trials}) == len(
        trials
    )
