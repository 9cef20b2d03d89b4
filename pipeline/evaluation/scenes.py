"""One series registered again, to be looked at."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from models.networks import Networks, shipped_networks
from pipeline.evaluation.cases import FIRST_SEED, Case, Split, cases, subjects
from pipeline.evaluation.contenders import Contender, register
from pipeline.evaluation.contours import corrected_contours
from pipeline.evaluation.records import Record

_MARGIN_MM = 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A box around the heart before and after correction."""

    title: str
    before: Float[Tensor, "time row column"]
    after: Float[Tensor, "time row column"]
    inner_px: Float[Tensor, "inner axis"]
    """Contours of the reference frame in the box."""
    outer_px: Float[Tensor, "outer axis"]
    n_proton_density: int


def worst_of(records: Sequence[Record], contender: Contender) -> Record | None:
    """Return the slice on which a method has its largest error."""
    rows = [
        row
        for row in records
        if row.method == contender and not row.is_arterial and not row.weights
    ]
    return max(rows, key=lambda row: row.error_mm, default=None)


def typical_of(records: Sequence[Record], contender: Contender, breathing: str) -> Record | None:
    """Return the held-out slice of one way of breathing with the middle error."""
    rows = [
        row
        for row in records
        if row.method == contender
        and row.breathing == breathing
        and row.split != Split.BEYOND
        and not row.is_arterial
        and not row.weights
    ]
    return sorted(rows, key=lambda row: row.error_mm)[len(rows) // 2] if rows else None


def scene_of(record: Record, *, networks: Networks | None) -> Scene:
    """Draw the exam of a result again, register it again, and cut out the heart."""
    case = _case(record)
    motion = register(Contender(record.method), case, networks=networks).motion
    seen = corrected_contours(case.contours, motion.displacement)
    inner, outer = seen.inner_px[motion.reference], seen.outer_px[motion.reference]
    margin = torch.tensor([_MARGIN_MM / size for size in case.series.spacing_mm])
    low = (outer.amin(dim=0) - margin).floor().long().clamp(min=0)
    high = (outer.amax(dim=0) + margin).ceil().long()
    box = (..., slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1])))
    words = f"{record.method}: {record.split} {record.seed}, {record.series}, {record.breathing}"
    return Scene(
        title=f"{words}, error {record.error_mm:.1f} mm, Dice {record.dice:.2f}",
        before=case.frames[box],
        after=motion.frames.float()[box],
        inner_px=inner - low,
        outer_px=outer - low,
        n_proton_density=case.series.n_proton_density,
    )


def _case(record: Record) -> Case:
    split = Split(record.split)
    subject = subjects(split, record.seed - FIRST_SEED[split] + 1)[-1]
    exam = subject.draw()
    network = shipped_networks("cpu").segmentation
    return cases(subject, exam, (int(record.series.split()[-1]),), network=network)[0]
