"""A goal that is missed by a little is not shown as missed by nothing."""

import pytest

from pipeline.evaluation.goals import Verdict
from pipeline.evaluation.tables import goal_table


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (0.93, "**missed by 0.020**"),
        (0.9496, "**missed by 0.0004**"),
        (0.95, "met, 0.000 to spare"),
        (0.95 - 1e-15, "met, 0.000 to spare"),
        (0.96, "met, 0.010 to spare"),
        (float("nan"), "not measured"),
    ],
)
def test_the_gap_to_a_goal(found: float, words: str) -> None:
    verdict = Verdict(text="Dice", target=0.95, found=found, is_at_least=True, decimals=3)
    assert words in goal_table([verdict])
