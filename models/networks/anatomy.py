"""The network that removes contrast: from a frame in any contrast to where the heart is.

Every frame of a series, whatever the bolus makes of it, becomes the same three maps: share of left
ventricle, myocardium and right ventricle. Maps of different beats can then be registered by a
plain difference. The frame is seen together with its neighbours in time and with what the whole
series shows (mean and standard deviation over time), which tells where the heart is while it is
hardly visible.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from models.networks.blocks import Trunk

N_INPUTS = 7
CONTEXT_CHANNELS = (3, 4, 5)
"""Mean and standard deviation over time, and order of arrival."""
N_MAPS = 3
_SHOWN = (0.01, 0.99)
"""Quantiles of an image that become -1 and 1."""
_LIMIT = 1.5
_N_FIRST = 3
_SAMPLES = 2304
"""Pixels that quantiles are taken from."""


class AnatomyNetwork(Trunk):
    """U-Net that tells where the heart is in one frame.

    Parameters
    ----------
    width
        Channels at half resolution; doubled at each coarser level.
    n_levels
        Levels below full resolution.

    """

    def __init__(self, *, width: int = 16, n_levels: int = 4) -> None:
        super().__init__(N_INPUTS, width=width, n_levels=n_levels)
        self.head = nn.Sequential(
            nn.Conv2d(width, width // 2, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width // 2, N_MAPS, 1),
        )

    def forward(
        self, inputs: Float[Tensor, "frame channel row column"]
    ) -> Float[Tensor, "frame tissue row column"]:
        """Return logits of the three maps.

        Parameters
        ----------
        inputs
            What `frame_inputs` makes of a series. Rows and columns are multiples of `multiple`.

        """
        logits: Tensor = self.head(self.features(inputs))
        return logits


def frame_inputs(
    frames: Float[Tensor, "time row column"],
    n_proton_density: int,
    *,
    is_first: Bool[Tensor, " time"] | None = None,
) -> Float[Tensor, "time channel row column"]:
    """Return what the network sees of each frame.

    Channels: the frame, the one before, the one after, mean and standard deviation over the
    saturation-recovery frames, each brought to -1..1 by its own quantiles; the order in which the
    bolus arrives; and the frame in the scale of the series. Proton-density frames have neighbours
    and a scale of their own.

    Parameters
    ----------
    frames
        Heart region, any unit. Shape `(time, row, column)`.
    n_proton_density
        Frames at the start without saturation pulse.
    is_first
        Frames whose predecessor is missing from the series.

    """
    shown = normalised(frames)
    index = torch.arange(len(frames), device=frames.device)
    is_proton = index < n_proton_density
    starts = (index == 0) | (index == n_proton_density)
    starts = starts if is_first is None else starts | is_first.to(starts.device)
    ends = starts.roll(-1)
    before, after = torch.where(starts, index, index - 1), torch.where(ends, index, index + 1)
    enhanced = frames[~is_proton] if bool((~is_proton).any()) else frames
    mean = normalised(enhanced.mean(dim=0, keepdim=True))
    spread = normalised(enhanced.std(dim=0, unbiased=False, keepdim=True))
    scaled = torch.cat([to_series_scale(frames[is_proton]), to_series_scale(frames[~is_proton])])
    still = torch.cat([mean, spread, arrival_order(enhanced)[None]])[None]
    each = torch.stack([shown, shown[before], shown[after]], dim=1)
    return torch.cat([each, still.expand(len(frames), -1, -1, -1), scaled[:, None]], dim=1)


def arrival_order(
    frames: Float[Tensor, "time row column"],
) -> Float[Tensor, "row column"]:
    """Return when each pixel is brightest, early -1 and late 1, near 0 where little happens.

    The bolus passes the right ventricle, then the left, then the myocardium, in any contrast; the
    moment is that of the cubed change from the first frames, in which the first pass outweighs
    what comes after.
    """
    time = torch.linspace(-1.0, 1.0, len(frames), dtype=frames.dtype, device=frames.device)
    change = (frames - frames[:_N_FIRST].mean(dim=0)).abs()
    strength = change.amax(dim=0)
    share = change / strength.clamp_min(1e-12)
    cubed = share**3
    moment = torch.einsum("t,trc->rc", time, cubed) / cubed.sum(dim=0).clamp_min(1e-12)
    weight = strength / (strength + 0.3 * strength.amax()).clamp_min(1e-12)
    usual = (moment * weight).sum() / weight.sum().clamp_min(1e-12)
    rest = moment - usual
    spread = ((rest.square() * weight).sum() / weight.sum().clamp_min(1e-12)).sqrt()
    return (weight * rest / spread.clamp_min(1e-6)).clamp(-_LIMIT, _LIMIT)


def normalised(images: Float[Tensor, "time row column"]) -> Float[Tensor, "time row column"]:
    """Bring each image to -1..1 by its quantiles; a constant image becomes 0."""
    low, high = _quantiles(images)
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    scaled = (images - middle) / half.clamp_min(1e-12)
    return torch.where(half > 0, scaled, torch.zeros_like(scaled)).clamp(-_LIMIT, _LIMIT)


def to_series_scale(
    frames: Float[Tensor, "time row column"],
) -> Float[Tensor, "time row column"]:
    """Divide by the brightest of the upper quantiles of the frames; roots open up dark frames."""
    if not len(frames):
        return frames
    _, high = _quantiles(frames)
    return (frames / high.amax().clamp_min(1e-12)).clamp(0.0, _LIMIT).sqrt()


def _quantiles(
    images: Float[Tensor, "time row column"],
) -> tuple[Float[Tensor, "time one one"], Float[Tensor, "time one one"]]:
    """Return low and high quantile of a regular subset of the pixels of each image."""
    pixels = images.flatten(1)
    step = max(1, pixels.shape[1] // _SAMPLES)
    some = pixels[:, ::step]
    last = some.shape[1] - 1
    lowest, highest = round(_SHOWN[0] * last) + 1, last - round(_SHOWN[1] * last) + 1
    # Faster than to sort them all.
    low = some.topk(lowest, dim=1, largest=False, sorted=False).values.amax(dim=1)
    high = some.topk(highest, dim=1, sorted=False).values.amin(dim=1)
    return low[:, None, None], high[:, None, None]
