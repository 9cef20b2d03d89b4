"""The methods that are compared, all answering in the same form."""

import time
from dataclasses import dataclass, replace
from enum import StrEnum

import torch
from jaxtyping import Float
from torch import Tensor

from models.networks import Networks
from models.phantom import PhantomSeries
from pipeline.evaluation.cases import Case
from pipeline.evaluation.groupwise import groupwise_field
from pipeline.evaluation.oracle import true_field, true_translation
from pipeline.evaluation.phase_correlation import phase_correlation_field
from pipeline.evaluation.resample import resample
from pipeline.motion import Method, correct, identity
from pipeline.motion.iterative import anchored
from pipeline.types import MotionCorrection


class Contender(StrEnum):
    """A row of the table."""

    NONE = "none"
    PHASE_CORRELATION = "phase-correlation"
    ELASTIX = "elastix"
    """Groupwise PCAMetric2 by itk-elastix."""
    ITERATIVE = "iterative"
    PUBLISHED = "published"
    LEARNED = "learned"
    AUTO = "auto"
    """What `pipeline.motion.correct` does unless told otherwise."""
    ORACLE_TRANSLATION = "oracle-translation"
    """Ceiling: the best shift of each frame, from truth."""
    ORACLE_FIELD = "oracle-field"
    """Ceiling: the true field."""
    MOTION_FREE = "motion-free"
    """Floor: the phantom held still, with noise; nothing to correct."""


OURS = {
    Contender.ITERATIVE: Method.ITERATIVE,
    Contender.PUBLISHED: Method.PUBLISHED,
    Contender.LEARNED: Method.LEARNED,
    Contender.AUTO: Method.AUTO,
}
"""Methods of `pipeline.motion`, each behind the do-no-harm gate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What one method made of one series."""

    motion: MotionCorrection
    cpu_s: float
    """Time of all threads of this process."""
    wall_s: float


def register(
    contender: Contender,
    case: Case,
    *,
    networks: Networks | None,
    guess_mm: Float[Tensor, "time axis"] | None = None,
) -> Registration:
    """Let one method register one series, and take its time.

    Parameters
    ----------
    contender
        Which method.
    case
        The series; only oracles see its truth.
    networks
        Trained networks; None takes the shipped ones.
    guess_mm
        Displacement that another series of the same beats showed, for methods that use it, mm.

    """
    still = identity(
        case.frames,
        spacing_mm=case.series.spacing_mm,
        n_proton_density=case.series.n_proton_density,
    )
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    with torch.inference_mode():
        if contender in OURS:
            motion = _correct(OURS[contender], case, networks, guess_mm)
        else:
            motion = _compare(contender, case, still)
    return Registration(
        motion=motion,
        cpu_s=time.process_time() - cpu_s,
        wall_s=time.perf_counter() - wall_s,
    )


def _correct(
    method: Method,
    case: Case,
    networks: Networks | None,
    guess_mm: Float[Tensor, "time axis"] | None,
) -> MotionCorrection:
    return correct(
        case.frames,
        spacing_mm=case.series.spacing_mm,
        n_proton_density=case.series.n_proton_density,
        method=method,
        networks=networks,
        guess_mm=guess_mm,
        heart=case.heart,
    )


def _compare(contender: Contender, case: Case, still: MotionCorrection) -> MotionCorrection:
    """Apply a method that is not one of ours; its quality figures are not filled in."""
    if contender in {Contender.NONE, Contender.MOTION_FREE}:
        return replace(still, reference=settled_frame(case.series), method=contender.value)
    field, reference = _field(contender, case)
    return replace(
        still,
        frames=resample(case.frames, field),
        displacement=field,
        reference=reference,
        method=contender.value,
    )


def _field(contender: Contender, case: Case) -> tuple[Float[Tensor, "time axis row column"], int]:
    series = case.series
    if contender is Contender.ORACLE_FIELD:
        return true_field(series, settled_frame(series)), settled_frame(series)
    if contender is Contender.ORACLE_TRANSLATION:
        return true_translation(series, settled_frame(series)), settled_frame(series)
    method = groupwise_field if contender is Contender.ELASTIX else phase_correlation_field
    field = method(
        case.frames, spacing_mm=series.spacing_mm, n_proton_density=series.n_proton_density
    )
    reference = _least_moved(field, series.n_proton_density)
    return anchored(field, reference), reference


def settled_frame(series: PhantomSeries) -> int:
    """Return the late frame whose true position of the wall is nearest to the usual one.

    Oracles are granted it; without correction it is the fairest frame to compare others with.
    """
    wall = series.truth.reference_myocardium
    shift = series.truth.displacement[:, :, wall].float().mean(dim=2)
    distance = (shift - shift.median(dim=0).values).norm(dim=1)
    late = len(shift) // 2
    return late + int(distance[late:].argmin())


def _least_moved(field: Float[Tensor, "time axis row column"], n_proton_density: int) -> int:
    """Return the perfusion frame that a groupwise method found nearest to the common position."""
    size = field.norm(dim=1).mean(dim=(1, 2))
    return n_proton_density + int(size[n_proton_density:].argmin())
