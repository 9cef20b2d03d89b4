"""What a scanner does to a series: coils, finite k-space, ghosts, noise, gain.

Everything is drawn anew for every series, much wider than any one protocol.
"""

import math

import torch
from jaxtyping import Complex, Float
from torch import Generator, Tensor
from torch.nn import functional

Frames = Float[Tensor, "time row column"]
FineFrames = Float[Tensor, "time fine_row fine_column"]

COARSE_SHARE = 0.15
"""Share of series with the resolution of an arterial-input series."""
BANDED_SHARE = 0.12
GHOST_SHARE = 0.3
WHITE_SHARE = 0.5
NOISE = (0.008, 0.09)
"""Standard deviation of each channel over the brightest blood: myocardial SNR of about 5 to 50."""


def acquire(fine: FineFrames, size: int, generator: Generator) -> Frames:
    """Return magnitude images of a square matrix from noise-free images of a finer grid.

    Parameters
    ----------
    fine
        Noise-free images, brightest blood about 1.
    size
        Rows and columns of the result.
    generator
        Source of randomness, on the CPU.

    """
    shaded = fine * _shading(fine.shape[-1], generator).to(fine.device)
    shaded = shaded * _gain(generator, len(fine)).to(fine.device)
    image = _limited(shaded, size, generator)
    image = _ghosted(image, generator)
    sigma = math.exp(_draw(generator, math.log(NOISE[0]), math.log(NOISE[1])))
    return _magnitude(image, sigma, generator)


def _shading(size: int, generator: Generator) -> Float[Tensor, "row column"]:
    """Return a smooth coil sensitivity, up to x/÷ 3 over the image, with dark bands by chance."""
    shading = torch.exp(_draw(generator, 0.0, 1.1) * smooth_field(size, 3, generator))
    if _draw(generator, 0.0, 1.0) > BANDED_SHARE:
        return shading
    phase = _draw(generator, 2.0, 8.0) * smooth_field(size, 2, generator)
    width, depth = _draw(generator, 0.1, 0.4), _draw(generator, 0.2, 0.9)
    return shading * (1 - depth * torch.exp(-((phase.sin() / width) ** 2)))


def _gain(generator: Generator, n_frames: int) -> Float[Tensor, "frame one one"]:
    """Return the gain of each frame: nearly even, now and then one that is dark."""
    gain = torch.exp(0.06 * torch.randn(n_frames, generator=generator))
    is_dark = torch.rand(n_frames, generator=generator) < 0.02
    return torch.where(is_dark, 0.4 * gain, gain)[:, None, None]


def smooth_field(size: int, n_knots: int, generator: Generator) -> Float[Tensor, "row column"]:
    """Return a random field that varies over `1 / n_knots` of the image, mostly within -1..1."""
    knots = torch.rand(1, 1, n_knots + 1, n_knots + 1, generator=generator) * 2 - 1
    return functional.interpolate(knots, size=(size, size), mode="bicubic", align_corners=True)[
        0, 0
    ]


def _limited(fine: FineFrames, size: int, generator: Generator) -> Frames:
    """Cut k-space to the matrix, less along each axis by chance, with a window by chance."""
    n_fine = fine.shape[-1]
    spectrum = torch.fft.fftshift(torch.fft.fft2(fine), dim=(-2, -1))
    first = (n_fine - size) // 2
    middle = slice(first, first + size)
    low = spectrum[..., middle, middle]
    reach = (0.3, 0.6) if _draw(generator, 0.0, 1.0) < COARSE_SHARE else (0.5, 1.0)
    windows = [_window(size, reach, generator).to(fine.device) for _ in range(2)]
    low = low * windows[0][:, None] * windows[1] * _half_pixel(size, n_fine).to(fine.device)
    image: Tensor = torch.fft.ifft2(torch.fft.ifftshift(low, dim=(-2, -1))).real
    return image * (size / n_fine) ** 2


def _window(
    size: int, reach: tuple[float, float], generator: Generator
) -> Float[Tensor, " frequency"]:
    """Return 1 up to a flat part, a cosine down to the edge of what is acquired, then 0."""
    frequency = (torch.arange(size) - size // 2).abs() / (size / 2)
    edge = _draw(generator, *reach)
    flat = edge * _draw(generator, 0.3, 1.0)
    beyond = ((frequency - flat) / max(edge - flat, 1e-3)).clamp(0.0, 1.0)
    return torch.cos(0.5 * math.pi * beyond)


def _half_pixel(size: int, n_fine: int) -> Complex[Tensor, "row column"]:
    """Return the phase that keeps the edges of both grids together, not their first pixels."""
    shift = (n_fine / size - 1.0) / 2.0
    phase = math.tau * (torch.arange(size) - size // 2) * shift / n_fine
    return torch.exp(1j * (phase[:, None] + phase))


def _ghosted(image: Frames, generator: Generator) -> Frames:
    """Add a faint displaced copy, as of echo trains, folding and undersampling."""
    if _draw(generator, 0.0, 1.0) > GHOST_SHARE:
        return image
    axis = -1 - int(_draw(generator, 0.0, 2.0))
    distance = int(_draw(generator, 0.25, 0.75) * image.shape[axis])
    return image + _draw(generator, 0.02, 0.2) * image.roll(distance, dims=axis)


def _magnitude(image: Frames, sigma: float, generator: Generator) -> Frames:
    """Add complex noise, uneven over the image and sometimes correlated; take the magnitude."""
    parts = torch.randn(2, *image.shape, generator=generator)
    if _draw(generator, 0.0, 1.0) > WHITE_SHARE:
        parts = (
            1.6
            * functional.avg_pool2d(parts.flatten(0, 1)[:, None], 3, stride=1, padding=1).reshape(
                parts.shape
            )
            + 0.4 * parts
        )
    uneven = torch.exp(_draw(generator, 0.0, 0.6) * smooth_field(image.shape[-1], 2, generator))
    parts = (sigma * uneven * parts).to(image.device)
    return torch.hypot(image + parts[0], parts[1])


def _draw(generator: Generator, low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))
