"""What motion correction is worth on phantom exams: overlap, smoothness and flow error, per seed.

`python -m tests.pipeline.evidence 1 2 3` prints the table of docs/evidence/first_version.md.
"""

import sys
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from models.phantom import PhantomSeries
from node.selftest.accuracy import ExamAccuracy, MeasuredMap, compare
from pipeline.analyse import analyse
from pipeline.motion import warp
from pipeline.types import Analysis, MotionCorrection
from tests.pipeline.exams import as_exam, parameters, phantom

HEAD = (
    "| seed | Dice none | Dice corrected | worst slice | roughness none | roughness corrected "
    "| flow error none | flow error corrected | base | mid | apex | seconds |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Figures of one exam, with or without correction."""

    dice: tuple[float, ...]
    """Per slice: overlap of the myocardium of every frame with that of the reference frame."""
    roughness: float
    accuracy: ExamAccuracy
    seconds: float


def gather(seed: int, *, correct_motion: bool) -> Evidence:
    """Analyse a moving stress exam and compare it with its truth."""
    truth = phantom(seed)
    started = time.perf_counter()
    with torch.inference_mode():
        analysis = analyse(
            as_exam(seed, motion=True), parameters(truth, correct_motion=correct_motion)
        )
    seconds = time.perf_counter() - started
    motions = [result.motion for result in analysis.slices]
    return Evidence(
        dice=tuple(
            _dice(series, motion) for series, motion in zip(truth.slices, motions, strict=True)
        ),
        roughness=sum(motion.quality.roughness_after for motion in motions) / len(motions),
        accuracy=compare(_maps(analysis, truth.slices), truth),
        seconds=seconds,
    )


def _maps(analysis: Analysis, slices: tuple[PhantomSeries, ...]) -> list[MeasuredMap]:
    return [
        MeasuredMap(
            flow_ml_min_g=result.flow.flow_ml_min_g,
            time_s=float(series.time_s[result.motion.reference]),
        )
        for result, series in zip(analysis.slices, slices, strict=True)
        if result.flow is not None
    ]


def _dice(series: PhantomSeries, motion: MotionCorrection) -> float:
    moved = warp(series.truth.myocardium.float(), motion.displacement) > 0.5
    return float(_overlap(moved, moved[motion.reference]).mean())


def _overlap(masks: Tensor, target: Tensor) -> Tensor:
    both = (masks & target).sum(dim=(1, 2))
    return 2 * both / (masks.sum(dim=(1, 2)) + target.sum())


def _row(seed: int) -> str:
    none = gather(seed, correct_motion=False)
    done = gather(seed, correct_motion=True)
    slices = [f"{100 * row.bias_fraction:+.0f} %" for row in done.accuracy.slices]
    cells = [
        str(seed),
        f"{sum(none.dice) / 3:.3f}",
        f"{sum(done.dice) / 3:.3f}",
        f"{min(done.dice):.3f}",
        f"{none.roughness:.3f}",
        f"{done.roughness:.3f}",
        f"{100 * none.accuracy.median_error_fraction:.1f} %",
        f"{100 * done.accuracy.median_error_fraction:.1f} %",
        *slices,
        f"{done.seconds:.0f}",
    ]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.stdout.write(HEAD + "\n")
    for argument in sys.argv[1:]:
        sys.stdout.write(_row(int(argument)) + "\n")
        sys.stdout.flush()
