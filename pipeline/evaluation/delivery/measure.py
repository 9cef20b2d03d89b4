"""Register a series that comes on its own, handed on in every way, and measure what comes out."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from models.networks import Networks, shipped_networks
from pipeline.evaluation.cases import Case, Subject, cases, slice_indices
from pipeline.evaluation.contours import Contours, corrected_contours
from pipeline.evaluation.delivery.records import DeliveryRecord, Key
from pipeline.evaluation.delivery.ways import Delivered, Way, deliver
from pipeline.evaluation.overlap import compare
from pipeline.evaluation.target_error import target_error
from pipeline.motion import correct
from pipeline.types import MotionCorrection


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryTask:
    """One exam, and what of it is done already."""

    subject: Subject
    done: frozenset[Key]


def carry_out(task: DeliveryTask, report: Callable[[DeliveryRecord], None]) -> int:
    """Register one slice of an exam in every way that is not done yet; return how many.

    Parameters
    ----------
    task
        What is to be done.
    report
        Called with each result.

    """
    missing = ways_missing(task.subject, task.done)
    if not missing:
        return 0
    case = slice_of(task.subject)
    networks = shipped_networks("cpu")
    for way in missing:
        report(measure(case, way, networks))
    return len(missing)


def ways_missing(subject: Subject, done: Collection[Key]) -> list[Way]:
    """Return the ways of which there is no result yet."""
    return [way for way in Way if (subject.split.value, subject.seed, way.value) not in done]


def slice_of(subject: Subject) -> Case:
    """Draw an exam; return one slice, the same each time, without knowledge of the others."""
    exam = subject.draw()
    indices = slice_indices(subject.seed, len(exam.slices), every=False)
    return cases(subject, exam, indices, network=None)[0]


def measure(case: Case, way: Way, networks: Networks) -> DeliveryRecord:
    """Register one series, handed on in one way, and hold it against its truth.

    Parameters
    ----------
    case
        The series with its truth.
    way
        How it is handed on.
    networks
        Trained networks.

    """
    series = deliver(case, way)
    motion = register(series, networks)
    contours = series.contours(case.contours)
    after, before = (
        _figures(contours, field, motion, series.n_proton_density)
        for field in (motion.displacement, torch.zeros_like(motion.displacement))
    )
    middle = series.place(case.series.truth.epicardium_px.mean(dim=0))
    looked_at = torch.tensor(motion.heart_px or (torch.nan, torch.nan))
    off_mm = (looked_at - middle) * torch.tensor(series.spacing_mm)
    return DeliveryRecord(
        split=case.subject.split.value,
        seed=case.subject.seed,
        breathing=case.subject.protocol.breathing.value,
        series=case.name,
        way=way.value,
        chosen=motion.method,
        n_frames=len(series.frames),
        dice=after[0],
        dice_before=before[0],
        error_mm=after[1],
        error_before_mm=before[1],
        off_mm=float(off_mm.norm()),
    )


def register(series: Delivered, networks: Networks) -> MotionCorrection:
    """Register a series by the default method, which looks for the heart in it alone."""
    with torch.inference_mode():
        return correct(
            series.frames,
            spacing_mm=series.spacing_mm,
            n_proton_density=series.n_proton_density,
            networks=networks,
        )


def _figures(
    contours: Contours,
    field: Float[Tensor, "time axis row column"],
    motion: MotionCorrection,
    n_proton_density: int,
) -> tuple[float, float]:
    """Return Dice and error, mm, both against the reference frame."""
    seen = corrected_contours(contours, field)
    dice = compare(seen.walls, motion.reference).reference
    error = target_error(seen.points_mm, motion.reference).reference
    return float(dice.mean()), float(error[n_proton_density:].mean())
