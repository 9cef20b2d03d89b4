"""From tissue to image: signal per class, coil sensitivity, finite k-space, noise."""

import math

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from models.kinetics import interpolate
from models.phantom.motion import sample
from models.phantom.randomness import uniform
from models.phantom.shapes import Plane
from models.phantom.uptake import ClassProperties
from models.physics import SaturationRecovery, SpoiledGradientEcho

Frames = Float[Tensor, "time row column"]
FineFrames = Float[Tensor, "time fine_row fine_column"]

OVERSAMPLING = 2
"""Points of the fine grid per pixel and axis."""
_CHUNK = 16
_PHASE_ENCODING_FRACTION = 0.85
"""Rows of k-space that are acquired; the rest is zero, as scanners interpolate."""
_WINDOW_FLAT = 0.6
"""Part of k-space that the reconstruction filter leaves alone."""


def class_signals(
    properties: ClassProperties,
    *,
    time_s: Float[Tensor, " time"],
    n_proton_density: int,
    sequence: SaturationRecovery,
    proton_density: SpoiledGradientEcho,
    relaxivity_l_mmol_s: float,
) -> Float[Tensor, "time class"]:
    """Return the signal of every class in every frame by the exact recursion of the sequence.

    The first `n_proton_density` frames are acquired without saturation.
    """
    concentration = interpolate(
        properties.concentration_mmol_l, properties.time_s, time_s
    ).T.contiguous()
    rate_1_s = 1.0 / properties.native_t1_s + relaxivity_l_mmol_s * concentration
    transverse_1_s = properties.transverse_relaxivity_l_mmol_s * concentration
    first, rest = slice(None, n_proton_density), slice(n_proton_density, None)
    signal = torch.cat(
        [
            proton_density.signal(rate_1_s[first], transverse_1_s[first]),
            sequence.signal(rate_1_s[rest], transverse_1_s[rest]),
        ]
    )
    return properties.proton_density * signal


def coil_sensitivity(
    generator: Generator, grid: tuple[Plane, Plane], centre_mm: tuple[float, float]
) -> Plane:
    """Return a smooth shading, brightest near the anterior coil, 1 at a given point.

    Every element falls off as 1 / (1 + (r/R)^2); anterior elements are stronger, as after a
    normalisation of the scanner that did not go all the way.
    """
    elements = [
        (-150.0 + uniform(generator, -10.0, 10.0), column + uniform(generator, -15.0, 15.0), 1.0)
        for column in (-90.0, 0.0, 90.0)
    ] + [(190.0, column, 0.55) for column in (-70.0, 70.0)]
    reach_mm = uniform(generator, 125.0, 165.0)

    def shading(rows: Tensor, columns: Tensor) -> Tensor:
        distance2 = [(rows - row) ** 2 + (columns - column) ** 2 for row, column, _ in elements]
        parts = [
            strength / (1.0 + d2 / reach_mm**2)
            for d2, (_, _, strength) in zip(distance2, elements, strict=True)
        ]
        return torch.stack(parts).sum(0)

    return shading(*grid) / shading(torch.tensor(centre_mm[0]), torch.tensor(centre_mm[1]))


def render(
    weights: Float[Tensor, "class fine_row fine_column"],
    signals: Float[Tensor, "time class"],
    *,
    inverse_displacement: Float[Tensor, "time axis slice_row slice_column"] | None,
    sensitivity: Float[Tensor, "fine_row fine_column"],
    matrix: tuple[int, int],
) -> Frames:
    """Return noise-free frames.

    Parameters
    ----------
    weights
        Share of each class in each point of the fine grid, reference position.
    signals
        Signal of each class in each frame.
    inverse_displacement
        Where each pixel of a frame lay in the reference, pixels of the slice; None leaves the
        heart where it is.
    sensitivity
        Coil sensitivity on the fine grid.
    matrix
        Rows and columns of the frames.

    """
    flat = weights.flatten(1)
    frames = []
    for first in range(0, signals.shape[0], _CHUNK):
        some = slice(first, first + _CHUNK)
        fine = (signals[some].to(flat.dtype) @ flat).reshape(-1, *weights.shape[1:])
        if inverse_displacement is not None:
            fine = _moved(fine, inverse_displacement[some])
        frames.append(acquire(fine * sensitivity, matrix))
    return torch.cat(frames)


def _moved(
    fine: FineFrames, inverse_displacement: Float[Tensor, "time axis slice_row slice_column"]
) -> FineFrames:
    offset = torch.nn.functional.interpolate(
        inverse_displacement, size=fine.shape[-2:], mode="bilinear", align_corners=False
    )
    return sample(fine[:, None], OVERSAMPLING * offset)[:, 0]


def acquire(fine: FineFrames, matrix: tuple[int, int]) -> Frames:
    """Return images of a matrix from the centre of k-space of a finer image of the same field.

    A phase ramp keeps the edges of both fields of view together, so that the centre of pixel n is
    at fine index (n + 1/2) f - 1/2, f fine points per pixel.
    """
    n_rows, n_columns = matrix
    height, width = fine.shape[-2:]
    keep_rows = int(_PHASE_ENCODING_FRACTION * n_rows) // 2
    keep_columns = n_columns // 2
    spectrum = torch.fft.rfft2(fine)
    low = spectrum.new_zeros((*spectrum.shape[:-2], n_rows, n_columns // 2 + 1))
    row_filter = _filter(keep_rows, height, n_rows)
    column_filter = _filter(keep_columns, width, n_columns)[keep_columns - 1 :]
    inner = slice(0, keep_columns)
    low[..., :keep_rows, inner] = (
        spectrum[..., :keep_rows, inner] * row_filter[keep_rows - 1 :, None] * column_filter
    )
    low[..., 1 - keep_rows :, inner] = (
        spectrum[..., 1 - keep_rows :, inner] * row_filter[: keep_rows - 1, None] * column_filter
    )
    image: Tensor = torch.fft.irfft2(low, s=matrix)
    return image * (n_rows * n_columns) / (height * width)


def _filter(keep: int, n_fine: int, n_pixels: int) -> Tensor:
    """Return window and half-pixel phase for frequencies -(keep - 1) .. keep - 1."""
    frequency = torch.arange(1 - keep, keep, dtype=torch.float32)
    beyond = ((frequency.abs() / keep - _WINDOW_FLAT) / (1.0 - _WINDOW_FLAT)).clamp(min=0.0)
    shift = (n_fine / n_pixels - 1.0) / 2.0
    angle = math.tau * frequency * shift / n_fine
    return torch.cos(0.5 * math.pi * beyond) * torch.exp(1j * angle)


def add_noise(generator: Generator, frames: Frames, standard_deviation: float) -> Frames:
    """Return the magnitude of the frames with complex Gaussian noise (Rician statistics)."""
    real, imaginary = (
        torch.randn(frames.shape, generator=generator, dtype=frames.dtype) for _ in range(2)
    )
    return torch.hypot(frames + standard_deviation * real, standard_deviation * imaginary)
