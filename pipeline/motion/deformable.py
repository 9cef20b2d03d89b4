"""Smooth non-rigid registration of all frames at once to a reference each.

At every pixel the small shift that best explains the difference within a Gaussian window is a
2 x 2 least-squares problem (Lucas and Kanade 1981); its solutions are composed, smoothed and
damped where the image has no structure. Composition of small smooth steps keeps the map
invertible.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from models.decomposition import matched
from models.slopes import slopes
from models.smoothing import smooth
from pipeline.motion.compose import compose, largest_share_without_folds, warp

MIN_JACOBIAN = 0.3
"""The field of a frame is shrunk until no pixel is squeezed to less than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeformableSettings:
    """Smoothness of one non-rigid registration, lengths in px."""

    n_iterations: int
    window_px: float
    """Width of the window in which the shift is taken as constant."""
    smoothing_px: float
    """Width of the blur of the whole non-rigid part after each step."""
    damping: float
    """Resistance against moving, in units of the mean structure of the heart region."""
    max_step_px: float = 0.7


def register_deformable(
    moving: Float[Tensor, "time row column"],
    reference: Float[Tensor, "time row column"],
    weight: Float[Tensor, "row column"],
    start: Float[Tensor, "time axis row column"],
    settings: DeformableSettings,
) -> Float[Tensor, "time axis row column"]:
    """Return the field of each frame that makes `moving`, resampled, most like `reference`.

    Parameters
    ----------
    moving
        Original frames of the heart region. Shape `(time, row, column)`.
    reference
        What each frame should look like once it is in place.
    weight
        How much each pixel counts, 0-1; far outside the field stays at its start.
    start
        Field to begin with, e.g. affine. Only what is added to it is smoothed.
    settings
        Number of steps and smoothness.

    """
    local = torch.zeros_like(start)
    for _ in range(settings.n_iterations):
        warped = warp(moving, compose(start, local))
        step = _step(warped, reference, weight, settings)
        local = smooth(compose(local, step), settings.smoothing_px)
    share = largest_share_without_folds(local, MIN_JACOBIAN)
    return compose(start, local * share[:, None, None, None])


def _step(
    warped: Float[Tensor, "time row column"],
    reference: Float[Tensor, "time row column"],
    weight: Float[Tensor, "row column"],
    settings: DeformableSettings,
) -> Float[Tensor, "time axis row column"]:
    """Solve the windowed 2 x 2 system at every pixel."""
    image, target = matched(warped, reference, weight)
    row, column = slopes(0.5 * (image + target))
    rest = target - image
    products = torch.stack([row * row, row * column, column * column, row * rest, column * rest])
    rr, rc, cc, rd, cd = smooth(products * weight, settings.window_px)
    typical = ((rr + cc) * weight).sum(dim=(1, 2), keepdim=True) / (2 * weight.sum())
    resistance = settings.damping * typical + 1e-12
    rr, cc = rr + resistance, cc + resistance
    determinant = rr * cc - rc.square()
    step: Tensor = torch.stack([cc * rd - rc * cd, rr * cd - rc * rd], dim=1) / determinant[:, None]
    return step.clamp(-settings.max_step_px, settings.max_step_px)
