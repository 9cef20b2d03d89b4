"""Measurements as JSON: complete, readable by anything, without identity."""

import dataclasses
import json
import math
from pathlib import Path

import pytest

from node.cli.measurements import to_json
from pipeline.findings import Code, Finding, Grade
from pipeline.measure import measure
from pipeline.types import Analysis
from tests.fakes.exams import small_exam, unmoved_analysis
from tests.pipeline.exams import exam_of


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    exam = exam_of(small_exam(), motion=False)
    finding = Finding(
        code=Code.RESIDUAL_MOTION, grade=Grade.REVIEW, text="it moves.", slice_index=1
    )
    return dataclasses.replace(unmoved_analysis(exam), findings=(finding,))


def test_every_region_is_there_with_its_numbers(analysis: Analysis) -> None:
    content = json.loads(to_json([analysis], software="perfnode test"))
    (exam,) = content["exams"]
    assert exam["state"] == "stress"
    assert len(exam["regions"]) == len(analysis.regions) == 69
    for written, region in zip(exam["regions"], analysis.regions, strict=True):
        assert written["name"] == region.name
        assert written["layer"] == region.layer
        assert written["segment"] == region.segment
        assert written["mean_ml_min_g"] == region.flow.mean_ml_min_g
        assert written["n_pixels"] == region.flow.n_pixels
    assert exam["findings"] == [{"code": "P09", "grade": "REVIEW", "text": "Slice 2: it moves."}]


def test_a_region_without_number_is_null(analysis: Analysis) -> None:
    slices = tuple(dataclasses.replace(one, flow=None) for one in analysis.slices)
    bare = dataclasses.replace(analysis, slices=slices, regions=measure(slices))
    assert math.isnan(bare.regions[0].flow.mean_ml_min_g)
    text = to_json([bare], software="perfnode test")
    assert "NaN" not in text
    region = json.loads(text)["exams"][0]["regions"][0]
    assert region["mean_ml_min_g"] is None
    assert region["valid_fraction"] == 0.0


def test_nothing_but_numbers_and_findings_is_written(analysis: Analysis, tmp_path: Path) -> None:
    content = json.loads(to_json([analysis, analysis], software="perfnode test"))
    assert set(content) == {"software", "unit", "segments", "exams"}
    assert [set(exam) for exam in content["exams"]] == [{"state", "regions", "findings"}] * 2
