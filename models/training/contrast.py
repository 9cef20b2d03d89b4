"""Random contrast: what the tissues look like and how their signal passes through time.

Real series differ from any simulation most of all in the brightness of what surrounds the heart,
so half of the series keep the order of the physics and half are given any brightness to any
tissue, as in contrast-agnostic segmentation (Billot 2023, doi 10.1016/j.media.2023.102789).
"""

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from models.phantom.tissues import BLOOD, Tissue

FREE_SHARE = 0.5
"""Share of the series with free brightness."""
_TISSUES = tuple(Tissue)
_BLOOD = [_TISSUES.index(tissue) for tissue in BLOOD]
_WALL = [len(_TISSUES), len(_TISSUES) + 1]

Signals = Float[Tensor, "time class"]


def recolour(signals: Signals, n_proton_density: int, generator: Generator) -> Signals:
    """Return signals of the same series in another contrast, largest about 1.

    Parameters
    ----------
    signals
        Signal of each class in each frame, any unit.
    n_proton_density
        Frames at the start without saturation pulse.
    generator
        Source of randomness, on the CPU.

    """
    proton, enhanced = signals[:n_proton_density], signals[n_proton_density:]
    peak = enhanced.amax().clamp_min(1e-12)
    is_free = _draw(generator, 0.0, 1.0) < FREE_SHARE
    dynamic = _free(enhanced / peak, generator) if is_free else _near(enhanced / peak, generator)
    return torch.cat([_proton_density(proton, generator), dynamic])


def _near(enhanced: Signals, generator: Generator) -> Signals:
    """Vary each tissue a little, and those outside the heart more."""
    n_classes = enhanced.shape[1]
    spread = torch.full((n_classes,), 0.6)
    spread[_BLOOD + _WALL] = 0.15
    factor = torch.exp(spread * torch.randn(n_classes, generator=generator))
    offset = 0.15 * torch.rand(n_classes, generator=generator)
    offset[_BLOOD + _WALL] *= 0.3
    return (enhanced + offset) * factor


def _free(enhanced: Signals, generator: Generator) -> Signals:
    """Give every tissue its own level before contrast, and its own rise."""
    n_classes = enhanced.shape[1]
    first, highest = enhanced[:1], enhanced.amax(dim=0, keepdim=True)
    rise = (enhanced - first) / (highest - first).clamp_min(1e-3)
    power = torch.exp(0.4 * torch.randn(n_classes, generator=generator))
    level = 1.2 * torch.rand(n_classes, generator=generator)
    gain = torch.rand(n_classes, generator=generator)
    heart_level = 0.5 * _draw(generator, 0.0, 1.0) ** 2
    wall_gain = _draw(generator, 0.15, 0.75)
    for group, share in ((_BLOOD, _draw(generator, 0.6, 1.6)), (_WALL, 1.0)):
        level[group] = heart_level * share * torch.exp(0.1 * torch.randn(1, generator=generator))
        gain[group] = 1.0 if group is _BLOOD else wall_gain
    gain[_WALL[0]] *= _draw(generator, 0.3, 1.0)
    gain[_BLOOD] *= torch.exp(0.2 * torch.randn(len(_BLOOD), generator=generator))
    return level + gain * rise.clamp(0.0, 1.2) ** power


def _proton_density(proton: Signals, generator: Generator) -> Signals:
    n_classes = proton.shape[1]
    if not len(proton):
        return proton
    scaled = proton / proton.amax().clamp_min(1e-12)
    factor = torch.exp(0.35 * torch.randn(n_classes, generator=generator))
    factor[_BLOOD] = torch.exp(0.15 * torch.randn(1, generator=generator))
    factor[_WALL] = torch.exp(0.15 * torch.randn(1, generator=generator))
    return _draw(generator, 0.3, 2.0) * scaled * factor


def _draw(generator: Generator, low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))
