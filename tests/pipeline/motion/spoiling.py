"""A breathing phantom slice, and every way in which a series may be bad."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

from models.phantom import Breathing, PhantomSeries, Protocol, make_exam
from pipeline.motion import warp
from pipeline.types import MotionCorrection


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoiled:
    """Frames, and where the heart muscle and its blood are in them."""

    frames: Tensor
    left_heart: Tensor
    """As `frames`, 0 or 1."""
    spacing_mm: tuple[float, float]
    n_proton_density: int


@cache
def phantom_slice() -> PhantomSeries:
    protocol = Protocol(
        matrix=(80, 80),
        spacing_mm=3.4,
        arterial_matrix=(40, 40),
        n_saturation_recovery=32,
        n_slices=1,
        breathing=Breathing.FREE,
        breathing_range_mm=(9.0, 12.0),
    )
    return make_exam(5002, protocol=protocol).slices[0]


def good() -> Spoiled:
    series = phantom_slice()
    return Spoiled(
        frames=series.frames.float(),
        left_heart=(series.truth.myocardium | series.truth.left_ventricle).float(),
        spacing_mm=series.spacing_mm,
        n_proton_density=series.n_proton_density,
    )


def _changed(change: Callable[[Tensor], Tensor]) -> Spoiled:
    """Change grey values only."""
    return replace(good(), frames=change(good().frames.clone()))


def _moved(change: Callable[[Tensor], Tensor], **changes: object) -> Spoiled:
    """Change where things are."""
    start = good()
    return replace(
        start, frames=change(start.frames), left_heart=change(start.left_heart), **changes
    )


def _fill(frames: Tensor, value: float) -> Tensor:
    frames[[1, 8, 20, 21]] = value
    return frames


def _fill_patch(frames: Tensor, value: float) -> Tensor:
    frames[6:9, 30:40, 30:40] = value
    frames[0, 0, 0] = value
    return frames


def _enlarge(images: Tensor) -> Tensor:
    big = functional.interpolate(images[None, ::3], size=(512, 512), mode="bilinear")
    return big[0]


def _to_edge(images: Tensor) -> Tensor:
    """Cut through the heart: its middle lies on the edge of the image."""
    return images[:, 40:, :].contiguous()


SPACING_OF_512 = (3.4 * 80 / 512,) * 2
SPOILED: dict[str, Callable[[], Spoiled]] = {
    "good": good,
    "blank frames": lambda: _changed(lambda frames: _fill(frames, 0.0)),
    "constant frames": lambda: _changed(lambda frames: _fill(frames, 4095.0)),
    "saturated": lambda: _changed(lambda frames: frames.clamp(max=0.35 * float(frames.amax()))),
    "frames not a number": lambda: _changed(lambda frames: _fill(frames, float("nan"))),
    "pixels not a number": lambda: _changed(lambda frames: _fill_patch(frames, float("nan"))),
    "pixels infinite": lambda: _changed(lambda frames: _fill_patch(frames, float("inf"))),
    "all not a number": lambda: _changed(lambda frames: frames * float("nan")),
    "a single frame": lambda: _moved(lambda images: images[10:11], n_proton_density=0),
    "three frames": lambda: _moved(lambda images: images[10:13], n_proton_density=0),
    "proton density only": lambda: _moved(lambda images: images[:3]),
    "twenty frames": lambda: _moved(lambda images: images[:20]),
    "before the bolus only": lambda: _moved(lambda images: images[:7]),
    "heart at the border": lambda: _moved(lambda images: images.roll(34, dims=1)),
    "heart cut by the border": lambda: _moved(_to_edge),
    "noise only": lambda: _changed(
        lambda frames: torch.rand(frames.shape, generator=torch.Generator().manual_seed(2))
    ),
    "constant series": lambda: _changed(lambda frames: torch.full_like(frames, 7.0)),
    "blank series": lambda: _changed(torch.zeros_like),
    "wide pixels": lambda: _moved(
        lambda images: images[:, :, ::2].contiguous(), spacing_mm=(3.4, 6.8)
    ),
    "few grey values": lambda: _changed(lambda frames: (31 * frames / frames.amax()).round()),
    "negative values": lambda: _changed(lambda frames: frames - 0.3 * frames.amax()),
    "512 x 512": lambda: _moved(_enlarge, spacing_mm=SPACING_OF_512, n_proton_density=1),
    "eight pixels wide": lambda: _moved(lambda images: images[:, :, 36:44].contiguous()),
    "no frame": lambda: _moved(lambda images: images[:0], n_proton_density=0),
    "no row": lambda: _moved(lambda images: images[:, :0]),
    "no column": lambda: _moved(lambda images: images[:, :, :0]),
}


def overlap(spoiled: Spoiled, correction: MotionCorrection, *, is_corrected: bool) -> float:
    """Return the mean Dice of the left heart of each frame with that of the reference frame.

    Frames that show nothing do not count.
    """
    pixels = spoiled.frames.flatten(1)
    shown = pixels.isfinite().all(dim=1) & (pixels.amax(dim=1) > pixels.amin(dim=1))
    masks = spoiled.left_heart
    if is_corrected:
        masks = warp(masks, correction.displacement)
    inside = (masks > 0.5).flatten(1)
    reference = inside[correction.reference]
    common = (inside & reference).sum(dim=1)
    both = (inside.sum(dim=1) + reference.sum()).clamp_min(1)
    return float((2 * common / both)[shown].mean())
