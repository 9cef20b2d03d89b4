"""The learned method: networks compare frames and tell where the heart is, whatever the contrast.

1. Translation by the votes of all pairs of frames, compared by the matching network and by edges.
2. The anatomy network looks at the frames, which now lie roughly on each other, and turns each
   into maps of the heart.
3. Translation again, of the heart alone: what stands still around it does not count.
4. Frames with contrast agent follow PCA references, affine and then non-rigid, within a round
   window that shows some of the surroundings: they hold turn and scale better than the heart alone
   does. Frames without contrast agent keep their translation, since a freer match runs away there.

Frames that do not fit the others (spoiled, or of another slice) are marked and not bent.
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
from pipeline.motion.compose import compose, pixel_grid, warp
from pipeline.motion.crop import HeartCrop
from pipeline.motion.deformable import DeformableSettings
from pipeline.motion.following import follow_affine, follow_deformable
from pipeline.motion.iterative import anchored
from pipeline.motion.likeness import misfit
from pipeline.motion.phases import choose_reference, enhanced
from pipeline.motion.series import Candidate, Series
from pipeline.motion.translation import Matcher, shift_field, translations
from pipeline.smoothing import smooth
from pipeline.types import Progress

SPACING_MM = 2.0
SIZE = 96
BATCH = 16
LOOKS = 24
FINE_MM = 3.5
"""Larger pixels show too little detail for a non-rigid step."""
REACH_MM = 24.0
NEAR_MM = 8.0
OFF_CENTRE_MM = 10.0
AFFINE = AffineSettings(n_iterations=4, shape_stiffness=0.3)
COMPONENTS = (3, 5)
REFINEMENT = DeformableSettings(
    n_iterations=5,
    window_px=5.0,
    smoothing_px=3.0,
    damping=0.5,
    noise_weight=2.0,
    pooling=2,
)
GROUP = AffineSettings(n_iterations=4, shape_stiffness=30.0)
GROUP_BLUR_PX = 1.0
STRANGE_RATIO = 2.5
"""A frame that its components leave so many times more unexplained than is usual in the series
is spoiled or shows another slice of the heart."""
STRANGE = 0.01
MIN_ENHANCED = 12
HEART_LEVEL = 0.35
"""Mean share of heart from which on a pixel belongs to it."""
HEART_MARGIN_PX = 4
MIN_HEART_MM2 = 1500.0
"""A smaller heart is none: the network found nothing, and a round window must do."""
EDGE_PX = 1.5
MIN_MASS = 0.3
"""Frames whose maps hold less than this fraction of the usual heart do not tell its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """The heart region, roughly aligned."""

    crop: HeartCrop
    frames: Float[Tensor, "time side side"]
    shifts: Float[Tensor, "time axis"]
    window: Float[Tensor, "side side"]
    """How much each pixel counts, 0-1: the heart alone, where it was found."""

    @property
    def surroundings(self) -> Float[Tensor, "side side"]:
        """A round window on the heart and what lies around it, 0-1."""
        return self.crop.weight(self.frames)


