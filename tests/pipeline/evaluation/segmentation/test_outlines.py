import math
from dataclasses import replace

import pytest
import torch

from models.networks import Networks
from models.phantom import Breathing, Protocol
from pipeline.evaluation.cases import Split, Subject
from pipeline.evaluation.segmentation.cases import prepared
from pipeline.evaluation.segmentation.figures import flagging, is_doubted, spread
from pipeline.evaluation.segmentation.measure import Way, measure, outline_distance_mm
from pipeline.evaluation.segmentation.plots import dice_plot, trust_plot
from pipeline.evaluation.segmentation.records import OutlineRecord, from_line, to_line
from pipeline.evaluation.segmentation.tables import document
from pipeline.segment.trust import DOUBTFUL_DICE

NONE = Networks(anatomy=None, published=None)
GOOD = OutlineRecord(
    split=Split.HELD_OUT.value,
    seed=9100,
    index=1,
    breathing="held",
    motion="learned",
    way=Way.SEGMENT.value,
    weights="0123abcd",
    method="network",
    spacing_mm=2.0,
    wall_mm=9.0,
    expected=0.92,
    dice_myocardium=0.94,
    dice_left_ventricle=0.97,
    dice_right_ventricle=math.nan,
    contour_mm=0.6,
    insertion_deg=4.0,
    has_septum=True,
    cpu_s=0.5,
)
BAD = replace(GOOD, index=2, expected=DOUBTFUL_DICE - 0.1, dice_myocardium=0.3)
REFUSED = replace(GOOD, index=0, method="", expected=0.0, dice_myocardium=0.0)


def test_a_line_is_read_back() -> None:
    again = from_line(to_line(GOOD))
    assert math.isnan(again.dice_right_ventricle)
    assert replace(again, dice_right_ventricle=0.0) == replace(GOOD, dice_right_ventricle=0.0)
    with pytest.raises(ValueError, match="version"):
        from_line("{}")


def test_failures_that_are_refused_or_doubted_are_told() -> None:
    unnoticed = replace(BAD, expected=0.95)
    alarm = replace(GOOD, expected=DOUBTFUL_DICE - 0.1)
    told = flagging([GOOD, BAD, REFUSED, unnoticed, alarm])
    assert (told.n_failed, told.n_told, told.n_good, told.n_false_alarms) == (3, 2, 2, 1)
    assert told.area_under_curve == pytest.approx(3.5 / 6)
    assert is_doubted(REFUSED)
    assert not is_doubted(GOOD)


def test_the_spread_leaves_out_what_is_not_known() -> None:
    values = spread([GOOD, BAD], lambda record: record.dice_right_ventricle)
    assert values.n_values == 0
    assert spread([GOOD, BAD], lambda record: record.expected).n_values == 2


def test_the_document_says_what_was_met_and_missed() -> None:
    records = [GOOD, BAD, replace(GOOD, way=Way.BOLUS.value, weights="", dice_myocardium=0.5)]
    text = document(records, reading="What I read.", pictures=())
    assert "| myocardium, mean Dice | >= 0.93 | 0.620 | missed |" in text
    assert "| left ventricle, mean Dice | >= 0.96 | 0.970 | met |" in text
    assert "What I read." in text
    assert "1 held-out phantom exams" in text


def test_the_plots_are_drawn() -> None:
    records = [GOOD, BAD, replace(GOOD, way=Way.BOLUS.value)]
    assert len(dice_plot(records).axes) == 3
    assert len(trust_plot(records).axes) == 2


def test_outlines_a_pixel_apart_are_a_pixel_apart() -> None:
    first = torch.zeros(30, 30, dtype=torch.bool)
    first[8:20, 8:20] = True
    grown = torch.zeros_like(first)
    grown[7:21, 7:21] = True
    assert outline_distance_mm(first, first, (2.0, 2.0)) == 0.0
    assert outline_distance_mm(first, grown, (2.0, 2.0)) == pytest.approx(2.0, abs=0.1)
    assert math.isnan(outline_distance_mm(first, torch.zeros_like(first), (2.0, 2.0)))


def test_a_corrected_exam_is_kept_and_measured(tmp_path) -> None:
    protocol = Protocol(
        n_slices=1,
        matrix=(96, 96),
        spacing_mm=2.8,
        n_saturation_recovery=40,
        breathing=Breathing.HELD,
    )
    subject = Subject(split=Split.DEVELOPMENT, seed=1, protocol=protocol)
    (case,) = prepared(subject, NONE, tmp_path)
    (again,) = prepared(subject, NONE, tmp_path)
    assert torch.equal(case.frames, again.frames)
    assert len(list(tmp_path.iterdir())) == 1
    record = measure(again, Way.BOLUS, NONE, weights="")
    assert record.method == "bolus"
    assert record.dice_myocardium > 0.6
    assert record.dice_left_ventricle > 0.8
