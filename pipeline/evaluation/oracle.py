"""Ceilings: what a method could reach that knew the truth."""

from jaxtyping import Float
from torch import Tensor

from models.phantom import PhantomSeries
from pipeline.motion.compose import compose


def true_field(series: PhantomSeries, reference: int) -> Float[Tensor, "time axis row column"]:
    """Return the true field on the geometry of one frame, px."""
    displacement = series.truth.displacement.float()
    back = series.truth.inverse_displacement[reference].float()
    return compose(displacement, back.expand_as(displacement))


def true_translation(
    series: PhantomSeries, reference: int
) -> Float[Tensor, "time axis row column"]:
    """Return the shift of each frame that fits the wall best, px."""
    field = true_field(series, reference)
    wall = series.truth.myocardium[reference] | series.truth.left_ventricle[reference]
    shift = field[:, :, wall].mean(dim=2)
    return shift[:, :, None, None].expand_as(field)
