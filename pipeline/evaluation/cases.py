"""The exams that methods are compared on, and what is known of each of their series.

Held-out exams are drawn from the range that training draws from, with seeds training never uses;
exams beyond it have settings that training never draws. Development exams are for looking at while
something is built; nothing is reported of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.networks import SegmentationNetwork
from models.phantom import (
    Breathing,
    PhantomExam,
    PhantomSeries,
    Protocol,
    make_exam,
    random_protocol,
)
from pipeline.evaluation.contours import Contours, acquired_contours
from pipeline.evaluation.flow_error import FlowBasis, flow_basis
from pipeline.evaluation.phantom_exam import hearts_of
from pipeline.evaluation.phases import phase_masks
from pipeline.evaluation.still import noisy_still
from pipeline.segment import HeartRegion

ARTERIAL_INPUT = "arterial input"


class Split(StrEnum):
    """Where an exam comes from."""

    HELD_OUT = "held-out"
    BEYOND = "beyond"
    DEVELOPMENT = "development"


FIRST_SEED = {Split.HELD_OUT: 9400, Split.BEYOND: 9460, Split.DEVELOPMENT: 5000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One exam to be made."""

    split: Split
    seed: int
    protocol: Protocol

    def draw(self) -> PhantomExam:
        """Make the exam; the same bytes each time."""
        return make_exam(self.seed, protocol=self.protocol)


def subjects(split: Split, n_exams: int) -> tuple[Subject, ...]:
    """Return the first exams of a split; the modes of breathing take turns, but not beyond."""
    return tuple(_subject(split, index) for index in range(n_exams))


def _subject(split: Split, index: int) -> Subject:
    modes, is_beyond = tuple(Breathing), split is Split.BEYOND
    seed = FIRST_SEED[split] + index
    breathing = None if is_beyond else modes[index % len(modes)]
    return Subject(
        split=split,
        seed=seed,
        protocol=random_protocol(seed, breathing=breathing, beyond=is_beyond),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One series of one exam with all that its measurement needs."""

    subject: Subject
    name: str
    """`slice 0` (the base) and so on, or `arterial input`."""
    series: PhantomSeries
    contours: Contours
    phases: Bool[Tensor, "phase time"]
    heart: HeartRegion | None
    """Where the exam as a whole puts the heart; None leaves every method to look for it."""
    flow: FlowBasis | None
    """None where no flow is computed: the arterial input, and exams without a usable one."""

    @property
    def frames(self) -> Float[Tensor, "time row column"]:
        """What a method gets to see."""
        return self.series.frames.float()

    @property
    def is_arterial(self) -> bool:
        """Whether this is the low-resolution series of the blood pool."""
        return self.name == ARTERIAL_INPUT


def slice_indices(seed: int, n_slices: int, *, every: bool) -> tuple[int, ...]:
    """Choose the slices of an exam: all, or one at random that depends on the seed alone."""
    if every:
        return tuple(range(n_slices))
    generator = torch.Generator().manual_seed(seed)
    return (int(torch.randint(n_slices, (1,), generator=generator)),)


def slice_name(index: int) -> str:
    """Return the name of the case of a slice; 0 is the base."""
    return f"slice {index}"


def cases(
    subject: Subject,
    exam: PhantomExam,
    indices: Sequence[int],
    *,
    network: SegmentationNetwork | None,
) -> tuple[Case, ...]:
    """Return the chosen slices of an exam, then its arterial-input series.

    Parameters
    ----------
    subject, exam
        The exam, and what it was made from.
    indices
        Which slices.
    network
        Finds the heart in all series of the exam, as an analysis does; None leaves it to each.

    """
    basis = flow_basis(exam)
    hearts = hearts_of(exam, network)
    chosen = [(slice_name(index), exam.slices[index], hearts[index], basis) for index in indices]
    return tuple(
        Case(
            subject=subject,
            name=name,
            series=series,
            contours=acquired_contours(series),
            phases=phase_masks(exam, series),
            heart=heart,
            flow=flow,
        )
        for name, series, heart, flow in [
            *chosen,
            (ARTERIAL_INPUT, exam.arterial_input, hearts[-1], None),
        ]
    )


def without_motion(case: Case) -> Case:
    """Return the case as if nothing had moved, with noise of the same size drawn anew."""
    truth = case.series.truth
    n_frames = len(case.series.frames)
    still = replace(
        truth,
        displacement=torch.zeros_like(truth.displacement),
        inverse_displacement=torch.zeros_like(truth.inverse_displacement),
        through_plane_mm=torch.zeros_like(truth.through_plane_mm),
        myocardium=_always(truth.reference_myocardium, n_frames),
        left_ventricle=_always(truth.reference_left_ventricle, n_frames),
        right_ventricle=_always(truth.reference_right_ventricle, n_frames),
    )
    frames = noisy_still(case.series, seed=case.subject.seed)
    series = replace(case.series, frames=frames, truth=still)
    return replace(case, series=series, contours=acquired_contours(series))


def _always(mask: Bool[Tensor, "row column"], n_frames: int) -> Bool[Tensor, "time row column"]:
    return mask.expand(n_frames, -1, -1).clone()
