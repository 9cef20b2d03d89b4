"""The evidence as one document: generated tables around a reading written by hand."""

import math
from collections.abc import Sequence

from pipeline.evaluation.cases import Split
from pipeline.evaluation.segmentation.figures import (
    FAILED_DICE,
    Spread,
    Value,
    flagging,
    is_doubted,
    spread,
)
from pipeline.evaluation.segmentation.measure import Way
from pipeline.evaluation.segmentation.records import OutlineRecord
from pipeline.evaluation.summary import READING_BEGINS, READING_ENDS

_HEAD = """# What segmentation is worth

Everything but the reading is made by one command, which takes up where it was cut off:

    perfnode evaluate segmentation --exams {n_held_out} --beyond {n_beyond} \\
        --document docs/evidence/segmentation.md --pictures docs/pictures

These are all {n_slices} slices of {n_held_out} held-out phantom exams, drawn from the range that
training draws from with seeds that training never uses, and of {n_beyond} exams beyond that range,
after motion correction by the default method. No patient data is behind any figure.
"""
_MEANING = """
## What the columns mean
Truth: the pixels that are left ventricle (all inside the endocardium), myocardium, right ventricle
in most of the corrected frames; what motion correction left over counts against the outline. Dice:
overlap with that on the pixels of the image; a refused slice counts 0. Contours: mean distance of
endocardium and epicardium. Insertions: the larger error of both angles around the left ventricle.
Each cell: mean, median, and the value that one slice in ten is worse than. `segment` is what an
analysis gets; `bolus` is the passage of contrast alone, as without a network.
"""
_VERDICTS = {True: "met", False: "missed", None: "nothing to tell"}
_FIGURES: tuple[tuple[str, Value, int, bool], ...] = (
    ("Dice myocardium", lambda record: record.dice_myocardium, 3, False),
    ("Dice left ventricle", lambda record: record.dice_left_ventricle, 3, False),
    ("Dice right ventricle", lambda record: record.dice_right_ventricle, 3, False),
    ("contours, mm", lambda record: record.contour_mm, 2, True),
    ("insertions, degrees", lambda record: record.insertion_deg, 1, True),
    ("seconds", lambda record: record.cpu_s, 2, True),
)


def document(records: Sequence[OutlineRecord], *, reading: str, pictures: Sequence[str]) -> str:
    """Return the whole document.

    Parameters
    ----------
    records
        All results of one network.
    reading
        What was written by hand between the markers.
    pictures
        Markdown of the pictures.

    """
    exams = {(record.split, record.seed) for record in records}
    n_beyond = sum(split == Split.BEYOND for split, _ in exams)
    own = [record for record in records if record.split != Split.BEYOND]
    far = [record for record in records if record.split == Split.BEYOND]
    parts = [
        _HEAD.format(
            n_held_out=len(exams) - n_beyond,
            n_beyond=n_beyond,
            n_slices=len({record.key[:3] for record in records}),
        ),
        f"{READING_BEGINS}\n{reading.strip()}\n{READING_ENDS}\n",
        f"## Goals, met or missed\n\n{goal_table(own)}\n",
        *(f"{picture}\n" for picture in pictures),
        _MEANING,
        f"## Held-out exams\n\n{main_table(own)}\n\n{motion_table(own)}\n",
        f"## Beyond the range\n\n{main_table(far)}\n" if far else "",
        f"## Failures and doubt\n\n{doubt_table(own, far)}\n",
    ]
    return "\n".join(part.strip("\n") + "\n" for part in parts if part)


