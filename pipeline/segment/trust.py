"""How good a segmentation is likely to be."""

from pipeline.segment.network import HeartShares, agreement

DOUBTFUL_DICE = 0.75
"""An answer that expects less of itself is doubted: finding P10."""
BOLUS_DICE = 0.72
"""Mean Dice of the contours from the bolus alone on development exams, a quarter of which fail."""
BEST_DICE = 0.96
DOUBTFUL_AGREEMENT = 0.93
"""On development exams, noise added to some, all failures agreed less than this with themselves in
other orientations, and one in eighteen of the others."""
GAIN = 4.0
"""Loss of Dice for a loss of agreement."""


def expected_dice(seen: HeartShares) -> float:
    """Return the Dice of the myocardium that an answer of the network is likely to have.

    How sure the network is of single pixels says less: it is never sure of a thin wall.
    """
    lost = GAIN * (DOUBTFUL_AGREEMENT - agreement(seen))
    return min(max(DOUBTFUL_DICE - lost, 0.0), BEST_DICE)
