"""What a series would look like had nothing moved."""

import torch
from jaxtyping import Float
from torch import Tensor

from models.phantom import PhantomSeries
from pipeline.evaluation.resample import resample


def noisy_still(series: PhantomSeries, *, seed: int) -> Float[Tensor, "time row column"]:
    """Return the motion-free frames with noise of the size that the series has.

    Parameters
    ----------
    series
        A series with truth.
    seed
        The noise is drawn anew from it; it is not that of the moving frames.

    """
    generator = torch.Generator().manual_seed(seed)
    still = series.truth.motion_free_frames.float()
    first, second = (torch.randn(still.shape, generator=generator) for _ in range(2))
    size = series.truth.noise_standard_deviation
    return torch.hypot(still + size * first, size * second)


def still_at(series: PhantomSeries, reference: int) -> Float[Tensor, "time row column"]:
    """Return the motion-free frames without noise in the geometry of one frame of the series.

    They are resampled once, as corrected frames are.
    """
    still = series.truth.motion_free_frames.float()
    back = series.truth.inverse_displacement[reference].float()
    return resample(still, back.expand(len(still), -1, -1, -1))
