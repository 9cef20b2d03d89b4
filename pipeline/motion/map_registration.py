"""Registration of maps of the heart, which have one contrast, to their common mean.

Differences are taken as they are: no gain, no offset. Affine steps are compositional with the mean
of both gradients, as in `affine`; the non-rigid part is the windowed least-squares step of
`deformable`, summed over the maps.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.motion.affine import affine_field, centred_grid, join
from pipeline.motion.compose import compose, pixel_grid, warp_maps
from pipeline.smoothing import smooth

Maps = Float[Tensor, "time tissue row column"]

BLURS_PX = (1.5, 0.8)
"""Wide first, to catch large shifts; all lengths in px of the maps."""
N_STEPS = 4
SHAPE_STIFFNESS = 0.3
MAX_STRAIN = 0.25
MIN_MASS = 0.3
"""Frames whose maps hold less than this fraction of the usual heart say nothing on their own."""
BEND_STEPS = 4
BEND_BLUR_PX = 0.8
BEND_WINDOW_PX = 2.0
BEND_SMOOTHING_PX = 2.0
BEND_DAMPING = 0.5
MAX_STEP_PX = 0.5


def centroid_shifts(maps: Maps) -> Float[Tensor, "time axis"]:
    """Return where the left ventricle of each frame lies from its median place, px.

    Frames that hardly show it take the median.
    """
    place, is_seen = heart_places(maps)
    middle = place[is_seen].median(dim=0).values if bool(is_seen.any()) else place.mean(dim=0)
    return torch.where(is_seen[:, None], place - middle, torch.zeros_like(place))


def heart_places(maps: Maps) -> tuple[Float[Tensor, "time axis"], Bool[Tensor, " time"]]:
    """Return the centre of the left ventricle of each frame, px, and which frames show it."""
    heart = maps[:, 0] + maps[:, 1]
    mass = heart.sum(dim=(1, 2))
    place = (heart[:, None] * pixel_grid(heart)).sum(dim=(2, 3)) / mass.clamp_min(1e-6)[:, None]
    return place, mass > MIN_MASS * mass.median()


def affine_to_mean(
    maps: Maps, shifts: Float[Tensor, "time axis"]
) -> Float[Tensor, "time axis parameter"]:
    """Return the affine of each frame that lays its maps on the mean of all.

    Parameters
    ----------
    maps
        Maps of every frame where it was acquired.
    shifts
        Shift to begin with, px.

    """
    affine = torch.cat([maps.new_zeros(len(maps), 2, 2), shifts[:, :, None]], dim=2)
    for blur_px in BLURS_PX:
        soft = smooth(maps.flatten(0, 1), blur_px).reshape(maps.shape)
        for _ in range(N_STEPS):
            moved = warp_maps(soft, affine_field(affine, maps))
            step = _affine_step(moved, moved.mean(dim=0, keepdim=True))
            joined = join(affine, step)
            linear = joined[:, :, :2] - joined[:, :, :2].mean(dim=0)  # the mean may not drift
            linear = linear.clamp(-MAX_STRAIN, MAX_STRAIN)
            affine = torch.cat([linear, joined[:, :, 2:]], dim=2)
    return affine


def bend_to_mean(maps: Maps) -> Float[Tensor, "time axis row column"]:
    """Return the smooth field of each frame that lays its maps on the mean of all."""
    soft = smooth(maps.flatten(0, 1), BEND_BLUR_PX).reshape(maps.shape)
    field = torch.zeros_like(maps[:, :2])
    for _ in range(BEND_STEPS):
        moved = warp_maps(soft, field)
        step = _bend_step(moved, moved.mean(dim=0, keepdim=True))
        field = smooth(compose(field, step), BEND_SMOOTHING_PX)
    return field


def _affine_step(
    moved: Maps, mean: Float[Tensor, "one tissue row column"]
) -> Float[Tensor, "time axis parameter"]:
    """Solve one 6 x 6 system per frame."""
    place = centred_grid(moved)
    basis = torch.cat([place, torch.ones_like(place[:1])])
    products = _products(moved, mean).flatten(2).transpose(0, 1)
    pairs = (basis[:, None] * basis[None]).flatten(2).flatten(0, 1)
    moments = products[:, :3] @ pairs.T
    rr, rc, cc = (moments[:, index].reshape(-1, 3, 3) for index in range(3))
    normal = torch.cat([torch.cat([rr, rc], dim=2), torch.cat([rc, cc], dim=2)], dim=1)
    right = (products[:, 3:] @ basis.flatten(1).T).flatten(1)
    diagonal = normal.diagonal(dim1=1, dim2=2)
    stiff = normal.new_tensor([SHAPE_STIFFNESS, SHAPE_STIFFNESS, 1e-3] * 2)
    damped = normal + torch.diag_embed(diagonal * stiff + 1e-6)
    solution: Tensor = torch.linalg.solve(damped, right[:, :, None])
    return solution.reshape(-1, 2, 3)


def _bend_step(
    moved: Maps, mean: Float[Tensor, "one tissue row column"]
) -> Float[Tensor, "time axis row column"]:
    """Solve the windowed 2 x 2 system at every pixel."""
    products = _products(moved, mean)
    rr, rc, cc, rd, cd = smooth(products.flatten(0, 1), BEND_WINDOW_PX).reshape(products.shape)
    typical = (rr + cc).amax(dim=(1, 2), keepdim=True) / 4
    resistance = BEND_DAMPING * typical + 1e-9
    rr, cc = rr + resistance, cc + resistance
    determinant = rr * cc - rc.square()
    step: Tensor = torch.stack([cc * rd - rc * cd, rr * cd - rc * rd], dim=1) / determinant[:, None]
    return step.clamp(-MAX_STEP_PX, MAX_STEP_PX)


def _products(
    moved: Maps, mean: Float[Tensor, "one tissue row column"]
) -> Float[Tensor, "product time row column"]:
    """Return gradient products rr, rc, cc and gradient times difference rd, cd, over all maps."""
    row, column = torch.gradient(0.5 * (moved + mean), dim=(2, 3))
    rest = mean - moved
    pairs = ((row, row), (row, column), (column, column), (row, rest), (column, rest))
    return torch.stack([(first * second).sum(dim=1) for first, second in pairs])
