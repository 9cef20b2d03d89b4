"""The list of findings on a page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from pipeline.findings import Finding, Grade
from pipeline.picture.canvas import GRADE_COLOURS, QUIET_INK, write
from pipeline.picture.fitting import wrap

_COLOURS = {
    Grade.NOTE: QUIET_INK,
    Grade.REVIEW: GRADE_COLOURS["REVIEW"],
    Grade.FAIL: GRADE_COLOURS["FAIL"],
}
_LINE_PX = 18
_LETTERS_PT = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Where the list stands and how much of it fits."""

    left: int
    """Upper left corner, pixels."""
    top: int
    n_lines: int
    width: int
    """Of a line, pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A finding and the exam it is about."""

    finding: Finding
    origin: str = ""
    """`stress`, `rest`; empty where there is one exam only."""


def list_findings(figure: Figure, box: Box, remarks: Sequence[Remark]) -> None:
    """Write findings, worst first, as many as fit; says how many were left out."""
    write(figure, box.left, box.top, "Findings", size=10.5, weight="bold")
    top = box.top + 22
    if not remarks:
        write(figure, box.left, top, "none", size=_LETTERS_PT, color=QUIET_INK)
        return
    line = 0
    merged = list(_merged(sorted(remarks, key=lambda remark: -remark.finding.grade)))
    for position, (grade, content) in enumerate(merged):
        lines = wrap(content, most_px=box.width, size=_LETTERS_PT)
        is_last = position == len(merged) - 1
        if line + len(lines) > box.n_lines - (not is_last):
            text = f"... and {len(merged) - position} more"
            write(figure, box.left, top + line * _LINE_PX, text, size=_LETTERS_PT, color=QUIET_INK)
            return
        for text in lines:
            look: dict[str, Any] = {"size": _LETTERS_PT, "color": _COLOURS[grade]}
            write(figure, box.left, top + line * _LINE_PX, text, **look)
            line += 1


def _merged(remarks: Sequence[Remark]) -> Iterator[tuple[Grade, str]]:
    """Yield grade and text, one for all exams and slices of which the same is said."""
    same: dict[tuple[Grade, str, str], list[Remark]] = {}
    for remark in remarks:
        finding = remark.finding
        same.setdefault((finding.grade, finding.code, finding.text), []).append(remark)
    for (grade, code, text), group in same.items():
        place = "; ".join(_places(group))
        yield grade, f"{code} {place[:1].upper()}{place[1:]}: {text}" if place else f"{code} {text}"


def _places(group: Sequence[Remark]) -> Iterator[str]:
    """Yield which exam and slices are meant: `stress slices 1, 3`."""
    origins = dict.fromkeys(remark.origin for remark in group)
    for origin in origins:
        numbers = [
            str(remark.finding.slice_index + 1)
            for remark in group
            if remark.origin == origin and remark.finding.slice_index is not None
        ]
        word = "slices" if len(numbers) > 1 else "slice"
        place = f"{origin} {word} {', '.join(numbers)}" if numbers else origin
        if place.strip():
            yield place.strip()