def goal_table(records: Sequence[OutlineRecord]) -> str:
    """Return the goals beside what an analysis gets of held-out exams."""
    rows = _of(records, Way.SEGMENT)
    told = flagging(rows)
    share = told.n_told / told.n_failed if told.n_failed else math.nan
    alarms = told.n_false_alarms / told.n_good if told.n_good else math.nan
    muscle = spread(rows, lambda record: record.dice_myocardium).mean
    pool = spread(rows, lambda record: record.dice_left_ventricle).mean
    both = [record for record in rows if record.has_septum]
    within = [not record.insertion_deg > 10 for record in both if record.insertion_deg >= 0]
    near = sum(within) / len(both) if both else math.nan
    lines = [
        ("myocardium, mean Dice", ">= 0.93", f"{muscle:.3f}", muscle >= 0.93),
        ("left ventricle, mean Dice", ">= 0.96", f"{pool:.3f}", pool >= 0.96),
        ("both insertions within 10 degrees", "all slices", f"{near:.0%}", near == 1),
        (
            f"failures (Dice < {FAILED_DICE}) that are told",
            ">= 95 %",
            f"{told.n_told} of {told.n_failed}",
            share >= 0.95 if told.n_failed else None,
        ),
        ("false alarms", "<= 5 %", f"{told.n_false_alarms} of {told.n_good}", alarms <= 0.05),
    ]
    return _table(
        ("goal", "wanted", "measured", ""),
        [(*cells, _VERDICTS[is_met]) for *cells, is_met in lines],
    )


def main_table(records: Sequence[OutlineRecord]) -> str:
    """Return one row per way."""
    rows = []
    for way in Way:
        found = _of(records, way)
        cells = [
            _cell(spread(found, value, small_is_good=is_small), digits)
            for _, value, digits, is_small in _FIGURES
        ]
        rows.append((way.value, str(len(found)), str(sum(not r.method for r in found)), *cells))
    return _table(("way", "slices", "refused", *(name for name, *_ in _FIGURES)), rows)


def motion_table(records: Sequence[OutlineRecord]) -> str:
    """Return Dice by slice level and by size of the pixels, for what an analysis gets."""
    rows = _of(records, Way.SEGMENT)
    groups = [
        ("base", [record for record in rows if record.index == 0]),
        ("middle", [record for record in rows if record.index == 1]),
        ("apex", [record for record in rows if record.index == 2]),
        ("pixels < 1.7 mm", [record for record in rows if record.spacing_mm < 1.7]),
        ("pixels 1.7-2.3 mm", [record for record in rows if 1.7 <= record.spacing_mm < 2.3]),
        ("pixels >= 2.3 mm", [record for record in rows if record.spacing_mm >= 2.3]),
        ("wall < 7 mm", [record for record in rows if record.wall_mm < 7]),
        ("wall >= 7 mm", [record for record in rows if record.wall_mm >= 7]),
    ]
    return _table(
        ("group", "slices", *(name for name, *_ in _FIGURES[:5])),
        [
            (
                name,
                str(len(found)),
                *(
                    _cell(spread(found, value, small_is_good=is_small), digits)
                    for _, value, digits, is_small in _FIGURES[:5]
                ),
            )
            for name, found in groups
        ],
    )


def doubt_table(*splits: Sequence[OutlineRecord]) -> str:
    """Return how failures are told, and how good what is left is."""
    rows = []
    for records in splits:
        found = _of(records, Way.SEGMENT)
        if not found:
            continue
        told = flagging(found)
        trusted = [record for record in found if not is_doubted(record)]
        error = spread(trusted, lambda record: abs(record.expected - record.dice_myocardium))
        left = spread(trusted, lambda record: record.dice_myocardium)
        rows.append(
            (
                found[0].split,
                f"{told.n_told} of {told.n_failed}",
                f"{told.n_false_alarms} of {told.n_good}",
                f"{told.area_under_curve:.3f}",
                _cell(left, 3),
                f"{error.mean:.3f}",
            )
        )
    return _table(
        (
            "exams",
            "failures told",
            "false alarms",
            "area under ROC curve",
            "Dice myocardium of trusted slices",
            "mean error of expected Dice",
        ),
        rows,
    )


def _of(records: Sequence[OutlineRecord], way: Way) -> list[OutlineRecord]:
    return [record for record in records if record.way == way]


def _cell(value: Spread, digits: int) -> str:
    if not value.n_values:
        return "-"
    return " / ".join(
        f"{number:.{digits}f}" for number in (value.mean, value.median, value.worst_tenth)
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
