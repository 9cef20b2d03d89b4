"""The list of findings on a page."""

import textwrap
from collections.abc import Sequence

from matplotlib.figure import Figure

from pipeline.findings import Finding, Grade
from pipeline.picture.canvas import GRADE_COLOURS, QUIET_INK, write

_COLOURS = {
    Grade.NOTE: QUIET_INK,
    Grade.REVIEW: GRADE_COLOURS["REVIEW"],
    Grade.FAIL: GRADE_COLOURS["FAIL"],
}
_MAX_LINES = 9
_LINE_PX = 17
_WIDTH = 150


def list_findings(figure: Figure, left: int, top: int, findings: Sequence[Finding]) -> None:
    """Write findings, worst first, as many as fit; says how many were left out."""
    write(figure, left, top, "Findings", size=10.0)
    top += 22
    if not findings:
        write(figure, left, top, "none", size=9.0, color=QUIET_INK)
        return
    line = 0
    ordered = sorted(findings, key=lambda finding: -finding.grade)
    for position, finding in enumerate(ordered):
        lines = _wrapped(finding)
        is_last = position == len(ordered) - 1
        if line + len(lines) > _MAX_LINES - (not is_last):
            text = f"... and {len(ordered) - position} more"
            write(figure, left, top + line * _LINE_PX, text, size=9.0, color=QUIET_INK)
            return
        for text in lines:
            colour = _COLOURS[finding.grade]
            write(figure, left, top + line * _LINE_PX, text, size=9.0, color=colour)
            line += 1


def _wrapped(finding: Finding) -> list[str]:
    return textwrap.wrap(f"{finding.code} {finding.sentence}", _WIDTH, subsequent_indent="       ")