def register(series: Series, networks: Networks, progress: Progress) -> tuple[Candidate, ...]:
    """Register a series; return the field after translation, affine and non-rigid steps.

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
    matcher = None
    if networks.matching is not None:
        matcher = Matcher(network=networks.matching, n_proton_density=series.n_proton_density)
    view = _look(series, networks.anatomy, matcher, progress)
    still = shift_field(view.shifts, view.frames)
    fields = {"translation": _settled(view, still, series.n_proton_density)}
    moved = warp(view.frames, fields["translation"])
    is_enhanced = enhanced(moved, view.window, series.n_proton_density)
    marked = torch.zeros_like(is_enhanced)
    if max(series.spacing_mm) < FINE_MM and int(is_enhanced.sum()) >= MIN_ENHANCED:
        progress("motion: affine", 0.5)
        fields["affine"] = _affine(view, fields["translation"], is_enhanced)
        progress("motion: non-rigid", 0.7)
        fields["deformable"], marked = _bent(view, fields["affine"], is_enhanced)
    finest = next(reversed(fields.values()))
    reference = choose_reference(moved, view.window, is_enhanced, finest)
    return tuple(
        Candidate(
            name=name,
            in_crop=anchored(field, reference),
            crop=view.crop,
            reference=reference,
            is_unlike=marked,
        )
        for name, field in fields.items()
    )


def anatomy_maps(
    network: AnatomyNetwork, frames: Float[Tensor, "time side side"], n_proton_density: int
) -> Float[Tensor, "look tissue side side"]:
    """Return share of left ventricle, myocardium, right ventricle in every pixel, 0-1.

    Of frames evenly spread over the series, `LOOKS` at most: only where the heart is on the whole
    is asked of them.
    """
    spread = torch.linspace(0, len(frames) - 1, min(LOOKS, len(frames))).round().long()
    inputs = frame_inputs(frames, n_proton_density)[spread.to(frames.device)]
    inputs = inputs.contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        parts = [network(part).sigmoid() for part in torch.split(inputs, BATCH)]
    return torch.cat(parts).contiguous()


def heart_window(
    maps: Float[Tensor, "look tissue side side"], *, spacing_mm: float
) -> Float[Tensor, "side side"] | None:
    """Return 1 on the heart and a margin around it, 0 elsewhere; None where there is no heart.

    Parameters
    ----------
    maps
        Maps of frames that lie roughly on each other.
    spacing_mm
        Pixel size, mm.

    """
    share = maps.mean(dim=0).sum(dim=0)
    is_heart = share > HEART_LEVEL
    if float(is_heart.sum()) * spacing_mm**2 < MIN_HEART_MM2:
        return None
    side = 2 * HEART_MARGIN_PX + 1
    grown = functional.max_pool2d(is_heart.to(maps.dtype)[None], side, 1, HEART_MARGIN_PX)
    return smooth(grown, EDGE_PX)[0]


def _look(
    series: Series, network: AnatomyNetwork, matcher: Matcher | None, progress: Progress
) -> _View:
    """Align roughly, find the heart, and align it alone; cut again where it is off the middle."""
    region = series.crop.region
    progress("motion: translation", 0.0)
    first = _roughly(series, matcher, (region.centre_row, region.centre_column))
    progress("motion: anatomy", 0.2)
    aligned = warp(first.frames, shift_field(first.shifts, first.frames))
    maps = anatomy_maps(network, aligned, series.n_proton_density)
    off_px = _place(maps) - (SIZE - 1) / 2
    if float(off_px.norm()) * SPACING_MM > OFF_CENTRE_MM:
        row, column = (off_px * SPACING_MM / off_px.new_tensor(series.spacing_mm)).tolist()
        centre = region.centre_row + row, region.centre_column + column
        first = _roughly(series, matcher, centre)
        aligned = warp(first.frames, shift_field(first.shifts, first.frames))
        maps = anatomy_maps(network, aligned, series.n_proton_density)
    window = heart_window(maps, spacing_mm=SPACING_MM)
    if window is None:
        return first
    if series.guess_mm is not None:
        return replace(first, window=window)
    reach_px = round(NEAR_MM / SPACING_MM)
    step = translations(aligned, window, reach_px=reach_px, n_rounds=1, matcher=matcher)
    return replace(first, window=window, shifts=first.shifts + step)


def _roughly(series: Series, matcher: Matcher | None, centre: tuple[float, float]) -> _View:
    """Cut out the heart region and find the translation of every frame."""
    crop = HeartCrop(
        region=replace(series.crop.region, centre_row=centre[0], centre_column=centre[1]),
        image_spacing_mm=series.spacing_mm,
        image_size=(series.frames.shape[1], series.frames.shape[2]),
        spacing_mm=SPACING_MM,
        size=SIZE,
    )
    frames = crop.cut(series.usable) / series.usable.amax()
    window = crop.weight(frames)
    if series.guess_mm is not None:
        shifts = series.guess_mm / SPACING_MM
        return _View(crop=crop, frames=frames, shifts=shifts, window=window)
    reach_px = round(REACH_MM / SPACING_MM)
    shifts = translations(frames, window, reach_px=reach_px, n_rounds=1, matcher=matcher)
    return _View(crop=crop, frames=frames, shifts=shifts, window=window)


def _place(maps: Float[Tensor, "look tissue side side"]) -> Float[Tensor, " axis"]:
    """Return the median centre of the left ventricle, px; the middle where none is seen."""
    heart = maps[:, 0] + maps[:, 1]
    mass = heart.sum(dim=(1, 2))
    is_seen = (mass > MIN_MASS * mass.median()) & (mass > 0)
    if not bool(is_seen.any()):
        return maps.new_full((2,), (maps.shape[-1] - 1) / 2)
    place = (heart[:, None] * pixel_grid(heart)).sum(dim=(2, 3))[is_seen] / mass[is_seen, None]
    return place.median(dim=0).values


def _settled(
    view: _View, field: Float[Tensor, "time axis side side"], n_proton_density: int
) -> Float[Tensor, "time axis side side"]:
    """Lay the proton-density frames on each other; where they lie as a group stays.

    They are alike and bright, so their images tell more than edges do. Frames before the bolus
    are too dark for that: what stands still around the heart would hold them.
    """
    if n_proton_density < 2:
        return field
    group = slice(0, n_proton_density)
    moved = smooth(warp(view.frames[group], field[group]), GROUP_BLUR_PX)
    goal = pca_reference(moved, 1, weight=view.window)
    start = moved.new_zeros(n_proton_density, 2, 3)
    step = register_affine(moved, goal, view.window, start, GROUP)
    step = step - step.mean(dim=0)
    return torch.cat([compose(field[group], affine_field(step, moved)), field[n_proton_density:]])


def _affine(
    view: _View, field: Float[Tensor, "time axis side side"], is_enhanced: Bool[Tensor, " time"]
) -> Float[Tensor, "time axis side side"]:
    """Follow PCA references by affine maps."""
    shifts = view.shifts[:, :, None]
    start = torch.cat([shifts.new_zeros(len(shifts), 2, 2), shifts], dim=2)
    window = view.surroundings
    found = follow_affine(view.frames, window, start, is_enhanced, COMPONENTS, AFFINE)
    return torch.where(is_enhanced[:, None, None, None], affine_field(found, view.frames), field)


def _bent(
    view: _View, field: Float[Tensor, "time axis side side"], is_enhanced: Bool[Tensor, " time"]
) -> tuple[Float[Tensor, "time axis side side"], Bool[Tensor, " time"]]:
    """Follow PCA references by smooth fields; mark what they cannot explain, and leave it unbent.

    A frame of another slice of the heart differs from all others in a way that no component
    carries and no field mends.
    """
    window = view.surroundings
    bent = follow_deformable(view.frames, window, field, is_enhanced, COMPONENTS, REFINEMENT)
    moved = warp(view.frames, bent)
    goal = pca_reference(moved, COMPONENTS[-1], weight=view.window, teachers=is_enhanced)
    rest = misfit(moved, goal, view.window)
    usual = rest[is_enhanced].median()
    marked = is_enhanced & (rest > STRANGE_RATIO * usual) & (rest > STRANGE)
    return torch.where(marked[:, None, None, None], field, bent), marked
