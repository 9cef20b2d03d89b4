"""The list of findings on a page."""

import textwrap
from collections.abc import Sequence

from matplotlib.figure import Figure

from pipeline.findings import Finding, Grade
from pipeline.picture.canvas import GRADE_COLOURS, INK, QUIET_INK

_COLOURS = {
    Grade.NOTE: QUIET_INK,
    Grade.REVIEW: GRADE_COLOURS["REVIEW"],
    Grade.FAIL: GRADE_COLOURS["FAIL"],
}
_MAX_LINES = 13
_LINE_HEIGHT = 0.0165


def list_findings(
    figure: Figure, top_left: tuple[float, float], findings: Sequence[Finding]
) -> None:
    """Write findings, worst first, as many as fit; says how many were left out."""
    left, top = top_left
    figure.text(left, top, "Findings", color=INK, fontsize=9)
    if not findings:
        figure.text(left, top - 0.03, "none", color=QUIET_INK, fontsize=8)
        return
    line = 0
    ordered = sorted(findings, key=lambda finding: -finding.grade)
    for position, finding in enumerate(ordered):
        lines = _wrapped(finding)
        if line + len(lines) > _MAX_LINES:
            text = f"... and {len(ordered) - position} more"
            figure.text(left, _height(top, line), text, color=QUIET_INK, fontsize=7.5, va="top")
            return
        for text in lines:
            colour = _COLOURS[finding.grade]
            figure.text(left, _height(top, line), text, color=colour, fontsize=7.5, va="top")
            line += 1


def _wrapped(finding: Finding) -> list[str]:
    where = "" if finding.slice_index is None else f"slice {finding.slice_index + 1}: "
    return textwrap.wrap(f"{finding.code} {where}{finding.text}", 66, subsequent_indent="      ")


def _height(top: float, line: int) -> float:
    return top - 0.015 - line * _LINE_HEIGHT
