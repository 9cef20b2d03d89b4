"""Between the full image and the small heart region in which registration works."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from models.smoothing import read_smooth
from pipeline.motion.compose import magnitude, pixel_grid
from pipeline.segment.heart import HeartRegion

WORKING_SPACING_MM = 2.0
MARGIN_MM = 24.0
"""Room around the heart region for the heart to move in."""
CORE_FRACTION = 0.7
"""Width of the registration weight over the radius of the heart region."""
FINER_BLUR_PX = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartCrop:
    """A square of isotropic pixels around the heart, and how it lies in the full image."""

    region: HeartRegion
    image_spacing_mm: tuple[float, float]
    image_size: tuple[int, int]
    spacing_mm: float
    size: int

    @classmethod
    def around(
        cls,
        region: HeartRegion,
        *,
        spacing_mm: tuple[float, float],
        image_size: tuple[int, int],
    ) -> "HeartCrop":
        """Choose spacing and size; not finer than half a pixel of the image."""
        working = max(WORKING_SPACING_MM, 0.5 * min(spacing_mm))
        extent = 2 * (region.radius_mm + MARGIN_MM)
        largest = max(image_size[0] * spacing_mm[0], image_size[1] * spacing_mm[1])
        size = max(8, 2 * round(min(extent, largest) / working / 2))
        return cls(
            region=region,
            image_spacing_mm=spacing_mm,
            image_size=image_size,
            spacing_mm=working,
            size=size,
        )

    def cut(self, frames: Float[Tensor, "time row column"]) -> Float[Tensor, "time side side"]:
        """Resample the region out of the full frames, low-passed to its own pixel size."""
        ratio_row, ratio_column = self._ratio
        line = torch.arange(self.size, dtype=frames.dtype, device=frames.device)
        line = line - (self.size - 1) / 2
        return read_smooth(
            frames,
            (_blur_px(ratio_row), _blur_px(ratio_column)),
            row=self.region.centre_row + line * ratio_row,
            column=self.region.centre_column + line * ratio_column,
        )

    def weight(self, like: Float[Tensor, "*batch row column"]) -> Float[Tensor, "side side"]:
        """Return the smooth window on the heart, 1 in its middle, for work inside the crop."""
        radius_px = self.region.radius_mm / self.spacing_mm
        return round_window(like.new_zeros(self.size, self.size), radius_px=radius_px)

    def spread(
        self, field: Float[Tensor, "time axis side side"]
    ) -> Float[Tensor, "time axis row column"]:
        """Carry a field of the crop to the full image; it fades to zero away from the heart.

        The fade is wide enough for the largest displacement, so that still tissue beside a
        moving heart is stretched and not folded.
        """
        n_frames = field.shape[0]
        place, distance_mm = self._place(field)
        planes = field.flatten(0, 1)
        full = _pick(planes, place).reshape(n_frames, 2, *self.image_size)
        ratio = torch.tensor(self._ratio, dtype=field.dtype, device=field.device)
        full = full * ratio[:, None, None]
        largest_mm = magnitude(field).flatten(1).amax(dim=1) * self.spacing_mm
        width_mm = (20 + 3 * largest_mm)[:, None, None]
        fade: Tensor = 1 - ((distance_mm - self.region.radius_mm) / width_mm).clamp(0, 1)
        step: Tensor = fade.square() * (3 - 2 * fade)
        return full * step[:, None]

    @property
    def _ratio(self) -> tuple[float, float]:
        """Working pixels in image pixels, per axis."""
        row_mm, column_mm = self.image_spacing_mm
        return self.spacing_mm / row_mm, self.spacing_mm / column_mm

    def _place(
        self, like: Float[Tensor, "time axis side side"]
    ) -> tuple[Float[Tensor, "axis row column"], Float[Tensor, "row column"]]:
        """Return where full-image pixels lie in the crop, and how far from its centre in mm."""
        grid = pixel_grid(like.new_zeros(self.image_size))
        row = (grid[0] - self.region.centre_row) / self._ratio[0]
        column = (grid[1] - self.region.centre_column) / self._ratio[1]
        distance_mm = torch.hypot(row, column) * self.spacing_mm
        return torch.stack([row, column]) + (self.size - 1) / 2, distance_mm


def round_window(
    like: Float[Tensor, "*batch row column"], *, radius_px: float
) -> Float[Tensor, "row column"]:
    """Return 1 in the middle, falling off towards the radius of a heart region.

    Parameters
    ----------
    like
        Any image of the size wanted.
    radius_px
        Of the region, px.

    """
    grid = pixel_grid(like)
    grid = grid - grid.mean(dim=(1, 2), keepdim=True)
    width_px = CORE_FRACTION * radius_px
    return torch.exp(-0.5 * (grid.square().sum(dim=0) / width_px**2).square())


def _blur_px(ratio: float) -> float:
    """Return the blur before resampling by `ratio`, image pixels.

    Against aliasing when pixels get larger; against the pattern that interpolation between few
    pixels leaves, which stands still and would pull every shift to zero, when they get smaller.
    """
    return 0.5 * (ratio**2 - 1) ** 0.5 if ratio >= 1 else FINER_BLUR_PX


def _pick(
    images: Float[Tensor, "time row column"], place: Float[Tensor, "axis new_row new_column"]
) -> Float[Tensor, "time new_row new_column"]:
    """Read all images at the same places, bilinear; outside counts the border."""
    n_rows, n_columns = images.shape[-2:]
    if n_rows * n_columns == 0:
        return images.new_zeros(len(images), *place.shape[1:])
    scale = place.new_tensor([2 / max(n_rows - 1, 1), 2 / max(n_columns - 1, 1)])
    grid = (place * scale[:, None, None] - 1).flip(0).permute(1, 2, 0)
    return functional.grid_sample(
        images[None], grid[None], mode="bilinear", padding_mode="border", align_corners=True
    )[0]
