"""What a reader is told of marked beats and rejected corrections."""

import dataclasses

import pytest
import torch

from pipeline.findings import Code, Finding, Grade
from pipeline.motion import identity
from pipeline.quality import check_motion
from pipeline.types import ConsideredCorrection, MotionCorrection
from tests.pipeline.toy import make_toy

N_FRAMES = 60


def correction(**changes) -> MotionCorrection:
    toy = make_toy(n_frames=N_FRAMES, size=32, spacing_mm=6.0, amplitude_mm=0.0, noise=1.0)
    still = identity(toy.frames, spacing_mm=toy.spacing_mm, n_proton_density=2)
    quality = dataclasses.replace(still.quality, roughness_before=0.1, roughness_after=0.1)
    return dataclasses.replace(still, quality=quality, **changes)


def tried(*, is_helpful: bool) -> tuple[ConsideredCorrection, ...]:
    return (ConsideredCorrection(method="learned", step="any", score=1.1, is_helpful=is_helpful),)


def check(motion: MotionCorrection) -> list[Finding]:
    return list(check_motion(motion, spacing_mm=(2.0, 2.0), index=1))


@pytest.mark.parametrize(
    ("n_marked", "grades", "words"),
    [
        (0, [], ""),
        (1, [Grade.NOTE], "Slice 2: 1 of 60 beats does"),
        (6, [Grade.NOTE], "Slice 2: 6 of 60 beats do"),
        (7, [Grade.REVIEW], "Slice 2: 7 of 60 beats do"),
    ],
)
def test_marked_beats_are_counted(n_marked: int, grades: list[Grade], words: str) -> None:
    found = check(correction(is_unlike=torch.arange(N_FRAMES) < n_marked))
    assert [(entry.code, entry.grade) for entry in found] == [
        (Code.RESIDUAL_MOTION, grade) for grade in grades
    ]
    assert all(entry.sentence.startswith(words) and entry.slice_index == 1 for entry in found)


def test_a_rejected_correction_is_noted() -> None:
    found = check(correction(considered=tried(is_helpful=False)))
    assert [(entry.grade, entry.sentence) for entry in found] == [
        (Grade.NOTE, "Slice 2: no correction was an improvement; frames are as acquired.")
    ]


def test_a_correction_that_was_taken_needs_no_word() -> None:
    motion = correction(method="learned", considered=tried(is_helpful=True))
    assert check(motion) == []
    assert check(correction()) == []
