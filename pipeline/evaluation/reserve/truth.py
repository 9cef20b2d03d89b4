"""Where the muscle of a pixel under stress lies at rest, and what its reserve is."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.phantom import PhantomSeries
from pipeline.evaluation.flow.true_wall import TrueWall, true_wall
from pipeline.motion.compose import pixel_grid
from pipeline.reserve.align import Place, read_at

_LEAST_KNOWN = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TruePair:
    """What is true of the pixels of one slice under stress."""

    stress: TrueWall
    rest_flow_ml_min_g: Float[Tensor, "row column"]
    """Of the same muscle at rest."""
    place_px: Place
    """Row and column of that muscle in the frame that the map at rest shows."""

    @property
    def known(self) -> Bool[Tensor, "row column"]:
        """Wall whose reserve is known."""
        return self.stress.wall & self.rest_flow_ml_min_g.isfinite()

    @property
    def reserve(self) -> Float[Tensor, "row column"]:
        """Flow under stress over that at rest; NaN outside the wall."""
        return self.stress.flow_ml_min_g / self.rest_flow_ml_min_g


def true_pair(
    stress: PhantomSeries,
    rest: PhantomSeries,
    references: tuple[int | None, int | None],
) -> TruePair:
    """Return the truth of one slice.

    Parameters
    ----------
    stress, rest
        The same slice of both exams, on any grids around the same middle.
    references
        The frames that the maps show, stress and rest; None is the position without motion.

    """
    own, other = references
    still = pixel_grid(stress.truth.flow_ml_min_g).double()
    if own is not None:
        still = still + stress.truth.inverse_displacement[own].double()
    at_rest = _on_grid(still, stress, rest)
    value = rest.truth.flow_ml_min_g.double()
    is_wall = value.isfinite().double()
    total, share = read_at(torch.stack([value.nan_to_num(), is_wall]), at_rest)
    place = at_rest
    if other is not None:
        place = at_rest + read_at(rest.truth.displacement[other].double(), at_rest)
    return TruePair(
        stress=true_wall(stress, own),
        rest_flow_ml_min_g=torch.where(
            share >= _LEAST_KNOWN, total / share.clamp_min(_LEAST_KNOWN), torch.nan
        ),
        place_px=place,
    )


def _on_grid(place_px: Place, series: PhantomSeries, other: PhantomSeries) -> Place:
    """Return places of one grid in pixels of another grid around the same middle."""
    axes = []
    for axis in range(2):
        middle, other_middle = (0.5 * (each.frames.shape[1 + axis] - 1) for each in (series, other))
        scale = series.spacing_mm[axis] / other.spacing_mm[axis]
        axes.append((place_px[axis] - middle) * scale + other_middle)
    return torch.stack(axes)
