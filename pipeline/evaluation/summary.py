"""The evidence as one document: generated tables around a reading written by hand."""

from collections.abc import Sequence

from pipeline.evaluation.cases import Split
from pipeline.evaluation.contenders import Contender
from pipeline.evaluation.goals import verdicts
from pipeline.evaluation.records import Record
from pipeline.evaluation.tables import (
    choice_table,
    goal_table,
    harm_table,
    main_table,
    mode_table,
    paired_table,
    phase_table,
    signal_table,
    through_plane_table,
)

READING_BEGINS = "<!-- reading: written by hand, kept when the tables are made anew -->"
READING_ENDS = "<!-- end of reading -->"
DEFAULT = Contender.AUTO

_TITLE = "# What motion correction is worth\n"
_HEAD = """
Everything between here and the reading is made by one command from the results, which takes up
where it was cut off:

    perfnode evaluate motion --exams {n_held_out} --beyond {n_beyond} \\
        --output evaluation --document docs/evidence/motion.md --pictures docs/pictures

(elastix takes minutes for a series and is run before that on a few exams, one of each mode of
breathing: `--exams 4 --beyond 0 --methods elastix`). These are {n_held_out} held-out phantom exams
with all modes of breathing, drawn from the range that training draws from with seeds that training
never uses, and {n_beyond} exams beyond that range. Of each exam {which}
and the arterial-input series are registered. No patient data is behind any figure.
"""
_MEANING = """
## What the columns mean
Dice: overlap of the wall in every frame, after correction, with the wall in the reference frame,
between true sub-pixel contours (*consensus*: with the pixels that most frames agree on; *pixel
masks*: the same with masks of the image's own pixels, where even the true field stays below 1).
Error: distance of 96 contour points from where the reference frame has them, mean over perfusion
frames (*p95*: 95th percentile of these frames; *consensus*: from the median place over time; *in
plane*: without frames whose heart has left the slice by more than half its thickness). Roughness:
RMS second difference of the curves of six segments over their span. Sharpness: mean gradient of the
mean image, over that without motion; roughness that falls with sharpness is blur. Curve error: RMS
distance of those curves from the ones without motion. MBF error: median over the core of the wall
of |map - map of motion-free, noise-free frames| in ml/min/g, same arterial input, wall and fit;
RMSE likewise. Seconds: processor time of one series on one core. Every value is first averaged
within an exam, then over exams. *motion-free* is the phantom held still, with noise: the floor. The
methods from *iterative* to *auto* pass the do-no-harm gate, which may leave a series as it was.
"""


_PAIRED = """
### Paired comparison
Median difference over the same exams; in brackets the rank-biserial effect and the p of a Wilcoxon
signed-rank test.
"""


def document(records: Sequence[Record], *, reading: str, pictures: Sequence[str]) -> str:
    """Return the whole document.

    Parameters
    ----------
    records
        All results.
    reading
        What was written by hand between the markers.
    pictures
        Markdown of the pictures.

    """
    slices = [row for row in records if not row.is_arterial]
    parts = [
        _TITLE,
        _head(slices),
        f"{READING_BEGINS}\n{reading.strip()}\n{READING_ENDS}\n",
        f"## Goals, met or missed by `{DEFAULT}`\n\n{goal_table(verdicts(records, DEFAULT))}\n",
        *(f"{picture}\n" for picture in pictures),
        _MEANING,
        *_split_parts("Held-out exams", [row for row in slices if row.split != Split.BEYOND]),
        *_split_parts("Beyond the range", [row for row in slices if row.split == Split.BEYOND]),
        *_arterial_parts([row for row in records if row.is_arterial]),
        f"## Harm\nAgainst leaving the series alone, by consensus Dice.\n\n{harm_table(slices)}\n",
        f"## What was chosen\n\n{choice_table(records)}\n",
        f"## Frames out of plane\n\n{through_plane_table(records)}\n",
    ]
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def reading_of(text: str) -> str:
    """Return what is written between the markers of an earlier document."""
    _, _, rest = text.partition(READING_BEGINS)
    return rest.partition(READING_ENDS)[0].strip()


def _head(slices: Sequence[Record]) -> str:
    exams = {(row.split, row.seed) for row in slices}
    n_beyond = sum(split == Split.BEYOND for split, _ in exams)
    n_slices = len({(row.split, row.seed, row.series) for row in slices})
    which = "one slice, chosen at random," if n_slices <= len(exams) else "every slice"
    return _HEAD.format(n_held_out=len(exams) - n_beyond, n_beyond=n_beyond, which=which)


def _split_parts(title: str, rows: Sequence[Record]) -> list[str]:
    if not rows:
        return []
    return [
        f"## {title}\n\n{main_table(rows)}\n",
        f"### Signal, flow and time\n\n{signal_table(rows)}\n",
        f"### Error by phase, mm\n\n{phase_table(rows)}\n",
        f"### By mode of breathing\n\n{mode_table(rows)}\n",
        f"{_PAIRED}\n{paired_table(rows, DEFAULT.value)}\n",
    ]


def _arterial_parts(rows: Sequence[Record]) -> list[str]:
    if not rows:
        return []
    return [
        f"## Arterial-input series\nCurves are those of the blood pool.\n\n{main_table(rows)}\n",
        f"### Signal, flow and time\n\n{signal_table(rows)}\n",
        f"### Error by phase, mm\n\n{phase_table(rows)}\n",
    ]
