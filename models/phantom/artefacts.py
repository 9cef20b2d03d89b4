"""What goes wrong between the object and the image; everything is off unless asked for.

Errors that act on the complex image are drawn once for a series, so that its moving and its
motion-free rendering carry the same ones.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float
from torch import Generator, Tensor

from models.phantom.coils import CoilShading
from models.phantom.randomness import normals, uniform

Frames = Float[Tensor, "time row column"]
ComplexFrames = Complex[Tensor, "time row column"]

_SOUND_CENTRE = 0.06
"""Frequencies, cycles per pixel, below which undersampling does no harm."""
_N_ANGLES = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefacts:
    """Strengths of the artefacts of one exam."""

    ghost_phase_rad: float = 0.0
    """Phase between even and odd lines of k-space over 2: a ghost of sin(phase) at half the
    field of view (echo-planar readouts)."""
    off_resonance_hz: float = 0.0
    """Largest offset of the field in the image; makes bands in balanced readouts."""
    acceleration: int = 2
    """Parallel imaging factor that residual aliasing and noise amplification belong to."""
    residual_aliasing: float = 0.0
    """Amplitude of what parallel imaging failed to unfold."""
    g_factor: float = 1.0
    """Largest amplification of noise by parallel imaging, relative to that at the heart."""
    incoherent_aliasing: float = 0.0
    """Relative error of the outer lines of k-space, drawn anew for each frame."""
    view_sharing: float = 0.0
    """Part of the outer k-space of each frame that is taken from its neighbours in time."""
    streaks: float = 0.0
    """Relative error of the spokes of k-space, drawn anew for each frame."""
    dark_rim: float = 0.0
    """Part of the signal of the subendocardium that is lost while blood is densest."""
    fat_shift_px: float = 0.0
    """Displacement of fat along the frequency-encoding axis."""
    gain_jitter: float = 0.0
    """Relative standard deviation of the brightness from frame to frame."""
    coil: CoilShading = CoilShading.MILD
    coil_strength: float = 2.0
    """Largest factor between the sensitivity at the heart and anywhere."""

    def __post_init__(self) -> None:
        if self.acceleration < 2 or self.g_factor < 1.0 or self.coil_strength <= 1.0:
            raise ValueError("acceleration, g_factor and coil_strength must not shrink")
        if not 0.0 <= self.dark_rim <= 1.0:
            raise ValueError("dark_rim must lie in 0-1")

    @property
    def spoil_the_image(self) -> bool:
        """Whether any of them acts on the complex image."""
        return any(
            (
                self.ghost_phase_rad,
                self.residual_aliasing,
                self.incoherent_aliasing,
                self.view_sharing,
                self.streaks,
            )
        )


def spoil(
    frames: Frames,
    artefacts: Artefacts,
    axis: int,
    generator: Generator,
    *,
    n_proton_density: int = 0,
) -> ComplexFrames:
    """Return the complex images that parallel, fast or echo-planar imaging makes of good ones.

    Parameters
    ----------
    frames
        Images without artefacts.
    artefacts
        Strengths.
    axis
        Phase-encoding axis, 0 for rows.
    generator
        Source of randomness, on the CPU; equal states give equal artefacts.
    n_proton_density
        Leading frames of another contrast, which share no views with the rest.

    """
    along = axis - 2
    image = frames * torch.exp(1j * _background_phase(generator, frames.shape[-2:])).to(
        frames.device
    )
    n_frames = frames.shape[0]
    if artefacts.view_sharing:
        groups = (image[:n_proton_density], image[n_proton_density:])
        shared = [share_views(group, artefacts.view_sharing, along) for group in groups]
        image = torch.cat(shared)
    trembling = 1.0 + 0.1 * normals(generator, n_frames)
    image = add_ghost(image, (artefacts.ghost_phase_rad * trembling).to(frames), along)
    turn = torch.exp(1j * torch.tensor(uniform(generator, 0.0, math.tau)))
    share = artefacts.residual_aliasing * (1.0 + 0.2 * normals(generator, n_frames))
    image = add_aliases(image, turn * share, artefacts.acceleration, along)
    if artefacts.incoherent_aliasing:
        image = _disturb_lines(image, artefacts.incoherent_aliasing, along, generator)
    if artefacts.streaks:
        image = _disturb_spokes(image, artefacts.streaks, generator)
    return image


def add_ghost(image: ComplexFrames, phase_rad: Float[Tensor, " time"], along: int) -> ComplexFrames:
    """Return cos(p) I(y) + i sin(p) I(y + N/2): even lines of k-space turned by p, odd by -p."""
    phase = phase_rad[:, None, None]
    shifted = image.roll(image.shape[along] // 2, dims=along)
    return torch.cos(phase) * image + 1j * torch.sin(phase) * shifted


def add_aliases(
    image: ComplexFrames, share: Complex[Tensor, " time"], acceleration: int, along: int
) -> ComplexFrames:
    """Return I(y) plus a share of I(y + n N/R), n = 1 .. R - 1: what was not unfolded."""
    n_pixels = image.shape[along]
    aliases = [
        image.roll(step * n_pixels // acceleration, dims=along) for step in range(1, acceleration)
    ]
    return image + share.to(image)[:, None, None] * torch.stack(aliases).sum(0)


def share_views(image: ComplexFrames, share: float, along: int) -> ComplexFrames:
    """Take a share of the outer lines of k-space from the frames before and after."""
    if image.shape[0] < 2:
        return image
    lines = torch.fft.fft(image, dim=along)
    neighbours = (torch.cat([lines[:1], lines[:-1]]) + torch.cat([lines[1:], lines[-1:]])) / 2.0
    weight = share * _harmed(torch.fft.fftfreq(image.shape[along]).abs()).to(image.device)
    weight = weight[:, None] if along == -2 else weight
    mixed: Tensor = torch.fft.ifft(torch.lerp(lines, neighbours, weight.to(lines)), dim=along)
    return mixed


def _background_phase(generator: Generator, matrix: torch.Size) -> Float[Tensor, "row column"]:
    """Return a smooth phase of a few turns: ghosts interfere with the image by it."""
    axes = [torch.linspace(-0.5, 0.5, count) for count in matrix]
    rows, columns = torch.meshgrid(*axes, indexing="ij")
    phase = torch.zeros(matrix)
    for _ in range(3):
        slope = [uniform(generator, -1.5, 1.5) for _ in range(2)]
        phase = phase + 2.0 * torch.sin(
            math.tau * (slope[0] * rows + slope[1] * columns) + uniform(generator, 0.0, math.tau)
        )
    return phase


def _disturb_lines(
    image: ComplexFrames, strength: float, along: int, generator: Generator
) -> ComplexFrames:
    """Multiply every outer line of k-space of every frame by 1 + strength n, n complex normal."""
    n_frames, n_lines = image.shape[0], image.shape[along]
    frequency = torch.fft.fftfreq(n_lines).abs()
    error = _complex_normals(generator, n_frames, n_lines) * _harmed(frequency)
    factor = (1.0 + strength * error).to(image)
    factor = factor[:, :, None] if along == -2 else factor[:, None, :]
    spoilt: Tensor = torch.fft.ifft(torch.fft.fft(image, dim=along) * factor, dim=along)
    return spoilt


def _disturb_spokes(image: ComplexFrames, strength: float, generator: Generator) -> ComplexFrames:
    """Multiply every spoke of k-space of every frame by 1 + strength n, n complex normal."""
    rows, columns = (torch.fft.fftfreq(count) for count in image.shape[-2:])
    angle = torch.atan2(rows[:, None], columns) % math.pi
    spoke = (angle * (_N_ANGLES / math.pi)).long().clamp(max=_N_ANGLES - 1)
    error = _complex_normals(generator, image.shape[0], _N_ANGLES)[:, spoke]
    error = error * _harmed(torch.hypot(rows[:, None], columns))
    spoilt: Tensor = torch.fft.ifft2(torch.fft.fft2(image) * (1.0 + strength * error).to(image))
    return spoilt


def _harmed(frequency: Float[Tensor, " *shape"]) -> Float[Tensor, " *shape"]:
    """Return 0 at the centre of k-space, which is always sampled, rising to 1 outside."""
    return ((frequency - _SOUND_CENTRE) / _SOUND_CENTRE).clamp(0.0, 1.0)


def _complex_normals(generator: Generator, *shape: int) -> Complex[Tensor, "..."]:
    parts = (torch.randn(shape, generator=generator) for _ in range(2))
    return torch.complex(*parts) / math.sqrt(2.0)


def noise_amplification(
    artefacts: Artefacts,
    grid: tuple[Float[Tensor, "row column"], Float[Tensor, "row column"]],
    centre_mm: tuple[float, float],
    axis: int,
) -> Float[Tensor, "row column"]:
    """Return the g-factor on a grid, 1 at the heart.

    It is largest in the middle of the body, where coils tell aliases apart least, and undulates
    with the distance of the aliases.
    """
    height = float(grid[axis].max() - grid[axis].min())

    def amplified(rows: Tensor, columns: Tensor) -> Tensor:
        depth = torch.exp(-(rows.square() + columns.square()) / (0.3 * height) ** 2)
        place = rows if axis == 0 else columns
        waves = 0.5 + 0.5 * torch.cos(math.tau * artefacts.acceleration * place / height)
        return 1.0 + (artefacts.g_factor - 1.0) * depth * (0.4 + 0.6 * waves)

    at_heart = amplified(torch.tensor(centre_mm[0]), torch.tensor(centre_mm[1]))
    return amplified(*grid) / at_heart


def gains(artefacts: Artefacts, n_frames: int, generator: Generator) -> Float[Tensor, " time"]:
    """Return the brightness of every frame relative to that of the series."""
    return torch.exp(artefacts.gain_jitter * normals(generator, n_frames)).to(torch.float32)
