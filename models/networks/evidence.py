"""What is known of where each frame should move, before a network is asked.

Frames that are roughly aligned are compared in three ways with what they should look like: as
images, with a PCA reference in the contrast of the frame (without contrast agent, with the mean of
their group); by the features of the matching network; and by their edges, with the mean of those
of the frames that carry contrast agent. In each, the small shift that best explains the difference
within a window is a 2 x 2 least-squares problem (Lucas and Kanade 1981). Features and edges are
also asked for a group as a whole, since frames without contrast agent are dark, and their sum is
less so. None of these steps is right everywhere; a network weighs them.
"""

from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from models.decomposition import matched, pca_reference
from models.networks.anatomy import arrival_order, normalised, to_series_scale
from models.networks.edges import edge_maps
from models.networks.matching import standardised
from models.slopes import slopes
from models.smoothing import smooth

N_IMAGES = 7
N_COMPONENTS = 4
COARSER = 4
"""Pixels of the image in one of the grid on which steps are told."""
WINDOWS = (0.8, 2.0)
"""Windows in which a shift is taken as constant, pixels of the coarse grid."""
N_STEPS = 5 * len(WINDOWS)
MIN_TEACHERS = 6
DAMPING = 0.1
"""Resistance against moving, in units of the mean structure of the heart region."""
LARGEST_PX = 2.5
OUTSIDE = 0.1
"""What a pixel far from the heart counts."""

Products = Float[Tensor, "time product coarse_row coarse_column"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Of every frame of a series."""

    images: Float[Tensor, "time channel row column"]
    """The frame and its goal, each brought to -1..1 by its own quantiles; the frame in the scale
    of the series; mean and standard deviation over the frames with contrast agent; the order in
    which the bolus arrives; the window."""
    steps: Float[Tensor, "time step axis coarse_row coarse_column"]
    """Displacement by each comparison and window, px of the image."""
    structure: Float[Tensor, "time step coarse_row coarse_column"]
    """How much there is to see, 1 where it is as usual."""

    def split(self, n_frames: int) -> "list[Evidence]":
        """Return the evidence of a few frames at a time."""
        parts = [getattr(self, entry.name).split(n_frames) for entry in fields(self)]
        return [
            Evidence(images=images, steps=steps, structure=structure)
            for images, steps, structure in zip(*parts, strict=True)
        ]


def gather(
    frames: Float[Tensor, "time row column"],
    features: Float[Tensor, "time feature row column"],
    window: Float[Tensor, "row column"],
    is_enhanced: Bool[Tensor, " time"],
    n_proton_density: int,
) -> Evidence:
    """Compare every frame with what it should look like.

    Parameters
    ----------
    frames
        Heart region, roughly aligned, any unit. Rows and columns are multiples of `COARSER`.
    features
        What the matching network sees in each frame.
    window
        1 on the heart, 0 far from it.
    is_enhanced
        Frames with contrast agent.
    n_proton_density
        Frames at the start without saturation pulse.

    """
    is_proton = torch.arange(len(frames), device=frames.device) < n_proton_density
    groups = is_proton, ~is_proton & ~is_enhanced
    teachers = _teachers(is_enhanced, is_proton)
    goal = pca_reference(frames, N_COMPONENTS, weight=window, teachers=teachers)
    for group in groups:
        if bool(group.any()):
            goal = torch.where(group[:, None, None], frames[group].mean(dim=0), goal)
    image, target = matched(frames, goal, window)
    compared = (standardised(features, window), edge_maps(frames))
    products = [
        _products(image[:, None], target[:, None], window),
        *(_products(maps, maps[teachers].mean(dim=0, keepdim=True), window) for maps in compared),
    ]
    products += [_together(part, groups) for part in products[1:]]
    told = [_steps(part, window) for part in products]
    return Evidence(
        images=_images(frames, goal, window, teachers, is_proton),
        steps=torch.cat([steps for steps, _ in told], dim=1),
        structure=torch.cat([structure for _, structure in told], dim=1),
    )


def _teachers(
    is_enhanced: Bool[Tensor, " time"], is_proton: Bool[Tensor, " time"]
) -> Bool[Tensor, " time"]:
    """Return the frames that say where the series lies."""
    if int(is_enhanced.sum()) >= MIN_TEACHERS:
        return is_enhanced
    return ~is_proton if bool((~is_proton).any()) else is_proton


def _images(
    frames: Float[Tensor, "time row column"],
    goal: Float[Tensor, "time row column"],
    window: Float[Tensor, "row column"],
    teachers: Bool[Tensor, " time"],
    is_proton: Bool[Tensor, " time"],
) -> Float[Tensor, "time channel row column"]:
    recovery = frames[~is_proton] if bool((~is_proton).any()) else frames
    mean = normalised(frames[teachers].mean(dim=0, keepdim=True))
    spread = normalised(frames[teachers].std(dim=0, unbiased=False, keepdim=True))
    scaled = torch.cat([to_series_scale(frames[is_proton]), to_series_scale(frames[~is_proton])])
    still = torch.cat([mean, spread, arrival_order(recovery)[None], window[None]])
    each = torch.stack([normalised(frames), normalised(goal), scaled], dim=1)
    return torch.cat([each, still.expand(len(frames), -1, -1, -1)], dim=1)


def _products(
    image: Float[Tensor, "time map row column"],
    target: Float[Tensor, "target map row column"],
    window: Float[Tensor, "row column"],
) -> Products:
    """Return the terms of the least-squares problem of every point, summed over the maps."""
    row, column = slopes(0.5 * (image + target))
    rest = target - image
    pairs = (row, row), (row, column), (column, column), (row, rest), (column, rest)
    terms = torch.stack([(one * other).sum(dim=1) for one, other in pairs], dim=1)
    return functional.avg_pool2d(terms * (OUTSIDE + (1 - OUTSIDE) * window), COARSER)


def _together(products: Products, groups: tuple[Bool[Tensor, " time"], ...]) -> Products:
    """Give all frames of a group without contrast agent their mean; the others nothing."""
    mean = torch.zeros_like(products)
    for group in groups:
        if bool(group.any()):
            mean[group] = products[group].mean(dim=0)
    return mean


def _steps(
    products: Products, window: Float[Tensor, "row column"]
) -> tuple[
    Float[Tensor, "time window axis coarse_row coarse_column"],
    Float[Tensor, "time window coarse_row coarse_column"],
]:
    """Solve every 2 x 2 system; return steps, px, and how much structure there is."""
    share = functional.avg_pool2d(window[None, None], COARSER)[0, 0]
    steps, structures = [], []
    for width in WINDOWS:
        rr, rc, cc, rd, cd = smooth(products, width).unbind(dim=1)
        size = ((rr + cc) * share).sum(dim=(1, 2), keepdim=True)
        typical = size / (2 * share.sum()).clamp_min(1e-6) + 1e-12
        structures.append((0.5 * (rr + cc) / typical).clamp(0, 4).sqrt())
        rr, cc = rr + DAMPING * typical, cc + DAMPING * typical
        determinant = rr * cc - rc.square()
        step = torch.stack([cc * rd - rc * cd, rr * cd - rc * rd], dim=1) / determinant[:, None]
        steps.append(step.clamp(-LARGEST_PX, LARGEST_PX))
    return torch.stack(steps, dim=1), torch.stack(structures, dim=1)
