"""The table of findings says what the code does: codes, thresholds, actions, grades."""

import ast
import importlib
import re

import pytest

from pipeline.findings import ACTIONS, Code, Finding, Grade, grade_of
from tests.documents.code_map import ROOT

TEXT = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
THRESHOLDS = re.findall(r"`(\w+)\.(_[A-Z_0-9]+) = ([^`]+)`", TEXT)
PACKAGES = {
    path.stem: f"pipeline.{package}.{path.stem}"
    for package in ("quality", "reserve")
    for path in (ROOT / "pipeline" / package).glob("*.py")
}
WITHOUT_THRESHOLD = {"__init__", "agreement", "heart", "place", "segmentation"} | {
    "compare",
    "placed",
    "ratios",
    "result",
}


@pytest.mark.parametrize(("module", "name", "value"), THRESHOLDS)
def test_a_threshold_in_the_document_is_that_of_the_code(
    module: str, name: str, value: str
) -> None:
    found = getattr(importlib.import_module(PACKAGES[module]), name)
    assert found == ast.literal_eval(value)


def test_every_check_has_a_threshold_in_the_document() -> None:
    assert set(PACKAGES) - WITHOUT_THRESHOLD == {module for module, _, _ in THRESHOLDS}


@pytest.mark.parametrize("code", Code)
def test_every_code_has_a_row_and_its_action(code: Code) -> None:
    rows = re.findall(rf"^\| {code.value} \|.*$", TEXT, re.MULTILINE)
    assert len(rows) >= 2
    assert rows[-1] == f"| {code.value} | {ACTIONS[code]} |"


def test_the_worst_finding_is_the_word_of_the_page() -> None:
    made = [
        Finding(code=Code.RESIDUAL_MOTION, grade=grade, text="x")
        for grade in (Grade.NOTE, Grade.FAIL, Grade.REVIEW)
    ]
    assert grade_of([]).word == "PASS"
    assert grade_of(made[:1]).word == "PASS"
    assert grade_of(made).word == "FAIL"
    assert grade_of([made[0], made[2]]).word == "REVIEW"
