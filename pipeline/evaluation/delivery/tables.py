"""The evidence as one document: generated tables around a reading written by hand."""

from collections.abc import Callable, Sequence

from pipeline.evaluation.cases import Split
from pipeline.evaluation.delivery.records import DeliveryRecord
from pipeline.evaluation.delivery.ways import Way
from pipeline.evaluation.figures import mean
from pipeline.evaluation.statistics import compare_pairs
from pipeline.evaluation.summary import READING_BEGINS, READING_ENDS
from pipeline.evaluation.tables import table

LOST = 0.01
FAR_MM = 20.0
_HEAD = """# What becomes of a series that is handed on in another way

Everything but the reading is made by one command, which takes up where it was cut off:

    perfnode evaluate delivery --exams {n_held_out} --beyond {n_beyond} \\
        --document docs/evidence/delivery.md --pictures docs/pictures

One slice, chosen at random, of {n_held_out} held-out phantom exams and of {n_beyond} beyond the
range of training, each handed on in {n_ways} ways and registered by `auto`. A slice comes on its
own: the heart is looked for in it alone, where an analysis asks all series of an exam. No patient
data is behind any figure.
"""
_MEANING = f"""
## What the columns mean
Dice and error: as in motion.md, mean of exams, worst exam in brackets; *before*: of the series as
it came, same reference frame. Difference: median over exams of the error against that of the series
as acquired, with the p of a Wilcoxon signed-rank test. Left: series that the gate left alone.
Worse: series that lost more than {LOST} Dice. Heart missed: looked for more than {FAR_MM:.0f} mm
beside the middle of the left ventricle.
"""
_COLUMNS = (
    "handed on",
    "exams",
    "Dice before",
    "Dice",
    "error before, mm",
    "error, mm",
    "difference, mm (p)",
    "left",
    "worse",
    "heart missed",
)


def document(records: Sequence[DeliveryRecord], *, reading: str, pictures: Sequence[str]) -> str:
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
    own = [row for row in records if row.split != Split.BEYOND]
    far = [row for row in records if row.split == Split.BEYOND]
    head = _HEAD.format(
        n_held_out=len({row.seed for row in own}),
        n_beyond=len({row.seed for row in far}),
        n_ways=len(Way),
    )
    parts = [
        head,
        f"{READING_BEGINS}\n{reading.strip()}\n{READING_ENDS}\n",
        *(f"{picture}\n" for picture in pictures),
        _MEANING,
        f"## Held-out exams\n\n{ways_table(own)}\n",
        f"## Beyond the range\n\n{ways_table(far)}\n" if far else "",
    ]
    return "\n".join(part.strip("\n") + "\n" for part in parts if part)


def ways_table(records: Sequence[DeliveryRecord]) -> str:
    """Return one row per way."""
    usual = {row.seed: row.error_mm for row in records if row.way == Way.AS_IS}
    found = [(way, [row for row in records if row.way == way]) for way in Way]
    return table(_COLUMNS, [_row(way, rows, usual) for way, rows in found if rows])


def _row(way: Way, rows: Sequence[DeliveryRecord], usual: dict[int, float]) -> list[str]:
    both = [row for row in rows if row.seed in usual]
    pairs = compare_pairs([row.error_mm for row in both], [usual[row.seed] for row in both])
    difference = f"{pairs.median_difference:+.2f} ({pairs.p_value:.3f})"
    return [
        way.value,
        str(len(rows)),
        f"{_mean(rows, lambda row: row.dice_before):.3f}",
        f"{_mean(rows, lambda row: row.dice):.3f} ({min(row.dice for row in rows):.3f})",
        f"{_mean(rows, lambda row: row.error_before_mm):.2f}",
        f"{_mean(rows, lambda row: row.error_mm):.2f} ({max(row.error_mm for row in rows):.2f})",
        "-" if way is Way.AS_IS else difference,
        str(sum(row.chosen == "identity" for row in rows)),
        str(sum(row.dice < row.dice_before - LOST for row in rows)),
        str(sum(row.off_mm > FAR_MM for row in rows)),
    ]


def _mean(rows: Sequence[DeliveryRecord], value: Callable[[DeliveryRecord], float]) -> float:
    return mean([value(row) for row in rows])
