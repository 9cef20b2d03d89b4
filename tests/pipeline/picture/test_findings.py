"""The list of findings: worst first, each once, and never more than fits."""

import pytest
from matplotlib.colors import to_hex

from pipeline.findings import Code, Finding, Grade
from pipeline.picture.canvas import GRADE_COLOURS, new_page
from pipeline.picture.findings import Box, Remark, list_findings
from pipeline.picture.fitting import width_px

BOX = Box(left=24, top=852, n_lines=9, width=1200)


def lines_of(findings: list[Finding]) -> list[tuple[str, str]]:
    return lines_of_remarks([Remark(finding=one) for one in findings])


def lines_of_remarks(remarks: list[Remark]) -> list[tuple[str, str]]:
    """Return text and colour of each line under the heading."""
    figure = new_page()
    list_findings(figure, BOX, remarks)
    assert figure.texts[0].get_text() == "Findings"
    return [(text.get_text(), to_hex(text.get_color())) for text in figure.texts[1:]]


def finding(grade: Grade, text: str, index: int | None = None) -> Finding:
    return Finding(code=Code.RESIDUAL_MOTION, grade=grade, text=text, slice_index=index)


def test_nothing_found_is_said() -> None:
    assert [text for text, _ in lines_of([])] == ["none"]


def test_worst_comes_first_in_its_colour() -> None:
    found = [finding(Grade(grade), f"grade {grade}") for grade in (0, 2, 1)]
    lines = lines_of(found)
    assert [text for text, _ in lines] == ["P09 grade 2", "P09 grade 1", "P09 grade 0"]
    assert [colour for _, colour in lines[:2]] == [GRADE_COLOURS["FAIL"], GRADE_COLOURS["REVIEW"]]


def test_the_same_of_several_slices_is_one_line() -> None:
    found = [finding(Grade.NOTE, "it moves.", index) for index in (0, 2)]
    found.insert(1, finding(Grade.NOTE, "it stays.", 1))
    texts = [text for text, _ in lines_of(found)]
    assert texts == ["P09 Slices 1, 3: it moves.", "P09 Slice 2: it stays."]


@pytest.mark.parametrize(("n_findings", "n_lines"), [(9, 9), (10, 9), (30, 9)])
def test_what_does_not_fit_is_counted(n_findings: int, n_lines: int) -> None:
    lines = lines_of([finding(Grade.NOTE, f"number {number}") for number in range(n_findings)])
    assert len(lines) == n_lines
    left_out = n_findings - n_lines + 1
    assert (lines[-1][0] == f"... and {left_out} more") is (n_findings > n_lines)


def test_a_long_sentence_is_wrapped() -> None:
    lines = [text for text, _ in lines_of([finding(Grade.NOTE, "long words " * 30)])]
    assert len(lines) == 3
    assert all(width_px(text, 10.0) <= BOX.width for text in lines)


def test_two_exams_are_told_apart_and_say_the_same_once() -> None:
    remarks = [
        Remark(finding=finding(Grade.NOTE, "it moves.", 1), origin="stress"),
        Remark(finding=finding(Grade.NOTE, "it moves.", 0), origin="rest"),
        Remark(finding=finding(Grade.NOTE, "it moves.", 2), origin="rest"),
        Remark(finding=finding(Grade.REVIEW, "all of it."), origin="rest"),
    ]
    assert [text for text, _ in lines_of_remarks(remarks)] == [
        "P09 Rest: all of it.",
        "P09 Stress slice 2; rest slices 1, 3: it moves.",
    ]
