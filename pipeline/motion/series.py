"""A series made ready for registration, and the answer of a method."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.networks.segmentation import SegmentationNetwork
from pipeline.motion.crop import HeartCrop
from pipeline.motion.quality import Figures, figures
from pipeline.segment import HeartRegion, find_heart


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A series with what every method needs, and what is needed to judge any correction of it."""

    frames: Float[Tensor, "time row column"]
    """As given."""
    is_usable: Bool[Tensor, " time"]
    usable: Float[Tensor, "usable row column"]
    """The frames that show anything: finite, not constant; float32."""
    n_proton_density: int
    """Among the usable frames."""
    spacing_mm: tuple[float, float]
    crop: HeartCrop
    before: Figures
    guess_mm: Float[Tensor, "usable axis"] | None
    """Displacement of the usable frames known from elsewhere."""

    @property
    def still(self) -> Float[Tensor, "time axis row column"]:
        """The field that moves nothing."""
        size = self.frames.shape
        return self.frames.new_zeros(size[0], 2, *size[1:], dtype=torch.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One answer of a method."""

    name: str
    in_crop: Float[Tensor, "usable axis side side"]
    """Displacement of the usable frames on the grid of the heart region, px of it."""
    crop: HeartCrop
    reference: int
    """Among the usable frames; it does not move."""
    is_unlike: Bool[Tensor, " usable"] | None = None
    """Frames that do not fit the others; None where the method does not look."""

    @property
    def field(self) -> Float[Tensor, "usable axis row column"]:
        """Displacement on the grid of the full image, px; computed when it is asked for."""
        return self.crop.spread(self.in_crop)


def prepare(
    frames: Float[Tensor, "time row column"],
    *,
    spacing_mm: tuple[float, float],
    n_proton_density: int,
    network: SegmentationNetwork | None = None,
    guess_mm: Float[Tensor, "time axis"] | None = None,
    heart: HeartRegion | None = None,
) -> Series:
    """Find the usable frames and the heart, and measure the series as it is.

    Parameters
    ----------
    frames
        Magnitude images in any unit, proton-density frames first. Shape `(time, row, column)`.
    spacing_mm
        Row and column spacing, mm.
    n_proton_density
        How many frames at the start are proton-density weighted.
    network
        Finds the heart; None leaves that to the bolus alone.
    guess_mm
        Displacement of each frame known from another series of the same beats, mm.
    heart
        Where the heart is; None looks for it.

    """
    is_usable, usable = usable_frames(frames)
    n_proton = int(is_usable[:n_proton_density].sum())
    region = heart or find_heart(
        usable, spacing_mm=spacing_mm, n_proton_density=n_proton, network=network
    )
    size = (frames.shape[1], frames.shape[2])
    crop = HeartCrop.around(region, spacing_mm=spacing_mm, image_size=size)
    return Series(
        frames=frames,
        is_usable=is_usable,
        usable=usable,
        n_proton_density=n_proton,
        spacing_mm=spacing_mm,
        crop=crop,
        before=figures(crop.cut(usable), crop.weight(usable), n_proton),
        guess_mm=None if guess_mm is None else guess_mm[is_usable].float(),
    )


def usable_frames(
    frames: Float[Tensor, "time row column"],
) -> tuple[Bool[Tensor, " time"], Float[Tensor, "usable row column"]]:
    """Tell the frames that show anything, finite and not constant, and return them as float32."""
    pixels = frames.flatten(1)
    if pixels.shape[1] == 0:
        nothing = torch.zeros(len(frames), dtype=torch.bool, device=frames.device)
        return nothing, frames[:0].float()
    finite = pixels.isfinite().all(dim=1)
    is_usable = finite & (pixels.amax(dim=1) > pixels.amin(dim=1))
    return is_usable, frames[is_usable].float()
