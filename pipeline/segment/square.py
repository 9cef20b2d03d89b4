"""The square that the segmentation network looks at, and how it lies in the image."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from models.networks.summary import SIZE, SPACING_MM
from models.smoothing import read_smooth

SUBPIXELS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartSquare:
    """A square of `SIZE`² pixels around the heart, and how it lies in the image."""

    centre_row: float
    """px of the image."""
    centre_column: float
    image_spacing_mm: tuple[float, float]

    def cut(self, frames: Float[Tensor, "time row column"]) -> Float[Tensor, "time side side"]:
        """Resample the square out of the frames, smoothed where its pixels are the larger ones."""
        row_width, column_width = (_blur_px(SPACING_MM / size) for size in self.image_spacing_mm)
        line = torch.arange(SIZE, dtype=frames.dtype, device=frames.device) - (SIZE - 1) / 2
        row = self.centre_row + line * (SPACING_MM / self.image_spacing_mm[0])
        column = self.centre_column + line * (SPACING_MM / self.image_spacing_mm[1])
        return read_smooth(frames, (row_width, column_width), row=row, column=column)

    def spread(
        self, maps: Float[Tensor, "map side side"], size: tuple[int, int]
    ) -> Float[Tensor, "map row column"]:
        """Return the mean of maps over each pixel of the image; 0 outside the square."""
        row, column = (
            self._places(count, centre, spacing_mm).to(maps)
            for count, centre, spacing_mm in zip(
                size, (self.centre_row, self.centre_column), self.image_spacing_mm, strict=True
            )
        )
        return functional.avg_pool2d(_read(maps, row, column), SUBPIXELS)

    def in_image(self, row: float, column: float) -> tuple[float, float]:
        """Return the image position of a position in the square, px."""
        middle = (SIZE - 1) / 2
        return (
            self.centre_row + (row - middle) * SPACING_MM / self.image_spacing_mm[0],
            self.centre_column + (column - middle) * SPACING_MM / self.image_spacing_mm[1],
        )

    def of_image(self, place: tuple[float, float]) -> tuple[float, float]:
        """Return the position in the square of a position in the image, px."""
        middle = (SIZE - 1) / 2
        return (
            (place[0] - self.centre_row) * self.image_spacing_mm[0] / SPACING_MM + middle,
            (place[1] - self.centre_column) * self.image_spacing_mm[1] / SPACING_MM + middle,
        )

    @staticmethod
    def _places(count: int, centre: float, spacing_mm: float) -> Float[Tensor, " place"]:
        """Return where the parts of all pixels of one axis lie in the square.

        The shares are means over pixels of the square already; only what the pixels of the image
        are wider than those remains to be averaged.
        """
        wider = math.sqrt(max(1.0 - (SPACING_MM / spacing_mm) ** 2, 0.0))
        part = (torch.arange(SUBPIXELS, dtype=torch.float32) + 0.5) / SUBPIXELS - 0.5
        place = torch.arange(count, dtype=torch.float32)[:, None] + wider * part
        return (place.flatten() - centre) * (spacing_mm / SPACING_MM) + (SIZE - 1) / 2


def _blur_px(ratio: float) -> float:
    """Return the blur before resampling by `ratio`, image pixels; none when pixels get smaller."""
    return 0.5 * math.sqrt(ratio**2 - 1) if ratio > 1 else 0.0


def _read(
    images: Float[Tensor, "image row column"],
    row: Float[Tensor, " new_row"],
    column: Float[Tensor, " new_column"],
) -> Float[Tensor, "image new_row new_column"]:
    """Read images at the crossings of rows and columns, px, bilinear; 0 beyond the border."""
    scale = [2.0 / max(size - 1, 1) for size in images.shape[-2:]]
    grid = torch.stack(
        torch.meshgrid(row * scale[0] - 1.0, column * scale[1] - 1.0, indexing="ij")[::-1], dim=-1
    )
    return functional.grid_sample(
        images[None], grid[None], mode="bilinear", padding_mode="zeros", align_corners=True
    )[0]
