"""Phase correlation of edge directions between neighbouring frames, added up along the series.

The simplest method that is in wide use: no model of contrast, translation only. Each frame is
compared with the one before it inside the heart window; the shifts are summed, and the whole is
repeated with the heart re-centred, so that the window sees the same tissue in all frames.
"""

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from models.networks.edges import edge_directions
from pipeline.motion.compose import warp
from pipeline.motion.crop import HeartCrop
from pipeline.motion.translation import shift_field
from pipeline.segment import locate_heart

REACH_MM = 24.0
N_ROUNDS = 2
BAND_PX = 1.5
"""Width of the Gaussian that limits the whitened spectrum to what the maps resolve."""
WHITENING = 0.5
"""Power of the spectrum that is divided out: 1 is pure phase, which in images this small gives
noise as much say as the heart; one half was better on development exams."""


def phase_correlation_field(
    frames: Float[Tensor, "time row column"],
    *,
    spacing_mm: tuple[float, float],
    n_proton_density: int,
) -> Float[Tensor, "time axis row column"]:
    """Return one shift per frame, spread over the image around the heart, px.

    Parameters
    ----------
    frames
        Magnitude images, proton-density frames first.
    spacing_mm
        Row and column spacing, mm.
    n_proton_density
        Frames at the start without saturation pulse.

    """
    region = locate_heart(frames, spacing_mm=spacing_mm, n_proton_density=n_proton_density)
    size = (frames.shape[1], frames.shape[2])
    crop = HeartCrop.around(region, spacing_mm=spacing_mm, image_size=size)
    heart, weight = crop.cut(frames), crop.weight(frames)
    reach_px = max(2, round(REACH_MM / crop.spacing_mm))
    total = heart.new_zeros(len(heart), 2)
    for _ in range(N_ROUNDS):
        maps = edge_directions(warp(heart, shift_field(total, heart))) * weight
        total = total + neighbour_shifts(maps, reach_px).cumsum(dim=0)
    return crop.spread(shift_field(total - total.median(dim=0).values, heart))


def neighbour_shifts(
    maps: Complex[Tensor, "time row column"], reach_px: int
) -> Float[Tensor, "time axis"]:
    """Return how far the content of each map lies from that of the map before it, px."""
    spectra = torch.fft.fft2(maps)
    cross = spectra[:-1].conj() * spectra[1:]
    white = cross / cross.abs().clamp_min(1e-12) ** WHITENING * _band(maps)
    surface = torch.fft.ifft2(white).real
    shifts = torch.stack([_peak(plane, reach_px) for plane in surface])
    return torch.cat([shifts.new_zeros(1, 2), shifts])


def _band(maps: Complex[Tensor, "time row column"]) -> Float[Tensor, "row column"]:
    rows, columns = (torch.fft.fftfreq(size, device=maps.device) for size in maps.shape[1:])
    square = rows[:, None].square() + columns[None, :].square()
    return torch.exp(-2 * (torch.pi * BAND_PX) ** 2 * square)


def _peak(surface: Float[Tensor, "row column"], reach_px: int) -> Float[Tensor, " axis"]:
    """Find the highest place within reach of zero, refined by a parabola along each axis."""
    reach = min(reach_px, (min(surface.shape) - 3) // 2)
    near = surface.roll((reach + 1, reach + 1), dims=(0, 1))[: 2 * reach + 3, : 2 * reach + 3]
    inner = near[1:-1, 1:-1]
    place = int(inner.argmax())
    row, column = place // inner.shape[1] + 1, place % inner.shape[1] + 1
    parts = [
        row + _vertex(near[row - 1 : row + 2, column]),
        column + _vertex(near[row, column - 1 : column + 2]),
    ]
    return torch.stack(parts) - (reach + 1)


def _vertex(three: Float[Tensor, " 3"]) -> Float[Tensor, ""]:
    """Return where the parabola through three values peaks, -0.5 to 0.5."""
    bend = (2 * three[1] - three[0] - three[2]).clamp_min(1e-20)
    return (0.5 * (three[2] - three[0]) / bend).clamp(-0.5, 0.5)
