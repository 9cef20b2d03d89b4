"""Results as tables in Markdown."""

import math
from collections.abc import Sequence

from pipeline.evaluation.contenders import Contender
from pipeline.evaluation.figures import (
    CONSENSUS_ERROR,
    CONSENSUS_PHASES,
    CURVE_ERROR,
    DICE,
    DICE_CONSENSUS,
    DICE_PIXELS,
    DICE_WORST_FRAME,
    ERROR,
    ERROR_IN_PLANE,
    ERROR_P95,
    FLOW_ERROR,
    FLOW_RMS,
    FOLDED,
    PHASES,
    ROUGHNESS,
    SECONDS,
    SHARPNESS,
    Figure,
    mean,
    median,
    per_exam,
    worst,
)
from pipeline.evaluation.goals import Verdict, harm
from pipeline.evaluation.records import Record
from pipeline.evaluation.statistics import compare_pairs

Rows = Sequence[Record]
_ACCURACY = (
    DICE_WORST_FRAME,
    DICE_CONSENSUS,
    DICE_PIXELS,
    ERROR_P95,
    CONSENSUS_ERROR,
    ERROR_IN_PLANE,
)
_SIGNAL = (ROUGHNESS, SHARPNESS, CURVE_ERROR, FLOW_ERROR, FLOW_RMS, FOLDED, SECONDS)


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def labels(records: Rows) -> list[str]:
    """Return the methods that there are results of, in the order of `Contender`."""
    order = list(Contender)
    found = {(order.index(Contender(row.method)), row.weights, row.label) for row in records}
    return [label for _, _, label in sorted(found)]


def of(records: Rows, label: str) -> list[Record]:
    """Return the results of one method."""
    return [row for row in records if row.label == label]


def number(value: float, decimals: int) -> str:
    """Return a number, or a dash where there is none."""
    return f"{value:.{decimals}f}" if math.isfinite(value) else "-"


def main_table(records: Rows) -> str:
    """Return all methods: Dice and error in detail, the means of the rest."""
    head = ["method", "exams", "Dice mean", "median", "worst", "error mm mean", "median", "worst"]
    body = []
    for label in labels(records):
        rows = of(records, label)
        cells = [label, str(len(per_exam(rows, DICE)))]
        cells += [*_spread(rows, DICE), *_spread(rows, ERROR)]
        cells += [_mean_cell(rows, figure) for figure in _ACCURACY]
        body.append(cells)
    return table([*head, *(figure.title for figure in _ACCURACY)], body)


def signal_table(records: Rows) -> str:
    """Return all methods: what the corrected signal is worth, folds and time."""
    body = [
        [label, *(_mean_cell(of(records, label), figure) for figure in _SIGNAL)]
        for label in labels(records)
    ]
    return table(["method", *(figure.title for figure in _SIGNAL)], body)


def phase_table(records: Rows) -> str:
    """Return the error per phase, against the reference frame and against the consensus."""
    head = ["method", *(figure.title for figure in PHASES)]
    head += [f"consensus, {figure.title}" for figure in CONSENSUS_PHASES]
    body = [
        [
            label,
            *(_mean_cell(of(records, label), figure) for figure in (*PHASES, *CONSENSUS_PHASES)),
        ]
        for label in labels(records)
    ]
    return table(head, body)


def mode_table(records: Rows) -> str:
    """Return Dice and error for each way of breathing."""
    modes = sorted({row.breathing for row in records})
    head = ["method", *(f"{mode}: {what}" for mode in modes for what in ("Dice", "error mm"))]
    body = []
    for label in labels(records):
        cells = [label]
        for mode in modes:
            rows = [row for row in of(records, label) if row.breathing == mode]
            cells += [_mean_cell(rows, DICE), _mean_cell(rows, ERROR)]
        body.append(cells)
    return table(head, body)


