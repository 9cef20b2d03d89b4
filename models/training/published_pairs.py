"""What each published step learns from: pairs of a moving and a fixed image, made once.

As in the publication the pairs of a step are computed before its training: the first step needs
low-rank parts, the later ones the series as the steps before leave it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from models.decomposition import split_low_rank
from models.networks.affine import AffineNetwork
from models.networks.preparation import equalise, rescale
from models.networks.published import (
    affine_to_components,
    affine_to_fixed,
    fixed_frame,
    inner_square,
    synthetic,
)
from models.networks.warping import affine_field, join, warp

MIN_FRAMES = 5
SeriesFrames = Float[Tensor, "_time row column"]
"""Series differ in length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Images 0-1 and, for each, the fixed image it belongs to."""

    moving: Float[Tensor, "frame row column"]
    fixed: Float[Tensor, "other row column"]
    fixed_of: Int[Tensor, " frame"]
    """Which entry of `fixed` each moving image is registered to."""

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.moving)

    def shrunk(self, side_px: int) -> "Pairs":
        """Average the images down to `side_px` pixels, a divisor of what they have."""
        ratio = self.moving.shape[-1] // side_px
        if ratio <= 1:
            return self
        return Pairs(
            moving=functional.avg_pool2d(self.moving[:, None], ratio)[:, 0],
            fixed=functional.avg_pool2d(self.fixed[:, None], ratio)[:, 0],
            fixed_of=self.fixed_of,
        )


def low_rank_pairs(series: Sequence[SeriesFrames]) -> tuple[Pairs, Pairs]:
    """Pair every frame with the fixed frame of its series: as images and as low-rank parts.

    Parameters
    ----------
    series
        Square heart regions of 128 px at 1.25 mm. Each of shape `(time, row, column)`.

    """
    even = [equalise(frames) for frames in usable(series)]
    calm = [rescale(_low_rank(frames)) for frames in even]
    return _to_fixed_frame(even), _to_fixed_frame(calm)


def component_pairs(series: Sequence[SeriesFrames], affine: AffineNetwork) -> Pairs:
    """Pair every frame, after step 1, with its PCA reference; both equalised.

    Parameters
    ----------
    series
        As above.
    affine
        Network of step 1.

    """
    return _to_components([_after_first(frames, affine) for frames in usable(series)], equalise)


def inner_pairs(
    series: Sequence[SeriesFrames], affine: AffineNetwork, affine_refine: AffineNetwork
) -> Pairs:
    """Pair the inner square of every frame, after step 2, with its PCA reference; rescaled only.

    Parameters
    ----------
    series
        As above.
    affine
        Network of step 1.
    affine_refine
        Network of step 2.

    """
    moved = [_after_second(frames, affine, affine_refine) for frames in usable(series)]
    return _to_components([inner_square(frames) for frames in moved], rescale)


def usable(series: Sequence[SeriesFrames]) -> list[SeriesFrames]:
    """Leave out blank frames and series too short for components."""
    shown = [
        frames[frames.flatten(1).amax(dim=1) > frames.flatten(1).amin(dim=1)] for frames in series
    ]
    return [frames for frames in shown if len(frames) >= MIN_FRAMES]


def _low_rank(frames: SeriesFrames) -> SeriesFrames:
    low_rank, _ = split_low_rank(frames.flatten(1).T.contiguous())
    return low_rank.T.reshape(frames.shape)


def _to_fixed_frame(series: Sequence[SeriesFrames]) -> Pairs:
    fixed = torch.stack([frames[fixed_frame(len(frames))] for frames in series])
    return Pairs(
        moving=torch.cat(list(series)),
        fixed=fixed,
        fixed_of=torch.cat(
            [torch.full((len(frames),), index) for index, frames in enumerate(series)]
        ),
    )


def _to_components(
    series: Sequence[SeriesFrames], prepare: Callable[[SeriesFrames], SeriesFrames]
) -> Pairs:
    moving = torch.cat([prepare(frames) for frames in series])
    fixed = torch.cat([prepare(synthetic(frames)) for frames in series])
    return Pairs(moving=moving, fixed=fixed, fixed_of=torch.arange(len(moving)))


def _after_first(frames: SeriesFrames, affine: AffineNetwork) -> SeriesFrames:
    with torch.inference_mode():
        found = affine_to_fixed(affine, frames, fixed_frame(len(frames)))
        return warp(frames, affine_field(found, frames))


def _after_second(
    frames: SeriesFrames, affine: AffineNetwork, affine_refine: AffineNetwork
) -> SeriesFrames:
    """Resample the original once by both affine maps."""
    with torch.inference_mode():
        first = affine_to_fixed(affine, frames, fixed_frame(len(frames)))
        moved = warp(frames, affine_field(first, frames))
        found = join(first, affine_to_components(affine_refine, moved))
        return warp(frames, affine_field(found, frames))
