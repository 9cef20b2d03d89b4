"""Training of the refining network: what is left of the displacement is known, supervised."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor
from torch.nn import functional

from models.networks.evidence import COARSER, gather
from models.networks.matching import MatchingNetwork, matching_inputs
from models.networks.refining import RefiningNetwork
from models.networks.warping import warp
from models.training.averaging import optimise_averaged
from models.training.loop import LoopSettings, OnStep
from models.training.misaligned import MisalignedSeries, misaligned
from models.training.sampling import draw
from models.training.scenes import ScenePool

N_SEARCH = 4
FAR_WEIGHT, BLOOD_WEIGHT = 0.03, 0.3
"""What a point counts beside one in the wall."""
REACH_PX = 2
"""So far from the wall a point counts as much as in it."""
LOG_ERROR = (-3.0, 2.0)
MIN_TEACHERS = 3
HEART_LEVEL = (0.2, 0.5)
MARGIN_PX = (2.0, 6.0)
ALIGNED_SHARE = 0.7
"""Of the series, those that the steps before have aligned; the others are as far off at random."""

Align = Callable[
    [
        Float[Tensor, "time row column"],
        Float[Tensor, "row column"],
        Bool[Tensor, " time"],
        int,
    ],
    Float[Tensor, "time axis row column"],
]
"""What the analysis does before the network: frames, window of the heart, frames with contrast
agent and number of proton-density frames in, the field found out, px."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefiningRecipe:
    """What the refining network is and what one step of its training shows."""

    width: int = 16
    n_levels: int = 4
    n_frames: int = 36
    size: int = 80
    spacing_mm: float = 2.0
    averaging: float = 0.998
    """Decay of the running average of the weights, which is what is kept."""


def train_refining(
    recipe: RefiningRecipe,
    pool: ScenePool,
    matching: MatchingNetwork,
    align: Align,
    settings: LoopSettings,
    *,
    folder: Path,
    on_step: OnStep,
    network: RefiningNetwork | None = None,
) -> RefiningNetwork:
    """Train, or go on training; return the average of the weights over the last steps.

    Parameters
    ----------
    recipe
        Network and batches.
    pool
        Scenes; its device is where training runs.
    matching
        Trained network whose features are compared; it does not change.
    align
        The steps that come before the network.
    settings
        Length, rate and seed.
    folder
        Where the checkpoint is written.
    on_step
        Told every step.
    network
        Trained already, to go on from; None begins with random weights.

    """
    learner = network or _untrained(recipe, settings.seed)

    def draw_loss(generator: Generator) -> Tensor:
        is_aligned = draw(generator, 0.0, 1.0) < ALIGNED_SHARE
        series = misaligned(
            pool,
            generator,
            n_frames=recipe.n_frames,
            size=recipe.size,
            spacing_mm=recipe.spacing_mm,
            is_shifted_only=is_aligned,
        )
        window = _window(series.anatomy, generator)
        field = _found(series, window, align) if is_aligned else None
        return _loss(learner, matching, series, window, field)

    return optimise_averaged(
        learner,
        draw_loss,
        settings,
        decay=recipe.averaging,
        device=pool.signals.device,
        folder=folder,
        on_step=on_step,
    )


def _untrained(recipe: RefiningRecipe, seed: int) -> RefiningNetwork:
    torch.manual_seed(seed)
    return RefiningNetwork(width=recipe.width, n_levels=recipe.n_levels)


def displacement_loss(
    found: Float[Tensor, "frame axis row column"],
    log_error: Float[Tensor, "frame row column"],
    true: Float[Tensor, "frame axis row column"],
    weight: Float[Tensor, "frame row column"],
) -> Float[Tensor, ""]:
    """Return the mean negative logarithm of a two-dimensional Laplace density, without constants.

    Its scale is the error that the network expects, so points of which nothing can be known count
    little.

    Parameters
    ----------
    found, true
        Displacement, px.
    log_error
        Logarithm of the expected error, px.
    weight
        How much each point counts.

    """
    distance = ((found - true).square().sum(dim=1) + 1e-4).sqrt()
    scale = log_error.clamp(*LOG_ERROR)
    return ((distance * torch.exp(-scale) + 2 * scale) * weight).sum() / weight.sum()


def missing_step(series: MisalignedSeries) -> Float[Tensor, "time axis row column"]:
    """Return the field that brings each frame to the median place of those with contrast, px."""
    teachers = series.is_enhanced
    if int(teachers.sum()) < MIN_TEACHERS:
        teachers = torch.ones_like(teachers)
    goal = series.place[teachers].median(dim=0).values
    step = torch.zeros_like(series.place)
    for _ in range(N_SEARCH):
        step = step + goal - _carried(series.place, step)
    return step


def _found(
    series: MisalignedSeries, window: Float[Tensor, "row column"], align: Align
) -> Float[Tensor, "time axis row column"]:
    with torch.no_grad():
        return align(series.frames, window, series.is_enhanced, series.n_proton_density)


def _loss(
    network: RefiningNetwork,
    matching: MatchingNetwork,
    series: MisalignedSeries,
    window: Float[Tensor, "row column"],
    field: Float[Tensor, "time axis row column"] | None,
) -> Float[Tensor, ""]:
    """Return the loss of one series after a first alignment, if any, by `field`, px."""
    n_proton = series.n_proton_density
    with torch.no_grad():
        inputs = matching_inputs(series.frames, n_proton)
        features = matching(inputs.contiguous(memory_format=torch.channels_last))
        if field is not None:
            series = _moved(series, field)
            features = _carried(features, field)
        known = gather(series.frames, features, window, series.is_enhanced, n_proton)
    found, log_error = network(known)
    weight = _weight(series.anatomy)
    coarse = functional.avg_pool2d(weight, COARSER)
    true = functional.avg_pool2d(missing_step(series) * weight, COARSER) / coarse.clamp_min(1e-6)
    return displacement_loss(found, log_error, true, coarse[:, 0])


def _moved(
    series: MisalignedSeries, field: Float[Tensor, "time axis row column"]
) -> MisalignedSeries:
    return replace(
        series,
        frames=warp(series.frames, field),
        place=_carried(series.place, field),
        anatomy=_carried(series.anatomy, field),
    )


def _carried(
    maps: Float[Tensor, "time map row column"], field: Float[Tensor, "time axis row column"]
) -> Float[Tensor, "time map row column"]:
    """Resample several maps of each frame alike."""
    return torch.stack([warp(part, field) for part in maps.unbind(dim=1)], dim=1)


def _weight(anatomy: Float[Tensor, "time tissue row column"]) -> Float[Tensor, "time 1 row column"]:
    """Return how much the error at each point counts: around the wall most."""
    wall = functional.max_pool2d(anatomy[:, 1:2], 2 * REACH_PX + 1, 1, REACH_PX)
    blood = (anatomy[:, :1] + 0.5 * anatomy[:, 2:]).clamp(max=1.0)
    return FAR_WEIGHT + torch.maximum(wall, BLOOD_WEIGHT * blood)


def _window(
    anatomy: Float[Tensor, "time tissue row column"], generator: Generator
) -> Float[Tensor, "row column"]:
    """Return 1 on the heart and a margin around it, as a first alignment would find them."""
    share = anatomy.mean(dim=0).sum(dim=0) > draw(generator, *HEART_LEVEL)
    reach = int(draw(generator, *MARGIN_PX))
    grown = share.to(anatomy.dtype)[None, None]
    grown = functional.max_pool2d(grown, 2 * reach + 1, 1, reach)
    for _ in range(2):
        grown = functional.avg_pool2d(grown, 3, 1, 1)
    return grown[0, 0]
