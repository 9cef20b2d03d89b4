"""The dark rim: a subendocardium that goes dark while blood is brightest, and comes back.

Ringing, low resolution and motion darken the inner wall next to dense contrast. A perfusion defect
stays dark for many beats and its signal never falls below that before contrast; a rim does both
(Di Bella 2005, Magn Reson Med 54; Ferreira 2009, doi 10.1186/1532-429X-11-17).
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import max_pool2d

from pipeline.findings import Code, Finding, Grade, series_finding
from pipeline.types import HeartMasks

_N_SECTORS = 8
_BEATS_AROUND_PEAK = 3
_DIP = 0.15
"""Fall below the signal before contrast, relative to it, of two beats in a row."""
_NOISE_FACTOR = 3.0
"""The same over the scatter of the curve before contrast."""
_RECOVERED = 0.5
"""Share of the dip that is gone again after the bolus."""
_MIN_PIXELS = 3
_FEW_SECTORS = 2
"""A rim follows the wall; one sector alone may be noise."""
_MIN_BEFORE = 3


def check_dark_rim(
    frames: Float[Tensor, "time row column"], *, masks: HeartMasks, index: int
) -> tuple[Finding, ...]:
    """Return a note where the inner wall dips while the left ventricle is brightest.

    Parameters
    ----------
    frames
        Corrected saturation-recovery frames of a slice.
    masks
        Its heart.
    index
        Which slice it is.

    """
    n_dark = int(dark_sectors(frames, masks).sum())
    if n_dark < _FEW_SECTORS:
        return ()
    text = f"dark-rim pattern in {n_dark} of {_N_SECTORS} sectors of the inner wall; no defect."
    return (series_finding(Code.IMAGE_PITFALL, Grade.NOTE, text, index),)


def dark_sectors(
    frames: Float[Tensor, "time row column"], masks: HeartMasks
) -> Bool[Tensor, " sector"]:
    """Tell the sectors of which a layer of the inner half falls below its native signal.

    A rim is one or two pixels wide: a mean over the inner half would hide it.
    """
    blood = frames[:, masks.left_ventricle].mean(dim=1)
    sector, depth = _sectors(masks), _depth_px(masks)
    deepest = float(depth[masks.myocardium].median())
    dark = torch.zeros(_N_SECTORS, dtype=torch.bool)
    for number in range(_N_SECTORS):
        for layer in range(1, int(deepest) + 1):
            place = masks.myocardium & (sector == number) & (depth == layer)
            if int(place.sum()) >= _MIN_PIXELS and _dips(frames[:, place].mean(dim=1), blood):
                dark[number] = True
    return dark


def _dips(curve: Float[Tensor, " time"], blood: Float[Tensor, " time"]) -> bool:
    peak = int(blood.argmax())
    half = blood[0] + 0.1 * (blood[peak] - blood[0])
    n_before = int((blood[:peak] <= half).sum())
    start, end = peak - _BEATS_AROUND_PEAK, peak + _BEATS_AROUND_PEAK + 1
    if n_before < _MIN_BEFORE or start < 1 or end + _MIN_BEFORE > len(curve):
        return False
    native, scatter = curve[:n_before].median(), curve[:n_before].std()
    around = curve[start:end] - native
    deepest = float(torch.maximum(around[:-1], around[1:]).min())
    after = float(curve[end:].median() - native)
    is_deep = -deepest > max(_DIP * float(native), _NOISE_FACTOR * float(scatter))
    return is_deep and after > deepest * (1 - _RECOVERED)


def _sectors(masks: HeartMasks) -> Int[Tensor, "row column"]:
    """Number all pixels by their angle around the blood."""
    wall = masks.myocardium
    centre = masks.left_ventricle.nonzero().double().mean(dim=0)
    rows, columns = (
        torch.arange(size, dtype=torch.float64, device=wall.device) for size in wall.shape
    )
    angle = torch.atan2((rows - centre[0])[:, None], (columns - centre[1])[None, :])
    number = (angle + math.pi) * (_N_SECTORS / (2 * math.pi))
    return number.long().clamp(max=_N_SECTORS - 1)


def _depth_px(masks: HeartMasks) -> Float[Tensor, "row column"]:
    """Return how many steps of growth reach a pixel from the blood, in the wall."""
    grown = masks.left_ventricle
    depth = torch.full(grown.shape, torch.inf, device=grown.device)
    step = 0
    while bool((masks.myocardium & depth.isinf()).any()) and step < max(grown.shape):
        step += 1
        images = grown.float()[None, None]
        # A cross and a square in turn: an octagon, which is nearly a circle.
        grown = (_grow_cross(images) if step % 2 else max_pool2d(images, 3, 1, 1))[0, 0] > 0
        depth = torch.where(grown & depth.isinf(), float(step), depth)
    return depth


def _grow_cross(images: Float[Tensor, "1 1 row column"]) -> Float[Tensor, "1 1 row column"]:
    return torch.maximum(
        max_pool2d(images, (3, 1), 1, (1, 0)), max_pool2d(images, (1, 3), 1, (0, 1))
    )
