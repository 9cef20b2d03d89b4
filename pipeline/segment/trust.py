"""How good a segmentation is likely to be."""

from pipeline.segment.network import HeartShares
from pipeline.segment.sanity import doubt_of
from pipeline.types import HeartMasks

BOLUS_DICE = 0.72
"""Mean Dice of the contours from the bolus alone on development exams."""
DOUBTFUL_DICE = 0.75
"""An answer that expects less of itself is doubted: finding P10."""


def expected_dice(seen: HeartShares, first: HeartMasks, drawn: HeartMasks) -> float:
    """Return the Dice of the myocardium that an answer is likely to have.

    Parameters
    ----------
    seen
        What the network saw.
    first
        The masks made of it.
    drawn
        The masks after the outer border was drawn anew.

    """
    doubt = doubt_of(seen)
    both = 2 * int((first.myocardium & drawn.myocardium).sum())
    moved = both / max(int(first.myocardium.sum() + drawn.myocardium.sum()), 1)
    return min(doubt.overlap, doubt.agreement, moved)
