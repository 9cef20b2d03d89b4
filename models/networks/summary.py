"""A whole corrected series as a few images: what the segmentation network sees.

The bolus is shown as a film of a few pictures. They are not taken at fixed times, since hearts beat
at 40 or at 130 a minute and injections differ, but at even steps along the way that the brightness
of the blood goes: half of a picture's way lies before the left ventricle is full, and so on, in any
series. Where little happens many frames share one picture and their noise averages out.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from models.networks.anatomy import arrival_order, normalised

N_PICTURES = 7
N_CHANNELS = 7 + N_PICTURES
SPACING_MM = 1.4
SIZE = 112
_STEP_WIDTH = 0.07
"""Standard deviation of what belongs to one picture, as a share of the whole way."""
_COARSE_PX = 4
_CENTRAL_SHARE = 0.3
"""Width of the preference for the middle, over the side of the image."""
_N_FIRST = 3
_BRIGHTEST = 0.995
_LIMIT = 1.5


def summarise(
    frames: Float[Tensor, "time row column"], n_proton_density: int
) -> Float[Tensor, "channel row column"]:
    """Return what the network sees of a series.

    Channels: the proton-density image (zero without one); mean, standard deviation and maximum
    over the saturation-recovery frames, each brought to -1..1 by its own quantiles; the order in
    which the bolus arrives; the first and the last picture of the passage, each in its own scale;
    all pictures of the passage in one scale.

    Parameters
    ----------
    frames
        Corrected heart region at `SPACING_MM`, any unit, finite.
    n_proton_density
        Frames at the start without saturation pulse.

    """
    proton, enhanced = frames[:n_proton_density], frames[n_proton_density:]
    calm = _calm(enhanced)
    film = passage(calm)
    density = proton.mean(dim=0) if len(proton) else torch.zeros_like(enhanced[0])
    spread = enhanced.std(dim=0, unbiased=False)
    own = torch.stack([density, enhanced.mean(dim=0), spread, calm.amax(dim=0), film[0], film[-1]])
    return torch.cat([normalised(own), arrival_order(enhanced)[None], _one_scale(film)])


def passage(
    frames: Float[Tensor, "time row column"],
) -> Float[Tensor, "picture row column"]:
    """Return pictures at even steps of the way that blood goes from dark to dark.

    Parameters
    ----------
    frames
        Saturation-recovery frames without single outliers.

    """
    way = _way(frames)
    at = torch.linspace(0.0, 1.0, N_PICTURES, dtype=frames.dtype, device=frames.device)
    distance = ((way[None] - at[:, None]) / _STEP_WIDTH).square()
    weight = torch.exp(-0.5 * (distance - distance.amin(dim=1, keepdim=True)))
    return torch.einsum("pt,trc->prc", weight / weight.sum(dim=1, keepdim=True), frames)


def _way(frames: Float[Tensor, "time row column"]) -> Float[Tensor, " time"]:
    """Return how far along its way the blood is in each frame, 0-1.

    A step is the distance between the images of two neighbouring frames, counted where a bolus
    comes and goes, less what noise alone makes of it.
    """
    curves = functional.avg_pool2d(frames[:, None], _COARSE_PX)[:, 0]
    rise = curves - curves[:_N_FIRST].mean(dim=0)
    late = rise[-max(2, len(rise) // 4) :].mean(dim=0)
    peak = rise.amax(dim=0)
    weight = torch.minimum(peak, peak - late).clamp_min(0).square() * _central(peak)
    steps = (curves.diff(dim=0).square() * weight).sum(dim=(1, 2))
    length = (steps - 1.5 * steps.median()).clamp_min(0).sqrt()
    way = functional.pad(length.cumsum(dim=0), (1, 0))
    even = torch.linspace(0.0, 1.0, len(frames), dtype=way.dtype, device=way.device)
    return torch.where(way[-1] > 0, way / way[-1].clamp_min(1e-30), even)


def _central(like: Float[Tensor, "row column"]) -> Float[Tensor, "row column"]:
    rows, columns = (
        (torch.arange(side, dtype=like.dtype, device=like.device) + 0.5) / side - 0.5
        for side in like.shape
    )
    square = rows.square()[:, None] + columns.square()
    return torch.exp(-0.5 * square / _CENTRAL_SHARE**2)


def _calm(frames: Float[Tensor, "time row column"]) -> Float[Tensor, "time row column"]:
    """Take the median of each frame and its neighbours, which drops single spoiled frames."""
    padded = torch.cat([frames[:1], frames, frames[-1:]])
    low = torch.minimum(padded[:-2], padded[1:-1])
    high = torch.maximum(padded[:-2], padded[1:-1])
    return torch.maximum(low, torch.minimum(high, padded[2:]))


def _one_scale(film: Float[Tensor, "picture row column"]) -> Float[Tensor, "picture row column"]:
    """Divide by the brightest of the film; roots open up what is dark."""
    last = film.numel() - 1
    brighter = film.flatten().topk(last - round(_BRIGHTEST * last) + 1, sorted=False).values
    brightest = brighter.amin().clamp_min(1e-12)
    return (film / brightest).clamp(0.0, _LIMIT).sqrt()
