"""Where the left ventricle is in a series that still moves: the network looks where blood passes.

The bolus alone cannot tell the heart from aorta, spleen or vessels of the lung when these are
brighter; a network that knows what a heart looks like can, also through the blur of breathing.
"""

from dataclasses import replace

from jaxtyping import Float
from torch import Tensor

from models.networks.segmentation import SegmentationNetwork
from pipeline.segment.heart import HeartRegion, locate_heart
from pipeline.segment.network import agreement, cavity_mm2, look_at_heart, middle_of

MIN_AGREEMENT = 0.88
"""Between what is seen in different orientations; with less the place of the bolus is taken.

A moving series is seen less sharply than a corrected one, and only its place is asked for."""

MIN_CAVITY_MM2 = 100.0
"""Below the tip of the cavity a heart is a disc, as spleen and stomach are: its place is taken, but
it does not count against other series of the exam."""
STEP_PX = 0.25
"""Places are rounded to this, so that rounding errors of the network do not move the region in
which registration works."""


def find_heart(
    frames: Float[Tensor, "time row column"],
    *,
    spacing_mm: tuple[float, float],
    n_proton_density: int,
    network: SegmentationNetwork | None,
) -> HeartRegion:
    """Find the left ventricle in a series that may still move.

    Parameters
    ----------
    frames
        Magnitude images, finite, proton-density frames first. Shape `(time, row, column)`.
    spacing_mm
        Row and column spacing, mm.
    n_proton_density
        How many frames at the start carry no passage of contrast.
    network
        Trained segmentation network; without it the bolus alone decides.

    """
    region = locate_heart(frames, spacing_mm=spacing_mm, n_proton_density=n_proton_density)
    if network is None or region.bolus_contrast <= 0:
        return region
    seen = look_at_heart(
        frames,
        n_proton_density,
        network,
        region=region,
        spacing_mm=spacing_mm,
        is_thorough=False,
    )
    sure = agreement(seen)
    if sure < MIN_AGREEMENT:
        return region
    row, column = (round(place / STEP_PX) * STEP_PX for place in middle_of(seen))
    trust = sure if cavity_mm2(seen) >= MIN_CAVITY_MM2 else 0.0
    return replace(region, centre_row=row, centre_column=column, agreement=trust)