def paired_table(records: Rows, label: str) -> str:
    """Return one method against every other on the same exams."""
    figures = (DICE, ERROR, PHASES[0], FLOW_ERROR, ROUGHNESS)
    head = [
        f"{label} against",
        "pairs",
        *(f"{figure.title}: difference (effect, p)" for figure in figures),
    ]
    body = []
    for other in labels(records):
        if other == label:
            continue
        cells = [_compared(records, label, other, figure) for figure in figures]
        body.append([other, cells[0][0], *(text for _, text in cells)])
    return table(head, body)


def _compared(records: Rows, label: str, other: str, figure: Figure) -> tuple[str, str]:
    """Return the number of pairs, and median difference, effect and p in words."""
    first, second = (per_exam(of(records, name), figure) for name in (label, other))
    keys = sorted(first.keys() & second.keys())
    found = compare_pairs([first[key] for key in keys], [second[key] for key in keys])
    difference = number(found.median_difference, figure.decimals + 1)
    effect, chance = number(found.effect, 2), _chance(found.p_value)
    return str(found.n_pairs), f"{difference} ({effect}, {chance})"


def _chance(value: float) -> str:
    if not math.isfinite(value):
        return "-"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def goal_table(found: Sequence[Verdict]) -> str:
    """Return the goals, what was found, and by how much each is met or missed."""
    body = []
    for verdict in found:
        sign = "≥" if verdict.is_at_least else "≤"
        body.append(
            [
                verdict.text,
                f"{sign} {verdict.target:g}",
                number(verdict.found, verdict.decimals),
                _judgement(verdict),
            ]
        )
    return table(["goal", "target", "found", "verdict"], body)


def _judgement(verdict: Verdict) -> str:
    if verdict.is_met is None:
        return "not measured"
    gap, decimals = abs(verdict.found - verdict.target), verdict.decimals
    while not verdict.is_met and round(gap, decimals) == 0:
        decimals += 1  # a miss is never shown as nothing
    shown = number(gap, decimals)
    return f"met, {shown} to spare" if verdict.is_met else f"**missed by {shown}**"


def harm_table(records: Rows) -> str:
    """Return for every method how many series it left worse than it found them."""
    head = ["method", "series", "worse by more than 0.01 Dice", "largest loss", "median gain"]
    body = []
    for contender in Contender:
        losses = list(harm(records, contender).values())
        if not losses or contender in {Contender.NONE, Contender.MOTION_FREE}:
            continue
        count = sum(loss > 0.01 for loss in losses)
        largest, gain = number(max(losses), 3), number(-median(losses), 3)
        body.append([contender.value, str(len(losses)), str(count), largest, gain])
    return table(head, body)


def choice_table(records: Rows) -> str:
    """Return what the methods that may choose have chosen."""
    head = ["method", "chosen", "series"]
    counts: dict[tuple[str, str], int] = {}
    for row in records:
        if row.chosen != row.method:
            counts[row.label, row.chosen] = counts.get((row.label, row.chosen), 0) + 1
    body = [[label, chosen, str(count)] for (label, chosen), count in sorted(counts.items())]
    return table(head, body)


def through_plane_table(records: Rows) -> str:
    """Return how well frames are recognised in which the heart has left the slice."""
    head = ["method", "frames", "through-plane", "marked as unlike", "both"]
    body = []
    for label in labels(records):
        rows = of(records, label)
        marked = sum(row.n_marked for row in rows)
        if not marked:
            continue
        counts = [sum(row.n_frames for row in rows), sum(row.n_through_plane for row in rows)]
        counts += [marked, sum(row.n_marked_rightly for row in rows)]
        body.append([label, *(str(count) for count in counts)])
    return table(head, body)


def _spread(rows: Rows, figure: Figure) -> list[str]:
    values = list(per_exam(rows, figure).values())
    found = (mean(values), median(values), worst(values, figure))
    return [number(value, figure.decimals) for value in found]


def _mean_cell(rows: Rows, figure: Figure) -> str:
    return number(mean(list(per_exam(rows, figure).values())), figure.decimals)
