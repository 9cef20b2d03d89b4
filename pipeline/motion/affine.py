"""Affine registration of all frames at once to a reference each, by Gauss-Newton.

The step is compositional and uses the mean of the two gradients (Benhimane and Malis 2004,
"Real-time image-based tracking of planes using efficient second-order minimization"), which
converges like a second-order method. Gain and offset of each frame are free.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from models.slopes import slopes
from pipeline.motion.compose import pixel_grid, warp
from pipeline.motion.likeness import misfit, standardise


@dataclass(frozen=True, slots=True, kw_only=True)
class AffineSettings:
    """How far and how freely one affine registration may go."""

    n_iterations: int
    shape_stiffness: float
    """Resistance of the four linear parameters, in units of the mean curvature; large = shift."""
    max_strain: float = 0.25
    """Largest entry of the linear part."""


def affine_field(
    affine: Float[Tensor, "time axis parameter"], like: Float[Tensor, "*batch row column"]
) -> Float[Tensor, "time axis row column"]:
    """Return the displacement of each frame, px: linear part times place from centre, plus shift.

    Parameters
    ----------
    affine
        `[:, :, :2]` linear part minus identity, `[:, :, 2]` shift in px.
    like
        Any image of the size wanted.

    """
    place = centred_grid(like)
    linear = torch.einsum("tab,bij->taij", affine[:, :, :2], place)
    return linear + affine[:, :, 2, None, None]


def centred_grid(like: Float[Tensor, "*batch row column"]) -> Float[Tensor, "axis row column"]:
    """Return pixel coordinates from the middle of the image."""
    grid = pixel_grid(like)
    return grid - grid.mean(dim=(1, 2), keepdim=True)


def register_affine(
    moving: Float[Tensor, "time row column"],
    reference: Float[Tensor, "time row column"],
    weight: Float[Tensor, "row column"],
    start: Float[Tensor, "time axis parameter"],
    settings: AffineSettings,
) -> Float[Tensor, "time axis parameter"]:
    """Return the affine of each frame that makes `moving`, resampled, most like `reference`.

    Parameters
    ----------
    moving
        Original frames of the heart region. Shape `(time, row, column)`.
    reference
        What each frame should look like once it is in place.
    weight
        How much each pixel counts, 0-1.
    start
        Affine to begin with. Shape `(time, 2, 3)`.
    settings
        Number of steps and stiffness.

    """
    target = standardise(reference, weight)
    affine = start
    warped = warp(moving, affine_field(affine, moving))
    best, lowest = start, misfit(warped, reference, weight)
    for _ in range(settings.n_iterations):
        affine = join(affine, _step(warped, target, weight, settings.shape_stiffness))
        limit = settings.max_strain
        affine = torch.cat([affine[:, :, :2].clamp(-limit, limit), affine[:, :, 2:]], dim=2)
        warped = warp(moving, affine_field(affine, moving))
        now = misfit(warped, reference, weight)
        better = now < lowest
        best = torch.where(better[:, None, None], affine, best)
        lowest = torch.minimum(now, lowest)
    return best


def _step(
    warped: Float[Tensor, "time row column"],
    target: Float[Tensor, "time row column"],
    weight: Float[Tensor, "row column"],
    shape_stiffness: float,
) -> Float[Tensor, "time axis parameter"]:
    """Solve one 6 x 6 system per frame for the affine step to the standardised target."""
    image = standardise(warped, weight)
    gain = (target * image * weight).sum(dim=(1, 2), keepdim=True) / weight.sum()
    slope = torch.stack(slopes(0.5 * (image * gain + target)), dim=1)
    place = centred_grid(warped)
    basis = torch.cat([place, torch.ones_like(place[:1])])
    jacobian = (slope[:, :, None] * basis).flatten(1, 2).flatten(2)
    weighted = jacobian * weight.flatten()
    normal = weighted @ jacobian.transpose(1, 2)
    right = weighted @ (target - gain * image).flatten(1)[:, :, None]
    damped = normal + torch.diag_embed(_stiffness(normal, shape_stiffness))
    solution: Tensor = torch.linalg.solve(damped, right)
    return solution.reshape(-1, 2, 3)


def _stiffness(
    normal: Float[Tensor, "time six six"], shape_stiffness: float
) -> Float[Tensor, "time six"]:
    """Scale the resistance with each parameter's own curvature, never zero."""
    diagonal = normal.diagonal(dim1=1, dim2=2)
    factor = torch.tensor(
        [shape_stiffness, shape_stiffness, 1e-3] * 2, dtype=normal.dtype, device=normal.device
    )
    return diagonal * factor + 1e-6


def join(
    affine: Float[Tensor, "time axis parameter"], step: Float[Tensor, "time axis parameter"]
) -> Float[Tensor, "time axis parameter"]:
    """Compose y -> y + u with a step applied before it: (I + A)(I + B) - I, (I + A) s + t."""
    identity = torch.eye(2, dtype=affine.dtype, device=affine.device)
    whole = identity + affine[:, :, :2]
    joined = whole @ torch.cat([identity + step[:, :, :2], step[:, :, 2:]], dim=2)
    linear = joined[:, :, :2] - identity
    return torch.cat([linear, joined[:, :, 2:] + affine[:, :, 2:]], dim=2)
