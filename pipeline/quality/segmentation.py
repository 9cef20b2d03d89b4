"""Whether the outlines of a slice can be trusted."""

from collections.abc import Iterator

from pipeline.findings import Code, Finding, Grade, series_finding
from pipeline.segment.trust import DOUBTFUL_DICE
from pipeline.types import HeartMasks


def check_segmentation(masks: HeartMasks, *, index: int) -> tuple[Finding, ...]:
    """Return findings on outlines that doubt themselves or lack what segments need.

    Parameters
    ----------
    masks
        Of one slice.
    index
        Which slice it is.

    """
    return tuple(
        series_finding(Code.SEGMENTATION_UNCERTAIN, grade, text, index)
        for grade, text in _doubts(masks)
    )


def _doubts(masks: HeartMasks) -> Iterator[tuple[Grade, str]]:
    expected = masks.expected_dice
    if expected is not None and expected < DOUBTFUL_DICE:
        yield Grade.REVIEW, f"contours are uncertain (expected overlap {expected:.0%})."
    if masks.method == "bolus":
        yield Grade.NOTE, "contours come from the passage of contrast, not from the network."
