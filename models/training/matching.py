"""Training of the matching network: the true shift between frames is known, any pair will do."""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor
from torch.nn import functional

from models.networks.matching import (
    MatchingNetwork,
    correlation,
    matching_inputs,
    near,
    standardised,
)
from models.training.averaging import optimise_averaged
from models.training.loop import LoopSettings, OnStep
from models.training.sampling import TrainingBatch, draw, sample
from models.training.scenes import ScenePool

TARGET_PX = 0.6
"""Width of the peak that is asked for."""
MIN_MASS = 0.7
"""Frames that show less than this share of the usual heart do not tell where it is."""
MIN_PAIRS = 5
HEART_LEVEL = 0.35
MARGIN_PX = 4
MIN_HEART_PX = 100.0
ROUND_SHARE, HEART_SHARE = 0.5, 0.3
"""Windows around the heart, of the heart alone; the rest lies in the middle of the image."""
ROUND_PX = (14.0, 24.0)
OFF_CENTRE_PX = 5.0
WIDE_PX = 22.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingRecipe:
    """What the matching network is and what one step of its training shows."""

    width: int = 8
    n_levels: int = 3
    n_features: int = 4
    n_series: int = 2
    n_frames: int = 18
    size: int = 80
    spacing_mm: float = 2.0
    reach_px: int = 12
    averaging: float = 0.998
    """Decay of the running average of the weights, which is what is kept."""


def train_matching(
    recipe: MatchingRecipe,
    pool: ScenePool,
    settings: LoopSettings,
    *,
    folder: Path,
    on_step: OnStep,
    network: MatchingNetwork | None = None,
) -> MatchingNetwork:
    """Train, or go on training; return the average of the weights over the last steps.

    Parameters
    ----------
    recipe
        Network and batches.
    pool
        Scenes; its device is where training runs.
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
        batch = sample(
            pool,
            generator,
            n_series=recipe.n_series,
            n_frames=recipe.n_frames,
            size=recipe.size,
            spacing_mm=recipe.spacing_mm,
        )
        return _loss(learner, batch, recipe.reach_px, generator)

    return optimise_averaged(
        learner,
        draw_loss,
        settings,
        decay=recipe.averaging,
        device=pool.signals.device,
        folder=folder,
        on_step=on_step,
    )


def _untrained(recipe: MatchingRecipe, seed: int) -> MatchingNetwork:
    torch.manual_seed(seed)
    return MatchingNetwork(
        width=recipe.width, n_levels=recipe.n_levels, n_features=recipe.n_features
    )


def shift_loss(
    surface: Float[Tensor, "pair side side"], shift: Float[Tensor, "pair axis"]
) -> Float[Tensor, ""]:
    """Return the Kullback-Leibler divergence of the true shifts from what a correlation says.

    Parameters
    ----------
    surface
        Logits of the shifts, zero shift in the middle.
    shift
        True shift of each pair, px. Shape `(pair, axis)`.

    """
    reach = surface.shape[-1] // 2
    steps = torch.arange(-reach, reach + 1, dtype=shift.dtype, device=shift.device)
    profile = torch.exp(-0.5 * ((steps - shift[:, :, None]) / TARGET_PX).square())
    target = (profile[:, 0, :, None] * profile[:, 1, None, :]).flatten(1)
    target = target / target.sum(dim=1, keepdim=True)
    found = surface.flatten(1).log_softmax(dim=1)
    return functional.kl_div(found, target, reduction="batchmean")


def _loss(
    network: MatchingNetwork, batch: TrainingBatch, reach_px: int, generator: Generator
) -> Float[Tensor, ""]:
    inputs = [
        matching_inputs(frames, int(n_proton))
        for frames, n_proton in zip(batch.frames, batch.n_proton_density, strict=True)
    ]
    features = network(torch.cat(inputs).contiguous(memory_format=torch.channels_last))
    losses = [
        _series_loss(part, maps, network.sharpness.exp(), reach_px, generator)
        for part, maps in zip(features.split(batch.frames.shape[1]), batch.anatomy, strict=True)
    ]
    return torch.stack(losses).mean()


def _series_loss(
    features: Float[Tensor, "time feature row column"],
    maps: Float[Tensor, "time tissue row column"],
    sharpness: Float[Tensor, ""],
    reach_px: int,
    generator: Generator,
) -> Float[Tensor, ""]:
    """Return the loss over all pairs of a series whose shift is known and within reach."""
    place, is_seen = _places(maps)
    first, second = torch.triu_indices(len(maps), len(maps), 1, device=maps.device)
    shift = place[second] - place[first]
    good = is_seen[first] & is_seen[second] & (shift.abs().amax(dim=1) < reach_px - 1)
    if int(good.sum()) < MIN_PAIRS:
        return 0.0 * features.sum()
    shown = standardised(features, _window(maps, place[is_seen], generator))
    spectra = torch.fft.rfft2(shown)
    shape = (shown.shape[2], shown.shape[3])
    surface = near(correlation(spectra[first[good]], spectra[second[good]], shape), reach_px)
    return shift_loss(sharpness * surface, shift[good])


def _places(
    maps: Float[Tensor, "time tissue row column"],
) -> tuple[Float[Tensor, "time axis"], Bool[Tensor, " time"]]:
    """Return the centre of the left ventricle with its wall in each frame, px from the middle."""
    heart = maps[:, 0] + maps[:, 1]
    mass = heart.sum(dim=(1, 2))
    place = (heart[:, None] * _grid(maps)).sum(dim=(2, 3)) / mass.clamp_min(1e-6)[:, None]
    return place, (mass > MIN_MASS * mass.median()) & (mass > 0)


def _grid(maps: Float[Tensor, "time tissue row column"]) -> Float[Tensor, "axis row column"]:
    lines = [torch.arange(size, device=maps.device) - (size - 1) / 2 for size in maps.shape[-2:]]
    return torch.stack(torch.meshgrid(*lines, indexing="ij"))


def _window(
    maps: Float[Tensor, "time tissue row column"],
    place: Float[Tensor, "seen axis"],
    generator: Generator,
) -> Float[Tensor, "row column"]:
    """Draw the window of a registration: round, near the heart; the heart alone; or the middle."""
    grid, kind = _grid(maps), draw(generator, 0.0, 1.0)
    middle = place.median(dim=0).values
    off = OFF_CENTRE_PX * torch.randn(2, generator=generator).to(maps.device)
    width_px = draw(generator, *ROUND_PX)
    if kind < ROUND_SHARE:
        return _round(grid - (middle + off)[:, None, None], width_px)
    if kind > ROUND_SHARE + HEART_SHARE:
        return _round(grid, WIDE_PX)
    share = (maps.mean(dim=0).sum(dim=0) > HEART_LEVEL).to(maps.dtype)[None, None]
    grown = functional.max_pool2d(share, 2 * MARGIN_PX + 1, 1, MARGIN_PX)
    for _ in range(2):
        grown = functional.avg_pool2d(grown, 3, 1, 1)
    if float(grown.sum()) < MIN_HEART_PX:
        return _round(grid - middle[:, None, None], width_px)
    return grown[0, 0]


def _round(
    from_middle: Float[Tensor, "axis row column"], width_px: float
) -> Float[Tensor, "row column"]:
    return torch.exp(-0.5 * (from_middle.square().sum(dim=0) / width_px**2).square())
