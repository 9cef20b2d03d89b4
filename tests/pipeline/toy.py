"""A toy heart: discs that enhance one after the other and move as one, with analytic truth."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Toy:
    """Frames of the toy and what is true of them."""

    frames: Tensor
    displacement: Tensor
    myocardium: Tensor
    left_ventricle: Tensor
    right_ventricle: Tensor
    n_proton_density: int
    spacing_mm: tuple[float, float]


def make_toy(
    *,
    seed: int = 0,
    size: int = 96,
    n_frames: int = 40,
    n_proton_density: int = 2,
    amplitude_mm: float = 8.0,
    noise: float = 12.0,
    spacing_mm: float = 2.0,
) -> Toy:
    """Render the toy; the heart moves by a sine of `amplitude_mm` plus jitter, the chest stays."""
    generator = torch.Generator().manual_seed(seed)
    shift_mm = _shift_mm(n_frames, amplitude_mm, generator)
    amounts = _signals(n_frames, n_proton_density)
    row, column = _grid_mm(size, spacing_mm)
    frames = torch.stack(
        [_render(row, column, shift_mm[t], amounts[:, t]) for t in range(n_frames)]
    )
    frames = (frames + noise * torch.randn(frames.shape, generator=generator)).abs()
    weights = _tissues(row, column, torch.zeros(2))
    field = (shift_mm / spacing_mm)[:, :, None, None].expand(n_frames, 2, size, size)
    return Toy(
        frames=frames.float(),
        displacement=field.float().contiguous(),
        myocardium=weights[3] > 0.5,
        left_ventricle=weights[2] > 0.5,
        right_ventricle=weights[4] > 0.5,
        n_proton_density=n_proton_density,
        spacing_mm=(spacing_mm, spacing_mm),
    )


def _shift_mm(n_frames: int, amplitude_mm: float, generator: torch.Generator) -> Tensor:
    time = torch.arange(n_frames)
    breath = amplitude_mm * torch.sin(2 * torch.pi * time / 7.3)
    jitter = 0.1 * amplitude_mm * torch.randn(n_frames, 2, generator=generator)
    return torch.stack([breath, 0.3 * breath], dim=1) + jitter


def _gamma(time: Tensor, onset: float, width: float) -> Tensor:
    shifted = ((time - onset) / width).clamp_min(0)
    return shifted.square() * torch.exp(2 - 2 * shifted)


def _signals(n_frames: int, n_proton_density: int) -> Tensor:
    """Signal of body, lung, left ventricle, myocardium, right ventricle in each frame."""
    time = torch.arange(n_frames, dtype=torch.float32) - n_proton_density
    right = _gamma(time, 4, 3) + 0.25 * (1 - torch.exp(-((time - 4).clamp_min(0)) / 6))
    left = _gamma(time, 8, 4) + 0.3 * (1 - torch.exp(-((time - 8).clamp_min(0)) / 6))
    tissue = 0.45 * (1 - torch.exp(-((time - 10).clamp_min(0)) / 5))
    rises = torch.stack([0.1 * tissue, 0.3 * right, left, tissue, right])
    baseline = torch.tensor([180.0, 30.0, 100.0, 130.0, 100.0])[:, None]
    signals = baseline + 1000 * rises
    proton = torch.tensor([700.0, 120.0, 650.0, 600.0, 650.0])[:, None]
    return torch.where(time < 0, proton, signals)


def _grid_mm(size: int, spacing_mm: float) -> tuple[Tensor, Tensor]:
    axis = (torch.arange(size) - (size - 1) / 2) * spacing_mm
    return torch.meshgrid(axis, axis, indexing="ij")


def _inside(distance_mm: Tensor) -> Tensor:
    return torch.sigmoid(-distance_mm / 0.7)


def _tissues(row: Tensor, column: Tensor, shift_mm: Tensor) -> Tensor:
    """Weights of body, lung, left ventricle, myocardium, right ventricle; they add up to <= 1."""
    radius = torch.hypot(row / 0.85, column)
    body = _inside(radius - 90)
    lungs = _inside(radius - 76)
    y, x = row - shift_mm[0], column - shift_mm[1]
    from_left = torch.hypot(y - 4, x - 8)
    epicardium = _inside(from_left - 29 - 2 * torch.sin(2 * torch.atan2(y - 4, x - 8)))
    endocardium = _inside(from_left - 20)
    right = _inside(torch.hypot((y + 6) / 1.2, x + 22) - 22) * (1 - epicardium)
    heart = epicardium + right
    return torch.stack(
        [
            (body - lungs) * (1 - heart),
            lungs * (1 - heart),
            endocardium,
            epicardium - endocardium,
            right,
        ]
    )


def _render(row: Tensor, column: Tensor, shift_mm: Tensor, signals: Tensor) -> Tensor:
    return (_tissues(row, column, shift_mm) * signals[:, None, None]).sum(dim=0)
