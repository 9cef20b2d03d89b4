"""The evidence of reserve as one document: generated tables around a reading written by hand."""

import math
from collections.abc import Sequence

from pipeline.evaluation.figures import mean
from pipeline.evaluation.flow.statistics import agreement, area_under_curve
from pipeline.evaluation.reserve.records import ReserveRecord, Way
from pipeline.evaluation.summary import READING_BEGINS, READING_ENDS
from pipeline.evaluation.tables import number, table

Rows = Sequence[ReserveRecord]

LOW_RESERVE = 2.0
"""Between that of the defects of the phantom and that of its healthy wall."""
_HEAD = """# What perfusion reserve is worth

Everything but the reading is made by one command from the results, which takes up where it was cut
off:

    perfnode evaluate reserve --pairs {n_pairs} --output evaluation \\
        --document docs/evidence/reserve.md --pictures docs/pictures

{n_pairs} virtual patients of development seeds ({first} to {last}) at stress and at rest: the
shipped protocol at SNR 20, breath-hold that fails, a defect in two of three slices. The exam at
rest has other pixels (2.15 mm instead of 2 mm) and headers of a second breath-hold: the heart is
shifted by up to 12 mm in each direction, turned by up to 8 degrees, and has 0.92 to 1.04 times the
size.
Tissue is of the model that is fitted. No patient data is behind any figure.
"""
_MEANING = """
## What the columns mean
*True walls, true flow*: still images, the maps are the truth; what is left is the cost of
carrying rest onto stress. *Found walls, true flow*: images that moved, corrected and outlined as
in an analysis, but with true flow. *As analysed*: everything found. Place: distance between the
place where a pixel under stress looks up its flow at rest and the place where its muscle is, over
the true wall. Segments: the AHA segments as reported against the ratio of true mean flows; bias
and RMSE of (found - true) / true. 68 % and 95 %: share of true values within 1 and 1.96 of the
standard errors that are reported. Low reserve: probability that a segment with a true reserve
below {low:g} is reported lower than one above. Pixel error: median over the true wall of |found -
true| / true, mean of pairs. Gates: overlap of walls after shift, turn and scale, those of one
level and those of different ones; refused by the walls alone, without looking at their place.
"""


def document(records: Rows, *, reading: str, pictures: Sequence[str] = ()) -> str:
    """Return the document.

    Parameters
    ----------
    records
        All results.
    reading
        What was written by hand between the marks.
    pictures
        Markdown of the pictures.

    """
    seeds = sorted({row.seed for row in records})
    head = _HEAD.format(n_pairs=len(seeds), first=min(seeds), last=max(seeds))
    parts = [
        head,
        f"{READING_BEGINS}\n{reading.strip()}\n{READING_ENDS}\n",
        "## Errors\n",
        error_table(records),
        "## Gates\n",
        gate_table(records),
        *pictures,
        _MEANING.format(low=LOW_RESERVE),
    ]
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def error_table(records: Rows) -> str:
    """Return how far place, segments and pixels are off, a row per way."""
    head = (
        "way",
        "pairs",
        "maps",
        "place: median mm",
        "95th percentile",
        "segments",
        "bias %",
        "RMSE %",
        "68 %",
        "95 %",
        "low reserve: AUC",
        "pixel error %",
        "pixel bias %",
        "wall with a number %",
    )
    return table(head, [_error_row(way, _of(records, way)) for way in Way])


def gate_table(records: Rows) -> str:
    """Return how walls of the same and of different levels overlap, a row per way."""
    head = (
        "way",
        "same level: Dice, least",
        "median",
        "other level: pairs",
        "refused",
        "Dice, most",
    )
    rows = []
    for way in (Way.TRUE, Way.OUTLINED):
        own = _of(records, way)
        same = sorted(dice for row in own for dice in row.overlap_dice)
        wrong = [dice for row in own for dice in row.wrong_dice]
        n_refused = sum(row.n_wrong_refused for row in own)
        rows.append(
            (
                way.value,
                number(min(same, default=math.nan), 2),
                number(same[len(same) // 2] if same else math.nan, 2),
                str(len(wrong) + n_refused),
                str(n_refused),
                number(max(wrong, default=math.nan), 2),
            )
        )
    return table(head, rows)


def _of(records: Rows, way: Way) -> Rows:
    return [row for row in records if row.way == way.value]


def _error_row(way: Way, rows: Rows) -> tuple[str, ...]:
    true = [value for row in rows for value in row.segment_true]
    found = [value for row in rows for value in row.segment_found]
    error = [value for row in rows for value in row.segment_standard_error]
    whole = agreement(true, found)
    scores = [
        abs(b - a) / c for a, b, c in zip(true, found, error, strict=True) if math.isfinite(b + c)
    ]
    is_reported = way is Way.ANALYSED
    return (
        way.value,
        str(len(rows)),
        f"{sum(row.n_maps for row in rows)} of {3 * len(rows)}",
        number(mean([row.place_error_mm[0] for row in rows]), 1),
        number(mean([row.place_error_mm[1] for row in rows]), 1),
        str(whole.n_values),
        number(100 * whole.bias, 1),
        number(100 * whole.root_mean_square, 1),
        number(100 * _share(scores, 1.0), 0) if is_reported else "-",
        number(100 * _share(scores, 1.96), 0) if is_reported else "-",
        number(_low_auc(true, found), 3),
        number(100 * mean([row.pixel_median_error for row in rows]), 1),
        number(100 * mean([row.pixel_median_bias for row in rows]), 1),
        number(100 * mean([row.pixel_known for row in rows]), 0),
    )


def _share(scores: Sequence[float], limit: float) -> float:
    return sum(score <= limit for score in scores) / len(scores) if scores else math.nan


def _low_auc(true: Sequence[float], found: Sequence[float]) -> float:
    pairs = [(a, b) for a, b in zip(true, found, strict=True) if math.isfinite(b)]
    low = [b for a, b in pairs if a < LOW_RESERVE]
    return area_under_curve(low, [b for a, b in pairs if a >= LOW_RESERVE])
