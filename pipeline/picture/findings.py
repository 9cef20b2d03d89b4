"""The list of findings on a page."""

import textwrap
from collections.abc import Iterator, Sequence

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
    merged = list(_merged(sorted(findings, key=lambda finding: -finding.grade)))
    for position, (grade, content) in enumerate(merged):
        lines = textwrap.wrap(content, _WIDTH, subsequent_indent="       ")
        is_last = position == len(merged) - 1
        if line + len(lines) > _MAX_LINES - (not is_last):
            text = f"... and {len(merged) - position} more"
            write(figure, left, top + line * _LINE_PX, text, size=9.0, color=QUIET_INK)
            return
        for text in lines:
            colour = _COLOURS[grade]
            write(figure, left, top + line * _LINE_PX, text, size=9.0, color=colour)
            line += 1


def _merged(findings: Sequence[Finding]) -> Iterator[tuple[Grade, str]]:
    """Yield grade and text, one for all slices of which the same is said."""
    same: dict[tuple[Grade, str, str], list[Finding]] = {}
    for finding in findings:
        same.setdefault((finding.grade, finding.code, finding.text), []).append(finding)
    for (grade, code, text), group in same.items():
        numbers = [str(one.slice_index + 1) for one in group if one.slice_index is not None]
        if len(numbers) > 1:
            yield grade, f"{code} Slices {', '.join(numbers)}: {text}"
        else:
            yield grade, f"{code} {group[0].sentence}"
