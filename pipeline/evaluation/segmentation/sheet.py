"""Slices with found and true contours: the worst, the middle and the best."""

from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from torch import Tensor

from models.networks import Networks
from pipeline.evaluation.cases import FIRST_SEED, Split, subjects
from pipeline.evaluation.segmentation.cases import OutlineCase, prepared
from pipeline.evaluation.segmentation.measure import Way, answer
from pipeline.evaluation.segmentation.plots import canvas
from pipeline.evaluation.segmentation.records import OutlineRecord

_COLUMNS = 5
_MARGIN_MM = 22.0
_FOUND, _TRUE = "#ffc43c", "#58b4ff"


def contact_sheet(records: Sequence[OutlineRecord], networks: Networks, folder: Path) -> Canvas:
    """Return worst, middle and best held-out slices, one row each.

    Parameters
    ----------
    records
        All results.
    networks
        With which they were made.
    folder
        Of the corrected series.

    """
    rows = sorted(
        (row for row in records if row.way == Way.SEGMENT and row.split != Split.BEYOND),
        key=lambda row: row.dice_myocardium,
    )
    middle = max((len(rows) - _COLUMNS) // 2, 0)
    chosen = [*rows[:_COLUMNS], *rows[middle : middle + _COLUMNS], *rows[-_COLUMNS:]]
    figure = canvas(2.1 * _COLUMNS, 2.3 * 3)
    for place, record in enumerate(chosen):
        axes = figure.add_subplot(3, _COLUMNS, place + 1)
        _draw(axes, _case(record, networks, folder), record, networks)
    return figure


def _case(record: OutlineRecord, networks: Networks, folder: Path) -> OutlineCase:
    split = Split(record.split)
    subject = subjects(split, record.seed - FIRST_SEED[split] + 1)[-1]
    return prepared(subject, networks, folder)[record.index]


def _draw(axes: Axes, case: OutlineCase, record: OutlineRecord, networks: Networks) -> None:
    masks = answer(case, Way.SEGMENT, networks)
    box = _box(case)
    picture = _bright(case)[box]
    axes.imshow(picture.numpy(), cmap="gray", vmin=0, vmax=float(picture.quantile(0.99)))
    found = [] if masks is None else [masks.left_ventricle, masks.left_ventricle | masks.myocardium]
    left, muscle, _ = case.masks
    for colour, outlines in ((_TRUE, [left, left | muscle]), (_FOUND, found)):
        for outline in outlines:
            if bool(outline[box].any()):
                axes.contour(
                    outline[box].float().numpy(), levels=[0.5], colors=[colour], linewidths=0.9
                )
    if masks is not None and masks.insertions_px is not None:
        for row, column in masks.insertions_px:
            axes.plot(column - box[1].start, row - box[0].start, "+", color=_FOUND, markersize=6)
    axes.set_xlim(-0.5, picture.shape[1] - 0.5)
    axes.set_ylim(picture.shape[0] - 0.5, -0.5)
    axes.set_title(
        f"{record.seed}.{record.index}  Dice {record.dice_myocardium:.2f}\n"
        f"expected {record.expected:.2f} ({record.method or 'refused'})",
        fontsize=7,
    )
    axes.set_axis_off()


def _bright(case: OutlineCase) -> Float[Tensor, "row column"]:
    """Return the mean of the frames in which the true left ventricle is brightest."""
    series = case.frames[case.n_proton_density :]
    left, muscle, _ = case.masks
    inside = left if bool(left.any()) else muscle
    peak = int(series[:, inside].mean(dim=1).argmax())
    return series[max(peak - 2, 0) : peak + 6].mean(dim=0)


def _box(case: OutlineCase) -> tuple[slice, slice]:
    inside = (case.masks[0] | case.masks[1]).nonzero()
    margin = torch.tensor([_MARGIN_MM / size for size in case.spacing_mm])
    low = (inside.amin(dim=0) - margin).floor().clamp(min=0).long().tolist()
    high = (inside.amax(dim=0) + margin).ceil().long().tolist()
    return slice(low[0], high[0]), slice(low[1], high[1])
