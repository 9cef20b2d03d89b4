"""Which pixels of the arterial-input series are blood of the left ventricle.

Both ventricles enhance most; the right one first, the left one after the lungs. Pixels that
enhance strongly are split in two by the shape of their curves (2-means on curves scaled to their
maximum), and the later group is the left ventricle.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.component import largest_component
from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code
from pipeline.smoothing import smooth

_STRONG_FRACTION = 0.45
"""A pixel is blood when it enhances by this fraction of the strongest ones."""
_BORDER_FRACTION = 0.1
"""Rim of the image where neither ventricle lies: folding artefacts and arms."""
_MIN_PIXELS = 4
_N_ROUNDS = 20
_HALF = 0.5
_MIN_GAP_S = 1.0
"""Shortest passage from the right to the left ventricle that counts as two arrivals."""
_UPPER_FRACTION = 0.5
"""Share of the left-ventricular pixels that is kept: those least mixed with the wall."""
_CLEAR = 8.0
"""Peak of the blood over the scatter between beats below which there is no bolus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BloodPool:
    """Pixels of the left ventricle, without its rim."""

    mask: Bool[Tensor, "row column"]
    has_right_ventricle: bool
    """Whether an earlier pool was seen, which tells left from right."""


def find_left_ventricle(
    frames: Float[Tensor, "time row column"], time_s: Float[Tensor, " time"], *, n_pre_contrast: int
) -> BloodPool:
    """Find the left-ventricular blood in registered saturation-recovery frames.

    Raises
    ------
    CannotQuantifyError
        P05 when nothing enhances like a ventricle.

    """
    rise = frames - frames[:n_pre_contrast].mean(dim=0)
    strong = _strong(rise, n_pre_contrast)
    curves = rise[:, strong].T
    later, gap_s = _later_group(curves, time_s)
    pool = torch.zeros_like(strong)
    pool[strong] = later
    pool = largest_component(pool)
    if int(pool.sum()) < _MIN_PIXELS:
        raise CannotQuantifyError(
            Code.NO_ARTERIAL_INPUT, "no left-ventricular blood pool was found"
        )
    return BloodPool(mask=_upper_part(rise, pool), has_right_ventricle=gap_s >= _MIN_GAP_S)


def _strong(
    rise: Float[Tensor, "time row column"], n_pre_contrast: int
) -> Bool[Tensor, "row column"]:
    """Return the pixels that enhance like blood."""
    calm = smooth(rise, 0.7)
    height = calm.amax(dim=0) * _inner(rise)
    top = height.flatten().topk(_MIN_PIXELS).values[-1]
    scatter = rise.diff(dim=0)[: max(n_pre_contrast - 1, 1)].abs().median()
    if not bool(top > _CLEAR * scatter) or not bool(top > 0):
        raise CannotQuantifyError(
            Code.NO_ARTERIAL_INPUT, "no clear peak in the arterial input series"
        )
    return height > _STRONG_FRACTION * top


def _inner(frames: Float[Tensor, "time row column"]) -> Float[Tensor, "row column"]:
    """Return one in the middle of the image and zero on its rim."""
    inner = torch.zeros_like(frames[0])
    rows, columns = (int(_BORDER_FRACTION * size) for size in inner.shape)
    inner[rows : inner.shape[0] - rows, columns : inner.shape[1] - columns] = 1.0
    return inner


def _later_group(
    curves: Float[Tensor, "voxel time"], time_s: Float[Tensor, " time"]
) -> tuple[Bool[Tensor, " voxel"], float]:
    """Split curves in two by shape; return who is in the later group and how much later, s."""
    scaled = curves / curves.amax(dim=1, keepdim=True)
    arrival_s = _half_rise_s(scaled, time_s)
    middle = 0.5 * (arrival_s.min() + arrival_s.max())
    later = arrival_s > middle
    for _ in range(_N_ROUNDS):
        if not bool(later.any()) or bool(later.all()):
            return torch.ones_like(later), 0.0
        first, second = scaled[~later].mean(dim=0), scaled[later].mean(dim=0)
        moved = (scaled - second).square().sum(1) < (scaled - first).square().sum(1)
        if bool((moved == later).all()):
            break
        later = moved
    if not bool(later.any()) or bool(later.all()):
        return torch.ones_like(later), 0.0
    centres = torch.stack([scaled[~later].mean(dim=0), scaled[later].mean(dim=0)])
    first_s, second_s = _half_rise_s(centres / centres.amax(dim=1, keepdim=True), time_s).tolist()
    gap_s = second_s - first_s
    if abs(gap_s) < _MIN_GAP_S:
        return torch.ones_like(later), 0.0
    return (later, gap_s) if gap_s > 0 else (~later, -gap_s)


def _half_rise_s(
    scaled: Float[Tensor, "voxel time"], time_s: Float[Tensor, " time"]
) -> Float[Tensor, " voxel"]:
    """Return when each curve first reaches half of its maximum, s."""
    first = (scaled >= _HALF).to(torch.int64).argmax(dim=1)
    before = (first - 1).clamp_min(0)
    voxel = torch.arange(scaled.shape[0], device=scaled.device)
    low, high = scaled[voxel, before], scaled[voxel, first]
    share = ((_HALF - low) / (high - low).clamp_min(1e-6)).clamp(0.0, 1.0)
    return time_s[before] + share * (time_s[first] - time_s[before])


def _upper_part(
    rise: Float[Tensor, "time row column"], pool: Bool[Tensor, "row column"]
) -> Bool[Tensor, "row column"]:
    """Return the half of the pool with the largest area under the curve.

    The area averages over beats, so choosing by it hardly favours pixels that are high by noise.
    """
    area = torch.where(pool, smooth(rise.sum(dim=0), 0.7), -torch.inf)
    n_kept = max(_MIN_PIXELS, int(_UPPER_FRACTION * int(pool.sum())))
    kept = torch.zeros_like(pool).flatten()
    kept[area.flatten().topk(n_kept).indices] = True
    return kept.reshape(pool.shape) & pool
