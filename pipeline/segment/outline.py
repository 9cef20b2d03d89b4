"""Masks of a corrected series: by the network where it trusts itself, else by the bolus."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from models.networks import Networks
from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code
from pipeline.segment.bolus import outline_by_bolus
from pipeline.segment.heart import HeartRegion, locate_heart
from pipeline.segment.insertions import find_insertions
from pipeline.segment.network import HeartShares, look_at_heart
from pipeline.segment.refine import refined
from pipeline.segment.sanity import masks_of
from pipeline.segment.trust import BOLUS_DICE, DOUBTFUL_DICE, expected_dice
from pipeline.segment.wall import trace_wall
from pipeline.types import HeartMasks

MIN_BOLUS_CONTRAST = 0.3
MIN_FRAMES = 12
MIN_SIDE = 16
SAME_WALL_DICE = 0.5
"""Contours that overlap less than this are not of the same heart."""
SAME_HEART_MM = 35.0
"""From where other series of an exam have the heart to where a slice may have it: an oblique axis
makes 5 mm, another breath-hold 15 mm."""
MAX_BROKEN_FRACTION = 0.005
"""Pixels of a frame that may be no numbers; a frame with more is left out."""


def segment(
    frames: Float[Tensor, "time row column"],
    *,
    spacing_mm: tuple[float, float],
    n_proton_density: int,
    networks: Networks | None = None,
    heart_px: tuple[float, float] | None = None,
    reach_mm: float | None = None,
) -> HeartMasks:
    """Find blood pools, myocardium and insertions in a motion-corrected series.

    Parameters
    ----------
    frames
        Corrected magnitude images, proton-density frames first. Shape `(time, row, column)`.
    spacing_mm
        Row and column spacing, mm.
    n_proton_density
        How many frames at the start carry no passage of contrast.
    networks
        Trained networks; without one for segmentation the contours come from the bolus alone.
    heart_px
        Row and column of the middle of the heart as registration knows it; None lets the bolus say
        where to begin.
    reach_mm
        A heart whose middle is farther than this from there is another organ; None knows no better.

    Raises
    ------
    CannotQuantifyError
        P04 when no bolus passes, P10 when what was found cannot be a left ventricle.

    """
    density, series = (
        _usable(part.float()) for part in (frames[:n_proton_density], frames[n_proton_density:])
    )
    if len(series) < MIN_FRAMES or min(series.shape[1:]) < MIN_SIDE:
        raise CannotQuantifyError(Code.BOLUS_NOT_COVERED, "too few usable frames for a first pass")
    region = locate_heart(series, spacing_mm=spacing_mm, n_proton_density=0)
    if region.bolus_contrast < MIN_BOLUS_CONTRAST:
        raise CannotQuantifyError(Code.BOLUS_NOT_COVERED, "no passage of contrast in the heart")
    if heart_px is not None:
        region = replace(region, centre_row=heart_px[0], centre_column=heart_px[1])
    network = None if networks is None else networks.segmentation
    if network is None:
        return _by_bolus(series, region, spacing_mm)
    seen = look_at_heart(
        torch.cat([density, series]),
        len(density),
        network,
        region=region,
        spacing_mm=spacing_mm,
        reach_mm=reach_mm,
    )
    place = replace(
        region, centre_row=seen.square.centre_row, centre_column=seen.square.centre_column
    )
    try:
        masks = _by_network(seen, series, spacing_mm)
    except CannotQuantifyError:
        return _where_known(series, place, spacing_mm, reach_mm)
    if (masks.expected_dice or 0.0) >= DOUBTFUL_DICE:
        return masks
    return _instead_of(masks, series, place, spacing_mm)


def _by_network(
    seen: HeartShares, series: Float[Tensor, "time row column"], spacing_mm: tuple[float, float]
) -> HeartMasks:
    first = masks_of(seen, (series.shape[1], series.shape[2]))
    masks = _with_insertions(refined(first, series, spacing_mm), spacing_mm)
    return replace(masks, expected_dice=expected_dice(seen))


def _instead_of(
    doubted: HeartMasks,
    series: Float[Tensor, "time row column"],
    place: HeartRegion,
    spacing_mm: tuple[float, float],
) -> HeartMasks:
    """Return the contours from the bolus where they speak of the same wall; still doubted."""
    try:
        masks = _by_bolus(series, place, spacing_mm)
    except CannotQuantifyError:
        return doubted
    both = 2 * int((masks.myocardium & doubted.myocardium).sum())
    total = int(masks.myocardium.sum() + doubted.myocardium.sum())
    same = both >= SAME_WALL_DICE * total
    return replace(masks, expected_dice=doubted.expected_dice) if same else doubted


def _where_known(
    series: Float[Tensor, "time row column"],
    region: HeartRegion,
    spacing_mm: tuple[float, float],
    reach_mm: float | None,
) -> HeartMasks:
    """Return the contours from the bolus; say where none could be drawn, if that is known."""
    try:
        return _by_bolus(series, region, spacing_mm)
    except CannotQuantifyError as error:
        if reach_mm is None:
            raise
        text = f"{error.text} where the other series of the exam have the heart"
        raise CannotQuantifyError(error.code, text) from error


def _by_bolus(
    series: Float[Tensor, "time row column"], region: HeartRegion, spacing_mm: tuple[float, float]
) -> HeartMasks:
    masks = outline_by_bolus(series, region, spacing_mm)
    return replace(_with_insertions(masks, spacing_mm), expected_dice=BOLUS_DICE)


def _with_insertions(masks: HeartMasks, spacing_mm: tuple[float, float]) -> HeartMasks:
    wall = trace_wall(masks, spacing_mm)
    return replace(masks, insertions_px=None if wall is None else find_insertions(masks, wall))


def _usable(frames: Float[Tensor, "time row column"]) -> Float[Tensor, "usable row column"]:
    """Drop frames that show nothing; single pixels that are no numbers become 0."""
    pixels = frames.flatten(1)
    if pixels.shape[1] == 0:
        return frames[:0]
    known = pixels.isfinite()
    filled = frames.nan_to_num(0.0, 0.0, 0.0)
    flat = filled.flatten(1)
    shows = flat.amax(dim=1) > flat.amin(dim=1)
    return filled[shows & ((~known).float().mean(dim=1) <= MAX_BROKEN_FRACTION)]
