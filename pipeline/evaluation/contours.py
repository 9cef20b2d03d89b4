"""Where the true contours of the wall lie in every frame."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from models.phantom import PhantomSeries
from pipeline.evaluation.target_error import carried, settle
from pipeline.evaluation.walls import fill_walls


@dataclass(frozen=True, slots=True, kw_only=True)
class Contours:
    """Contour points of all frames."""

    inner_px: Float[Tensor, "time inner axis"]
    """Endocardium, row and column."""
    outer_px: Float[Tensor, "time outer axis"]
    """Epicardium."""
    spacing_mm: tuple[float, float]

    @property
    def points_mm(self) -> Float[Tensor, "time point axis"]:
        """Points of both, mm."""
        both = torch.cat([self.inner_px, self.outer_px], dim=1)
        return both * both.new_tensor(self.spacing_mm)

    @property
    def walls(self) -> Tensor:
        """The wall of every frame, filled; shape `(time, fine_row, fine_column)`."""
        scale = self.inner_px.new_tensor(self.spacing_mm)
        return fill_walls(self.inner_px * scale, self.outer_px * scale)


def acquired_contours(series: PhantomSeries) -> Contours:
    """Carry the contours of the reference position into every frame; unknown points are left out.

    Parameters
    ----------
    series
        A series with truth. A slice below the cavity has no endocardium.

    """
    truth = series.truth
    inner, outer = (
        carried(points[points.isfinite().all(dim=1)], truth.displacement)
        for points in (truth.endocardium_px, truth.epicardium_px)
    )
    return Contours(inner_px=inner, outer_px=outer, spacing_mm=series.spacing_mm)


def corrected_contours(
    acquired: Contours, displacement: Float[Tensor, "time axis row column"]
) -> Contours:
    """Return where the contours are seen after a field, corrected to original, was applied."""
    field = displacement.float()
    return Contours(
        inner_px=settle(field, acquired.inner_px),
        outer_px=settle(field, acquired.outer_px),
        spacing_mm=acquired.spacing_mm,
    )
