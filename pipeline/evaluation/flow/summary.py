"""The evidence of flow as one document: generated tables around a reading written by hand."""

from collections.abc import Sequence

from models.phantom import TissueModel
from pipeline.evaluation.flow.curve_trials import CurveRow
from pipeline.evaluation.flow.design import Group
from pipeline.evaluation.flow.goals import clinical, of_tissue, verdicts
from pipeline.evaluation.flow.records import FlowRecord, Motion
from pipeline.evaluation.flow.tables import (
    curve_table,
    factor_table,
    failure_table,
    model_table,
    paired_table,
    parameter_table,
    tissue_table,
)
from pipeline.evaluation.summary import READING_BEGINS, READING_ENDS
from pipeline.evaluation.tables import goal_table
from pipeline.types import FlowModel

DEFAULT = FlowModel.BTEX

_TITLE = "# What myocardial blood flow is worth\n"
_HEAD = """
Everything but the reading is made by one command from the results, which takes up where it was cut
off:

    perfnode evaluate quantification --clinical {n_clinical} --random {n_random} \\
        --output evaluation --document docs/evidence/quantification.md --pictures docs/pictures

Phantom exams with seeds that nobody looked at before: {n_clinical} of the *clinical point* (the
shipped protocol at SNR 20, 75 beats/min, breath-hold that fails, flow of 0.8 to 3.5 ml/min/g, a
transmural defect of 1 cm at half flow in every slice); {n_factor} in which *one factor* is varied
around that point, same patient, one slice; {n_random} *random* ones (any sequence, field, agent,
matrix, anatomy, SNR 5 to 40, breathing, wide volumes and PS). Tissue is of four models in turn, one
of which is fitted: plug flow, two well-mixed compartments, parallel paths of unequal flow, and plug
flow behind arteries that disperse the bolus. No patient data is behind any figure.
"""
_MEANING = """
## What the columns mean
Segments: six (apex: four) equal sectors of the true wall from the right ventricle on, every pixel
of it; bias and RMSE are those of (found - true) / true over segments, limits are bias ± 1.96 SD
(Bland and Altman). As reported: the segments that the analysis outlines and names itself, against
the true flow of that segment. Pixel error: median over the true wall, rim included, of
|found - true| / true, mean of exams; core: without the outermost pixels. Defect AUC: sectors of the
wall as wide as the defect, flow over the median of the slice, those in a defect against all others;
pixel AUC likewise for pixels, mean of exams. 68 % and 95 %: share of true values within 1 and 1.96
standard errors, of pixels that are not at a bound, and of the segments as reported. *Corrected*:
images that moved, corrected by `auto`; *still*: images without motion, with noise, the floor.
"""
_PARAMETERS = """
### Other parameters
Median error over the core of the wall.
"""
_PAIRED = """
### The same exams, another fit
Median difference; in brackets the rank-biserial effect and the p of a Wilcoxon signed-rank test.
"""
_CURVES = """
## Curves without images
Voxels by themselves: no neighbourhood, no blur, no segmentation, no motion. Flow 0.3 to 5 ml/min/g,
delay 0 to 3 s, vb 0.05 to 0.18, vi 0.12 to 0.35, PS 0.3 to 2.5 ml/min/g, all independent; four
arterial inputs with heart rates of 45 to 130 and 0 to 3 missed beats. SNR is that of a raw pixel.
"""


def document(
    records: Sequence[FlowRecord],
    curves: Sequence[CurveRow],
    *,
    reading: str,
    pictures: Sequence[str],
) -> str:
    """Return the whole document.

    Parameters
    ----------
    records, curves
        All results.
    reading
        What was written by hand between the markers.
    pictures
        Markdown of the pictures.

    """
    parts = [
        _TITLE,
        _head(records),
        f"{READING_BEGINS}\n{reading.strip()}\n{READING_ENDS}\n",
        *_goal_parts(records),
        *(f"{picture}\n" for picture in pictures),
        _MEANING,
        f"## Clinical point\n\n{model_table(records, Group.CLINICAL)}\n",
        f"### By tissue, after motion correction\n\n{tissue_table(records, Group.CLINICAL)}\n",
        f"{_PARAMETERS}\n{parameter_table(records)}\n",
        f"{_PAIRED}\n{paired_table(records, DEFAULT)}\n",
        f"## One factor at a time\n`{DEFAULT}`.\n\n{factor_table(records, DEFAULT)}\n",
        f"## Random exams\n\n{model_table(records, Group.RANDOM)}\n",
        f"### By tissue\n\n{tissue_table(records, Group.RANDOM)}\n",
        f"## Without a map\n\n{failure_table(records)}\n",
        f"{_CURVES}\n{curve_table(curves)}\n" if curves else "",
    ]
    return "\n".join(part.strip("\n") + "\n" for part in parts if part)


def _head(records: Sequence[FlowRecord]) -> str:
    counts = {
        group: len({(row.factor, row.level, row.seed) for row in records if row.group == group})
        for group in Group
    }
    return _HEAD.format(
        n_clinical=counts[Group.CLINICAL],
        n_factor=counts[Group.FACTOR],
        n_random=counts[Group.RANDOM],
    )


def _goal_parts(records: Sequence[FlowRecord]) -> list[str]:
    every = clinical(records, motion=Motion.CORRECTED, model=DEFAULT.value)
    still = clinical(records, motion=Motion.STILL, model=DEFAULT.value)
    plug = of_tissue(every, TissueModel.PLUG_FLOW)
    return [
        f"## Goals, met or missed by `{DEFAULT}`\n",
        f"### Clinical point, tissue of all four models\n\n{goal_table(verdicts(every))}\n",
        f"### Tissue of the fitted model only\n\n{goal_table(verdicts(plug))}\n",
        f"### All tissues, had nothing moved\n\n{goal_table(verdicts(still))}\n",
    ]
