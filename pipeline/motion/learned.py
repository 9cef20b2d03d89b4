"""The learned method: contrast is removed by a network, what is left is registered.

1. The anatomy network turns every frame into maps of the heart; translation by their centroids,
   then affine to their common mean.
2. Again with frames that lie on each other, so that the network sees a sharp average of the
   series; affine, then non-rigid between the new maps.
3. Where contrast agent is in the heart the images say more than the maps: affine and non-rigid to
   PCA references. Frames without it keep what the maps said, since a freer match runs away there.

Frames in which the heart left the slice are marked, and only shifted as a whole.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from models.decomposition import pca_reference
from models.networks import Networks
from models.networks.anatomy import AnatomyNetwork, frame_inputs
from pipeline.motion.affine import AffineSettings, affine_field, register_affine
from pipeline.motion.compose import compose, warp, warp_maps
from pipeline.motion.crop import HeartCrop
from pipeline.motion.deformable import DeformableSettings, register_deformable
from pipeline.motion.iterative import anchored
from pipeline.motion.likeness import misfit
from pipeline.motion.map_registration import (
    affine_to_mean,
    bend_to_mean,
    centroid_shifts,
    heart_places,
)
from pipeline.motion.phases import choose_reference, enhanced
from pipeline.motion.series import Candidate, Series
from pipeline.smoothing import smooth
from pipeline.types import Progress

SPACING_MM = 2.0
SIZE = 96
BATCH = 16
POOLING = 2
FINE_MM = 3.5
"""Larger pixels show too little detail for a non-rigid step."""
OFF_CENTRE_MM = 10.0
COMPONENTS = (3, 5)
REFINEMENT = DeformableSettings(n_iterations=5, window_px=5.0, smoothing_px=2.5, damping=0.5)
GROUP = AffineSettings(n_iterations=4, shape_stiffness=30.0)
GROUP_BLUR_PX = 1.0
MIN_ENHANCED = 12
MAX_MISFIT = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """The heart region and what the network makes of it."""

    crop: HeartCrop
    frames: Float[Tensor, "time side side"]
    maps: Float[Tensor, "time tissue side side"]


def register(series: Series, networks: Networks, progress: Progress) -> tuple[Candidate, ...]:
    """Register a series; return what the maps said, and that refined by the images.

    Parameters
    ----------
    series
        Any series of at least four usable frames.
    networks
        With an anatomy network.
    progress
        Told stage and fraction.

    Raises
    ------
    ValueError
        If there is no anatomy network.

    """
    if networks.anatomy is None:
        raise ValueError("the learned method needs the weights of the anatomy network")
    progress("motion: anatomy", 0.0)
    seen = _look(series, networks.anatomy)
    field = _aligned(seen.maps, _start(series, seen.maps))
    progress("motion: anatomy, aligned", 0.3)
    maps = anatomy_maps(networks.anatomy, warp(seen.frames, field), series.n_proton_density)
    step = _aligned(maps, maps.new_zeros(len(maps), 2))
    is_fine = max(series.spacing_mm) < FINE_MM
    if is_fine:
        progress("motion: non-rigid", 0.5)
        bend = bend_to_mean(_pooled(warp_maps(maps, step)))
        step = compose(step, _enlarged(bend))
    field = compose(field, step)
    weight = seen.crop.weight(seen.frames)
    field = _settled(seen.frames, weight, field, series.n_proton_density)
    moved = warp(seen.frames, field)
    is_enhanced = enhanced(moved, weight, series.n_proton_density)
    reference = choose_reference(moved, weight, is_enhanced)
    answers = [("anatomy", field)]
    if is_fine and int(is_enhanced.sum()) >= MIN_ENHANCED:
        progress("motion: refinement", 0.7)
        answers.append(("refined", _refined(seen.frames, weight, field, is_enhanced)))
    return tuple(
        Candidate(
            name=name, field=seen.crop.spread(anchored(answer, reference)), reference=reference
        )
        for name, answer in answers
    )


def anatomy_maps(
    network: AnatomyNetwork, frames: Float[Tensor, "time side side"], n_proton_density: int
) -> Float[Tensor, "time tissue side side"]:
    """Return share of left ventricle, myocardium, right ventricle in every pixel, 0-1."""
    inputs = frame_inputs(frames, n_proton_density)
    inputs = inputs.contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        parts = [network(part).sigmoid() for part in inputs.split(BATCH)]
    return torch.cat(parts).contiguous()


def _look(series: Series, network: AnatomyNetwork) -> _Seen:
    """Cut out the heart and find it; cut again where it turns out to be off the middle."""
    region = series.crop.region
    first = _seen(series, network, (region.centre_row, region.centre_column))
    off_px = _place(first.maps) - (SIZE - 1) / 2
    if float(off_px.norm()) * SPACING_MM < OFF_CENTRE_MM:
        return first
    row, column = (off_px * SPACING_MM / off_px.new_tensor(series.spacing_mm)).tolist()
    return _seen(series, network, (region.centre_row + row, region.centre_column + column))


def _seen(series: Series, network: AnatomyNetwork, centre: tuple[float, float]) -> _Seen:
    crop = _crop(series, centre)
    frames = crop.cut(series.usable)
    maps = anatomy_maps(network, frames, series.n_proton_density)
    return _Seen(crop=crop, frames=frames, maps=maps)


def _place(maps: Float[Tensor, "time tissue side side"]) -> Float[Tensor, " axis"]:
    """Return the median centre of the left ventricle, px; the middle where none is seen."""
    places, is_seen = heart_places(maps)
    if not bool(is_seen.any()):
        return places.new_full((2,), (maps.shape[-1] - 1) / 2)
    return places[is_seen].median(dim=0).values


def _start(
    series: Series, maps: Float[Tensor, "time tissue side side"]
) -> Float[Tensor, "time axis"]:
    """Return the shifts to begin with, px of the pooled maps."""
    if series.guess_mm is not None:
        return series.guess_mm / (SPACING_MM * POOLING)
    return centroid_shifts(_pooled(maps))


def _settled(
    frames: Float[Tensor, "time side side"],
    weight: Float[Tensor, "side side"],
    field: Float[Tensor, "time axis side side"],
    n_proton_density: int,
) -> Float[Tensor, "time axis side side"]:
    """Lay the proton-density frames on each other; the maps say where they lie as a group.

    They are alike and bright, so their images tell more than their maps. Frames before the bolus
    are too dark for that: what stands still around the heart would hold them.
    """
    if n_proton_density < 2:
        return field
    group = slice(0, n_proton_density)
    moved = smooth(warp(frames[group], field[group]), GROUP_BLUR_PX)
    goal = pca_reference(moved, 1, weight=weight)
    still = moved.new_zeros(n_proton_density, 2, 3)
    step = register_affine(moved, goal, weight, still, GROUP)
    step = step - step.mean(dim=0)
    return torch.cat([compose(field[group], affine_field(step, moved)), field[n_proton_density:]])


def _crop(series: Series, centre: tuple[float, float]) -> HeartCrop:
    return HeartCrop(
        region=replace(series.crop.region, centre_row=centre[0], centre_column=centre[1]),
        image_spacing_mm=series.spacing_mm,
        image_size=(series.frames.shape[1], series.frames.shape[2]),
        spacing_mm=SPACING_MM,
        size=SIZE,
    )


def _aligned(
    maps: Float[Tensor, "time tissue side side"], shifts: Float[Tensor, "time axis"]
) -> Float[Tensor, "time axis side side"]:
    """Return the affine field that lays the maps on each other; shifts are px of the pooled maps.

    Half the resolution tells the place of a blob to the same fraction of a pixel, in a quarter of
    the time.
    """
    affine = affine_to_mean(_pooled(maps), shifts)
    scale = affine.new_tensor([1.0, 1.0, POOLING])
    return affine_field(affine * scale, maps)


def _pooled(
    maps: Float[Tensor, "time tissue side side"],
) -> Float[Tensor, "time tissue half half"]:
    return functional.avg_pool2d(maps, POOLING)


def _enlarged(
    field: Float[Tensor, "time axis half half"],
) -> Float[Tensor, "time axis side side"]:
    """Carry a field of the pooled grid to the full one, in px of the latter."""
    return POOLING * functional.interpolate(field, scale_factor=POOLING, mode="bilinear")


def _refined(
    frames: Float[Tensor, "time side side"],
    weight: Float[Tensor, "side side"],
    field: Float[Tensor, "time axis side side"],
    is_enhanced: Bool[Tensor, " time"],
) -> Float[Tensor, "time axis side side"]:
    """Follow PCA references where there is contrast agent."""
    for n_components in COMPONENTS:
        goal = pca_reference(warp(frames, field), n_components, weight=weight, teachers=is_enhanced)
        moved = register_deformable(
            frames[is_enhanced], goal[is_enhanced], weight, field[is_enhanced], REFINEMENT
        )
        rest = misfit(warp(frames[is_enhanced], moved), goal[is_enhanced], weight)
        refined = field.clone()
        refined[is_enhanced] = torch.where(
            (rest < MAX_MISFIT)[:, None, None, None], moved, field[is_enhanced]
        )
        field = refined
    return field
