"""The learned method: networks compare frames and tell where the heart is, whatever the contrast.

1. Translation by the votes of all pairs of frames, compared by the matching network and by edges.
2. The anatomy network looks at the frames, which now lie roughly on each other, and turns each
   into maps of the heart.
3. Translation again, of the heart alone: what stands still around it does not count.
4. Frames with contrast agent follow PCA references by affine maps, within a round window that
   shows some of the surroundings: they hold turn and scale better than the heart alone does.
   Frames without contrast agent keep their translation, since a freer match runs away there.
5. The refining network bends all frames in one step; in coarse series (arterial input), which show
   too little for that, its mean over the heart is a shift.

Frames that do not fit the others (spoiled, or of another slice) are marked.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.decomposition import pca_reference
from models.networks import Networks
from models.networks.anatomy import AnatomyNetwork
from models.networks.matching import MatchingNetwork
from pipeline.motion.anatomy import anatomy_maps, heart_place, heart_window
from pipeline.motion.compose import carry, warp
from pipeline.motion.crop import HeartCrop
from pipeline.motion.iterative import anchored
from pipeline.motion.likeness import misfit
from pipeline.motion.phases import choose_reference, enhanced
from pipeline.motion.refining import Aligned, refine
from pipeline.motion.series import Candidate, Series
from pipeline.motion.stiff import COMPONENTS, followed, replaced, settled
from pipeline.motion.translation import matching_features, shift_field, translations
from pipeline.types import Progress

SPACING_MM = 2.0
SIZE = 96
FINE_MM = 3.5
"""Larger pixels show too little detail to bend frames."""
REACH_MM = 24.0
NEAR_MM = 8.0
OFF_CENTRE_MM = 10.0
STRANGE_RATIO = 2.5
"""A frame that its components leave so many times more unexplained than is usual in the series
is spoiled or shows another slice of the heart."""
STRANGE = 0.01
MIN_ENHANCED = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """The heart region, roughly aligned."""

    crop: HeartCrop
    frames: Float[Tensor, "time side side"]
    shifts: Float[Tensor, "time axis"]
    window: Float[Tensor, "side side"]
    """How much each pixel counts, 0-1: the heart alone, where it was found."""
    features: Float[Tensor, "time feature side side"] | None
    """What the matching network sees in the frames; None where it was not asked."""

    @property
    def surroundings(self) -> Float[Tensor, "side side"]:
        """A round window on the heart and what lies around it, 0-1."""
        return self.crop.weight(self.frames)


def register(series: Series, networks: Networks, progress: Progress) -> tuple[Candidate, ...]:
    """Register a series; return the field after translation, affine and refining steps.

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
    view = _look(series, networks, networks.anatomy, progress)
    still = shift_field(view.shifts, view.frames)
    fields = {
        "translation": settled(view.frames, still, view.window, series.n_proton_density),
    }
    moved = warp(view.frames, fields["translation"])
    is_enhanced = enhanced(moved, view.window, series.n_proton_density)
    marked = torch.zeros_like(is_enhanced)
    is_fine = max(series.spacing_mm) < FINE_MM
    is_passed = int(is_enhanced.sum()) >= MIN_ENHANCED
    if is_fine and is_passed:
        progress("motion: affine", 0.5)
        found = followed(view.frames, view.shifts, view.surroundings, is_enhanced)
        fields["affine"] = replaced(fields["translation"], found, is_enhanced)
    if networks.refining is not None and view.features is not None and is_passed:
        progress("motion: refining", 0.7)
        aligned = Aligned(
            frames=view.frames,
            features=view.features,
            window=view.window,
            field=next(reversed(fields.values())),
            is_enhanced=is_enhanced,
            n_proton_density=series.n_proton_density,
        )
        fields["refined"] = refine(aligned, networks.refining, is_fine=is_fine)
    finest = next(reversed(fields.values()))
    if is_fine and is_passed:
        marked = _strange(view, finest, is_enhanced)
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


def _look(series: Series, networks: Networks, anatomy: AnatomyNetwork, progress: Progress) -> _View:
    """Align roughly, find the heart, and align it alone; cut again where it is off the middle."""
    region = series.crop.region
    progress("motion: translation", 0.0)
    first = _roughly(series, networks.matching, (region.centre_row, region.centre_column))
    progress("motion: anatomy", 0.2)
    field = shift_field(first.shifts, first.frames)
    aligned = warp(first.frames, field)
    maps = anatomy_maps(anatomy, aligned, series.n_proton_density)
    off_px = heart_place(maps) - (SIZE - 1) / 2
    if float(off_px.norm()) * SPACING_MM > OFF_CENTRE_MM:
        row, column = (off_px * SPACING_MM / off_px.new_tensor(series.spacing_mm)).tolist()
        centre = region.centre_row + row, region.centre_column + column
        first = _roughly(series, networks.matching, centre)
        field = shift_field(first.shifts, first.frames)
        aligned = warp(first.frames, field)
        maps = anatomy_maps(anatomy, aligned, series.n_proton_density)
    window = heart_window(maps, spacing_mm=SPACING_MM)
    if window is None:
        return first
    if series.guess_mm is not None:
        return replace(first, window=window)
    reach_px = round(NEAR_MM / SPACING_MM)
    seen = None if first.features is None else carry(first.features, field)
    step = translations(aligned, window, reach_px=reach_px, n_rounds=1, features=seen)
    return replace(first, window=window, shifts=first.shifts + step)


def _roughly(
    series: Series, matching: MatchingNetwork | None, centre: tuple[float, float]
) -> _View:
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
    features = None
    if matching is not None:
        features = matching_features(frames, matching, series.n_proton_density)
    if series.guess_mm is not None:
        shifts = series.guess_mm / SPACING_MM
    else:
        reach_px = round(REACH_MM / SPACING_MM)
        shifts = translations(frames, window, reach_px=reach_px, n_rounds=1, features=features)
    return _View(crop=crop, frames=frames, shifts=shifts, window=window, features=features)


def _strange(
    view: _View, field: Float[Tensor, "time axis side side"], is_enhanced: Bool[Tensor, " time"]
) -> Bool[Tensor, " time"]:
    """Mark the frames that their components cannot explain.

    A frame of another slice of the heart differs from all others in a way that no component
    carries and no field mends.
    """
    moved = warp(view.frames, field)
    goal = pca_reference(moved, COMPONENTS[-1], weight=view.window, teachers=is_enhanced)
    rest = misfit(moved, goal, view.window)
    usual = rest[is_enhanced].median()
    return is_enhanced & (rest > STRANGE_RATIO * usual) & (rest > STRANGE)
