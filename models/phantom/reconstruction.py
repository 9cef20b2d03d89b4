"""How k-space is sampled and turned into grey values: field of view, resolution, scale."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

FineFrames = Float[Tensor, "time fine_row fine_column"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconstruction:
    """From the object to the stored image, without anything going wrong."""

    phase_encoding_axis: int = 0
    """0 encodes phase along the rows axis, 1 along the columns axis."""
    phase_encoding_fraction: float = 0.85
    """Part of k-space along phase encoding that is acquired; the rest is zero."""
    filter_flat_fraction: float = 0.6
    """Part of k-space that the reconstruction filter leaves alone."""
    fold_over_fraction: float = 0.0
    """Part of the painted field of view, half at either end of the phase-encoding axis, that lies
    outside the delivered one and folds into it."""
    brightest: float = 3500.0
    """Largest noise-free value of a series; scanners fill 12 bits, or a part of them."""
    rounds: bool = False
    """Store whole numbers."""
    filters_noise: bool = False
    """Noise passes the same k-space window as the object, as on a scanner that interpolates."""

    def __post_init__(self) -> None:
        if self.phase_encoding_axis not in (0, 1):
            raise ValueError("phase_encoding_axis must be 0 or 1")
        if not 0.2 <= self.phase_encoding_fraction <= 1.0:
            raise ValueError("phase_encoding_fraction must lie in 0.2-1")
        if not 0.0 <= self.filter_flat_fraction < 1.0:
            raise ValueError("filter_flat_fraction must lie in [0, 1)")
        if not 0.0 <= self.fold_over_fraction <= 0.5:
            raise ValueError("fold_over_fraction must lie in 0-0.5")

    def acquired_fraction(self, axis: int) -> float:
        """Return the part of k-space that is acquired along an axis."""
        return self.phase_encoding_fraction if axis == self.phase_encoding_axis else 1.0

    def outside(self, matrix: tuple[int, int]) -> int:
        """Return how many pixels at either end of the phase-encoding axis are folded in.

        Raises
        ------
        ValueError
            If the edge of the delivered field of view would cut pixels.

        """
        outside = matrix[self.phase_encoding_axis] * self.fold_over_fraction / 2.0
        if abs(outside - round(outside)) > 1e-6:
            raise ValueError(f"fold_over_fraction cuts pixels of a matrix of {matrix}")
        return round(outside)

    def delivered(self, matrix: tuple[int, int]) -> tuple[int, int]:
        """Return the stored matrix of a painted one."""
        lost = 2 * self.outside(matrix)
        rows, columns = matrix
        return (rows - lost, columns) if self.phase_encoding_axis == 0 else (rows, columns - lost)


def fold_over(
    fine: FineFrames, outside: int, axis: int
) -> Float[Tensor, "time kept_row kept_column"]:
    """Add what lies outside the delivered field of view to the opposite side.

    Too few lines of k-space for the object make the image periodic.

    Parameters
    ----------
    fine
        Images of the whole object.
    outside
        Points at either end of the axis that lie outside.
    axis
        0 for rows, 1 for columns.

    """
    if outside == 0:
        return fine
    along = axis - 2
    length = fine.shape[along]
    inside = fine.narrow(along, outside, length - 2 * outside).clone()
    inside.narrow(along, 0, outside).add_(fine.narrow(along, length - outside, outside))
    inside.narrow(along, length - 3 * outside, outside).add_(fine.narrow(along, 0, outside))
    return inside


def acquire(
    fine: FineFrames, matrix: tuple[int, int], reconstruction: Reconstruction
) -> Float[Tensor, "time row column"]:
    """Return images of a matrix from the centre of k-space of a finer image of the same field.

    A phase ramp keeps the edges of both fields of view together, so that the centre of pixel n is
    at fine index (n + 1/2) f - 1/2, f fine points per pixel.
    """
    n_rows, n_columns = matrix
    height, width = fine.shape[-2:]
    keep_rows = _kept(reconstruction, 0, n_rows)
    keep_columns = _kept(reconstruction, 1, n_columns)
    spectrum = torch.fft.rfft2(fine)
    low = spectrum.new_zeros((*spectrum.shape[:-2], n_rows, n_columns // 2 + 1))
    flat = reconstruction.filter_flat_fraction
    row_filter = _filter(keep_rows, height, n_rows, flat).to(fine.device)
    column_filter = _filter(keep_columns, width, n_columns, flat)[keep_columns - 1 :]
    column_filter = column_filter.to(fine.device)
    inner = slice(0, keep_columns)
    low[..., :keep_rows, inner] = (
        spectrum[..., :keep_rows, inner] * row_filter[keep_rows - 1 :, None] * column_filter
    )
    low[..., 1 - keep_rows :, inner] = (
        spectrum[..., 1 - keep_rows :, inner] * row_filter[: keep_rows - 1, None] * column_filter
    )
    image: Tensor = torch.fft.irfft2(low, s=matrix)
    return image * (n_rows * n_columns) / (height * width)


def noise_window(
    matrix: tuple[int, int], reconstruction: Reconstruction
) -> Float[Tensor, "row column"]:
    """Return the k-space window of a delivered matrix in the order of an FFT, of power 1."""
    window = torch.ones(())
    for axis, n_pixels in enumerate(matrix):
        keep = _kept(reconstruction, axis, n_pixels)
        profile = torch.zeros(n_pixels)
        inner = _window(keep, reconstruction.filter_flat_fraction)
        profile[torch.arange(1 - keep, keep) % n_pixels] = inner
        window = window * (profile[:, None] if axis == 0 else profile)
    return window / window.square().mean().sqrt()


def _kept(reconstruction: Reconstruction, axis: int, n_pixels: int) -> int:
    """Return how many frequencies of each sign are acquired, zero included."""
    return max(2, int(reconstruction.acquired_fraction(axis) * n_pixels) // 2)


def _window(keep: int, flat: float) -> Float[Tensor, " frequency"]:
    """Return the filter for frequencies -(keep - 1) .. keep - 1."""
    frequency = torch.arange(1 - keep, keep, dtype=torch.float32)
    beyond = ((frequency.abs() / keep - flat) / (1.0 - flat)).clamp(min=0.0)
    return torch.cos(0.5 * math.pi * beyond)


def _filter(keep: int, n_fine: int, n_pixels: int, flat: float) -> Tensor:
    """Return window and half-pixel phase for frequencies -(keep - 1) .. keep - 1."""
    frequency = torch.arange(1 - keep, keep, dtype=torch.float32)
    shift = (n_fine / n_pixels - 1.0) / 2.0
    angle = math.tau * frequency * shift / n_fine
    return _window(keep, flat) * torch.exp(1j * angle)
