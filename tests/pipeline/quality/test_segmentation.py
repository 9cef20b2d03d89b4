import torch

from pipeline.findings import Code, Grade
from pipeline.quality.segmentation import check_segmentation
from pipeline.segment.trust import DOUBTFUL_DICE
from pipeline.types import HeartMasks

NOTHING = torch.zeros(8, 8, dtype=torch.bool)


def masks(expected: float | None, method: str = "network") -> HeartMasks:
    return HeartMasks(
        myocardium=NOTHING,
        left_ventricle=NOTHING,
        right_ventricle=None,
        expected_dice=expected,
        method=method,
    )


def test_a_doubtful_answer_is_for_review() -> None:
    (finding,) = check_segmentation(masks(DOUBTFUL_DICE - 0.01), index=2)
    assert finding.code is Code.SEGMENTATION_UNCERTAIN
    assert finding.grade is Grade.REVIEW
    assert finding.slice_index == 2


def test_a_sure_answer_is_no_finding() -> None:
    assert check_segmentation(masks(DOUBTFUL_DICE + 0.01), index=0) == ()


def test_contours_without_the_network_are_noted() -> None:
    (finding,) = check_segmentation(masks(DOUBTFUL_DICE + 0.01, "bolus"), index=0)
    assert finding.grade is Grade.NOTE
    assert "network" in finding.text
