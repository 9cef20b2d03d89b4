"""The stiff steps of the learned method, between the votes and the refining network.

They need no network, so training of the refining network takes them too: what they leave is what
it has to mend.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.decomposition import pca_reference
from models.smoothing import smooth
from pipeline.motion.affine import AffineSettings, affine_field, register_affine
from pipeline.motion.compose import compose, warp
from pipeline.motion.crop import round_window
from pipeline.motion.following import follow_affine
from pipeline.segment.heart import RADIUS_MM

AFFINE = AffineSettings(n_iterations=4, shape_stiffness=0.3)
COMPONENTS = (3, 5)
GROUP = AffineSettings(n_iterations=4, shape_stiffness=30.0)
GROUP_BLUR_PX = 1.0

Field = Float[Tensor, "time axis row column"]


def align_stiffly(
    frames: Float[Tensor, "time row column"],
    window: Float[Tensor, "row column"],
    is_enhanced: Bool[Tensor, " time"],
    n_proton_density: int,
    *,
    spacing_mm: float,
) -> Field:
    """Return what both steps make of frames that votes have laid on each other, px.

    Parameters
    ----------
    frames
        Heart region, the heart in its middle, any unit.
    window
        1 on the heart, 0 far from it.
    is_enhanced
        Frames with contrast agent.
    n_proton_density
        Frames at the start without saturation pulse.
    spacing_mm
        Pixel size.

    """
    still = frames.new_zeros(len(frames), 2, *frames.shape[1:])
    field = settled(frames, still, window, n_proton_density)
    surroundings = round_window(frames, radius_px=RADIUS_MM / spacing_mm)
    found = followed(frames, frames.new_zeros(len(frames), 2), surroundings, is_enhanced)
    return replaced(field, found, is_enhanced)


def settled(
    frames: Float[Tensor, "time row column"],
    field: Field,
    window: Float[Tensor, "row column"],
    n_proton_density: int,
) -> Field:
    """Lay the proton-density frames on each other; where they lie as a group stays.

    They are alike and bright, so their images tell more than edges do. Frames before the bolus
    are too dark for that: what stands still around the heart would hold them.
    """
    if n_proton_density < 2:
        return field
    group = slice(0, n_proton_density)
    moved = smooth(warp(frames[group], field[group]), GROUP_BLUR_PX)
    goal = pca_reference(moved, 1, weight=window)
    start = moved.new_zeros(n_proton_density, 2, 3)
    step = register_affine(moved, goal, window, start, GROUP)
    step = step - step.mean(dim=0)
    return torch.cat([compose(field[group], affine_field(step, moved)), field[n_proton_density:]])


def followed(
    frames: Float[Tensor, "time row column"],
    shifts: Float[Tensor, "time axis"],
    surroundings: Float[Tensor, "row column"],
    is_enhanced: Bool[Tensor, " time"],
) -> Field:
    """Follow PCA references by affine maps, beginning with a shift, px, of each frame."""
    start = torch.cat([shifts.new_zeros(len(shifts), 2, 2), shifts[:, :, None]], dim=2)
    found = follow_affine(frames, surroundings, start, is_enhanced, COMPONENTS, AFFINE)
    return affine_field(found, frames)


def replaced(field: Field, found: Field, is_enhanced: Bool[Tensor, " time"]) -> Field:
    """Return `found` for the frames with contrast agent, `field` for the others."""
    return torch.where(is_enhanced[:, None, None, None], found, field)
