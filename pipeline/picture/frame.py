"""Head and foot of a page: what it shows, how good it is, what made it."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from pipeline.findings import Grade
from pipeline.picture.canvas import GRADE_COLOURS, INK, QUIET_INK, write
from pipeline.picture.fitting import shorten
from pipeline.picture.provenance import Provenance, assumed_line, foot_lines, method_line
from pipeline.types import Analysis

_LEFT_PX, _RIGHT_PX = 24, 1512
_GRADE_PX = 944
"""Right edge of the grade: in the corners viewers write name and series over the picture."""
_FOOT_PX = (1014, 1034, 1054)
_FOOT_PT = 9.5


def write_head(figure: Figure, title: str, summary: str, grade: Grade) -> None:
    """Write title, the numbers to read first, and the worst grade as a word."""
    write(figure, _LEFT_PX, 20, title, size=19.0, weight="bold")
    write(figure, _LEFT_PX, 58, summary, size=12.5, color=INK)
    look = {"color": GRADE_COLOURS[grade.word], "weight": "bold", "ha": "right"}
    write(figure, _GRADE_PX, 20, grade.word, size=21.0, **look)


def write_foot(figure: Figure, analyses: Sequence[Analysis], provenance: Provenance) -> None:
    """Write what was assumed, who made the page and when, and by which methods."""
    identity, _ = foot_lines(analyses[0], provenance)
    lines = (assumed_line(provenance), identity, method_line(analyses, provenance))
    for position, (top, text) in enumerate(zip(_FOOT_PX, lines, strict=True)):
        has_assumed = position == 0 and bool(provenance.assumptions)
        ink = GRADE_COLOURS["REVIEW"] if has_assumed else QUIET_INK
        short = shorten(text, most_px=_RIGHT_PX - _LEFT_PX, size=_FOOT_PT)
        write(figure, _LEFT_PX, top, short, size=_FOOT_PT, color=ink)
