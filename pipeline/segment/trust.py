"""How good a segmentation is likely to be."""

from pipeline.segment.network import HeartShares
from pipeline.segment.sanity import doubt_of

BOLUS_DICE = 0.72
"""Mean Dice of the contours from the bolus alone on development exams."""

DOUBTFUL_DICE = 0.75
"""An answer that expects less of itself is doubted: finding P10."""


def expected_dice(seen: HeartShares) -> float:
    """Return the Dice of the myocardium that the network's answer is likely to have."""
    doubt = doubt_of(seen)
    return min(doubt.overlap, doubt.agreement)
