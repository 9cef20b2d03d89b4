"""The iterative method: translation, low-rank affine, affine and non-rigid to PCA references.

1. Translation of every frame by the votes of all pairs (robust start, any contrast).
2. Affine between the low-rank parts of robust PCA, in which the bolus is missing.
3. Affine to PCA references, few components first.
4. Non-rigid to PCA references.

Scannell 2019 ("Robust non-rigid motion compensation of free-breathing myocardial perfusion MRI
data") for 2-4, with one difference that matters: frames before the bolus and proton-density frames
take no part in the components and are only shifted, because with their low contrast a freer match
runs away. A frame that its reference explains badly keeps the place of the step before. Fields are
joined; images are always cut from the original.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.decomposition import split_low_rank
from pipeline.motion.affine import AffineSettings, affine_field, join, register_affine
from pipeline.motion.compose import compose, invert, warp
from pipeline.motion.contrast_free import place_group
from pipeline.motion.deformable import DeformableSettings
from pipeline.motion.following import MAX_MISFIT, follow_affine, follow_deformable
from pipeline.motion.likeness import misfit
from pipeline.motion.phases import choose_reference, enhanced
from pipeline.motion.series import Candidate, Series
from pipeline.motion.translation import translations
from pipeline.types import Progress

REACH_MM = 24.0
AFFINE_COMPONENTS = (3, 5)
DEFORMABLE_COMPONENTS = (3, 5)
AFFINE = AffineSettings(n_iterations=6, shape_stiffness=0.3)
DEFORMABLE = DeformableSettings(n_iterations=8, window_px=5.0, smoothing_px=2.5, damping=0.5)
MIN_ENHANCED = 12


COARSE_MM = 3.5
"""Larger pixels (arterial input series) show too little detail for a non-rigid step."""


def register(series: Series, progress: Progress) -> tuple[Candidate, ...]:
    """Register a series; return what the translation, affine and non-rigid steps found.

    Parameters
    ----------
    series
        Any series of at least four usable frames.
    progress
        Told stage and fraction.

    """
    crop, n_proton_density = series.crop, series.n_proton_density
    frames = crop.cut(series.usable) / series.usable.amax()
    weight, spacing_mm = crop.weight(series.usable), crop.spacing_mm
    # Low-resolution series show too little to bend frames, or to tell where frames without
    # contrast lie among the others.
    is_fine = max(series.spacing_mm) < COARSE_MM
    progress("motion: translation", 0.0)
    shifts = translations(frames, weight, reach_px=max(2, round(REACH_MM / spacing_mm)))
    affine = torch.cat([frames.new_zeros(len(frames), 2, 2), shifts[:, :, None]], dim=2)
    moved = warp(frames, affine_field(affine, frames))
    is_enhanced = enhanced(moved, weight, n_proton_density)
    reference = choose_reference(frames, weight, is_enhanced)
    found = [("translation", affine_field(affine, frames))]
    progress("motion: affine", 0.3)
    affine = _follow_low_rank(frames, weight, affine, is_enhanced, reference)
    if int(is_enhanced.sum()) >= MIN_ENHANCED:
        affine = follow_affine(frames, weight, affine, is_enhanced, AFFINE_COMPONENTS, AFFINE)
    found.append(("affine", affine_field(affine, frames)))
    if is_fine:
        progress("motion: non-rigid", 0.5)
        found.append(("deformable", _bent(frames, weight, found[-1][1], is_enhanced)))
    progress("motion: frames without contrast", 0.8)
    proton = torch.arange(len(frames), device=frames.device) < n_proton_density
    groups = (proton, ~proton & ~is_enhanced)
    return tuple(
        Candidate(
            name=name,
            in_crop=anchored(
                _place_groups(
                    frames, weight, field, is_enhanced, groups, spacing_mm if is_fine else None
                ),
                reference,
            ),
            crop=crop,
            reference=reference,
        )
        for name, field in found
    )


def _place_groups(
    frames: Float[Tensor, "time row column"],
    weight: Float[Tensor, "row column"],
    field: Float[Tensor, "time axis row column"],
    is_enhanced: Bool[Tensor, " time"],
    groups: tuple[Bool[Tensor, " time"], ...],
    spacing_mm: float | None,
) -> Float[Tensor, "time axis row column"]:
    """Shift each group of frames without contrast as a whole, home when `spacing_mm` is None."""
    if int(is_enhanced.sum()) < MIN_ENHANCED:
        return field
    moved = warp(frames, field)
    shifts = (field * (weight / weight.sum())).sum(dim=(2, 3))
    usual = shifts[is_enhanced].median(dim=0).values
    result = field.clone()
    for group in groups:
        if bool(group.any()):
            home = usual - shifts[group].mean(dim=0)
            step = home
            if spacing_mm is not None:
                step = place_group(
                    moved[group], moved[is_enhanced], weight, home=home, spacing_mm=spacing_mm
                )
            result[group] = compose(field[group], step[None, :, None, None].expand_as(field[group]))
    return result


def anchored(
    field: Float[Tensor, "time axis row column"], reference: int
) -> Float[Tensor, "time axis row column"]:
    """Re-express the fields on the grid of the reference frame, which then does not move."""
    back = invert(field[reference : reference + 1]).expand_as(field)
    joined = compose(field, back)
    still = torch.arange(len(field), device=field.device) == reference
    return torch.where(still[:, None, None, None], 0.0, joined)


def _follow_low_rank(
    frames: Float[Tensor, "time row column"],
    weight: Float[Tensor, "row column"],
    affine: Float[Tensor, "time axis parameter"],
    is_enhanced: Bool[Tensor, " time"],
    reference: int,
) -> Float[Tensor, "time axis parameter"]:
    """Register the low-rank part of each enhanced frame to that of the reference frame."""
    moved = warp(frames, affine_field(affine, frames))
    use = is_enhanced.nonzero()[:, 0]
    if len(use) < MIN_ENHANCED:
        return affine
    low_rank, _ = split_low_rank(moved[use].flatten(1).T.contiguous())
    baseline = low_rank.T.reshape(len(use), *frames.shape[1:])
    target = baseline[use == reference].expand_as(baseline)
    unmoved = torch.zeros_like(affine[use])
    step = register_affine(baseline, target, weight, unmoved, AFFINE)
    rest = misfit(warp(baseline, affine_field(step, frames)), target, weight)
    step = torch.where((rest < MAX_MISFIT)[:, None, None], step, unmoved)
    result = affine.clone()
    result[use] = join(affine[use], step)
    return result


def _bent(
    frames: Float[Tensor, "time row column"],
    weight: Float[Tensor, "row column"],
    field: Float[Tensor, "time axis row column"],
    is_enhanced: Bool[Tensor, " time"],
) -> Float[Tensor, "time axis row column"]:
    """Refine the enhanced frames, if they are enough; the others keep their field."""
    if int(is_enhanced.sum()) < MIN_ENHANCED:
        return field
    return follow_deformable(frames, weight, field, is_enhanced, DEFORMABLE_COMPONENTS, DEFORMABLE)
