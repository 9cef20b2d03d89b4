"""Which pixels of the arterial-input series are blood of the left ventricle.

Both ventricles enhance most; the right one first, the left one after the lungs. Pixels that
enhance strongly are split in two by the shape of their curves (2-means on curves scaled to their
maximum). Aorta, spleen and lung veins are late too: of what is late, the part that holds most
enhancement near the middle of the heart is the left ventricle. Every pixel around it is then a
mixture of the two pools; those that are left pool alone, and not its rim, are kept.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.smoothing import smooth
from pipeline.component import fullest_component, interior
from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code
from pipeline.segment.heart import locate_heart

_STRONG_FRACTION = 0.45
"""A pixel is blood when it enhances by this fraction of the strongest ones."""
_WEAK_FRACTION = 0.3
"""The same where only one pool is seen, for a left ventricle that is dim beside the right one."""
_PASSED_FRACTION = 0.6
"""Blood falls below this fraction of its peak; what is only perfused stays."""
_BORDER_FRACTION = 0.1
"""Rim of the image where neither ventricle lies: folding artefacts and arms."""
_NEAR_MM = 30.0
"""Fall-off of the weight around the middle of the heart: about half a heart."""
_FARTHEST = 0.135
"""Weight at twice that distance, beyond which there is no ventricle: liver, spleen, arms. Left in,
they would be taken for one of two groups of curves, and both ventricles for the other."""
_MIN_PIXELS = 4
_N_ROUNDS = 20
_HALF = 0.5
_MIN_GAP_S = 1.0
"""Shortest passage from the right to the left ventricle that counts as two arrivals."""
_MIXED_BELOW = 0.9
"""A pixel that holds less blood than this fraction of the median is mixed with the wall. What is
above the median stays: to keep the brightest only would choose noise and ringing, and make the peak
too high by a few per cent."""
_CLEAR = 8.0
"""Peak of the blood over the scatter between beats below which there is no bolus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BloodPool:
    """Pixels of the ventricles."""

    mask: Bool[Tensor, "row column"]
    """Of the left one, without its rim."""
    right: Bool[Tensor, "row column"] | None
    """Of the right one; None when no earlier pool was seen, which tells left from right."""

    @property
    def has_right_ventricle(self) -> bool:
        """Whether an earlier pool was seen."""
        return self.right is not None


def find_left_ventricle(
    frames: Float[Tensor, "time row column"],
    time_s: Float[Tensor, " time"],
    *,
    n_pre_contrast: int,
    spacing_mm: tuple[float, float],
    heart_px: tuple[float, float] | None = None,
) -> BloodPool:
    """Find the left-ventricular blood in registered saturation-recovery frames.

    Parameters
    ----------
    frames
        Saturation-recovery frames. Shape `(time, row, column)`.
    time_s
        When each was acquired.
    n_pre_contrast
        How many precede contrast.
    spacing_mm
        Row and column spacing, mm.
    heart_px
        Row and column of the middle of the heart; None lets the bolus tell.

    Raises
    ------
    CannotQuantifyError
        P05 when nothing enhances like a ventricle.

    """
    rise = frames - frames[:n_pre_contrast].mean(dim=0)
    near = _nearness(frames, spacing_mm, heart_px or _middle_of_bolus(frames, spacing_mm))
    height = smooth(rise, 0.7).amax(dim=0) * _inner(rise) * (near >= _FARTHEST)
    strong, later, gap_s = _split(rise, time_s, height, n_pre_contrast)
    weight = height * near
    left = fullest_component(_placed(strong, later), weight)
    if int(left.sum()) < _MIN_PIXELS:
        raise CannotQuantifyError(
            Code.NO_ARTERIAL_INPUT, "no left-ventricular blood pool was found"
        )
    is_early = _placed(strong, ~later)
    has_right = gap_s >= _MIN_GAP_S and int(is_early.sum()) >= _MIN_PIXELS
    right = fullest_component(is_early, weight) if has_right else None
    return BloodPool(mask=_pure(rise, left, right), right=right)


def _split(
    rise: Float[Tensor, "time row column"],
    time_s: Float[Tensor, " time"],
    height: Float[Tensor, "row column"],
    n_pre_contrast: int,
) -> tuple[Bool[Tensor, "row column"], Bool[Tensor, " voxel"], float]:
    """Return who enhances like blood, who of these late, and how much later, s."""
    strong = _strong(rise, height, n_pre_contrast, _STRONG_FRACTION)
    later, gap_s = _later_group(rise[:, strong].T, time_s)
    if gap_s >= _MIN_GAP_S:
        return strong, later, gap_s
    weak = _strong(rise, height, n_pre_contrast, _WEAK_FRACTION)
    weak_later, weak_gap_s = _later_group(rise[:, weak].T, time_s)
    curve = rise[:, weak].T[weak_later].mean(dim=0)
    has_passed = bool(curve[int(curve.argmax()) :].min() < _PASSED_FRACTION * curve.max())
    if weak_gap_s >= _MIN_GAP_S and has_passed:
        return weak, weak_later, weak_gap_s
    return strong, later, gap_s


def _strong(
    rise: Float[Tensor, "time row column"],
    height: Float[Tensor, "row column"],
    n_pre_contrast: int,
    fraction: float,
) -> Bool[Tensor, "row column"]:
    """Return the pixels that enhance by a fraction of the strongest ones."""
    top = height.flatten().topk(_MIN_PIXELS).values[-1]
    scatter = rise.diff(dim=0)[: max(n_pre_contrast - 1, 1)].abs().median()
    if not bool(top > _CLEAR * scatter) or not bool(top > 0):
        raise CannotQuantifyError(
            Code.NO_ARTERIAL_INPUT, "no clear peak in the arterial input series"
        )
    return height > fraction * top


def _inner(frames: Float[Tensor, "time row column"]) -> Float[Tensor, "row column"]:
    """Return one in the middle of the image and zero on its rim."""
    inner = torch.zeros_like(frames[0])
    rows, columns = (int(_BORDER_FRACTION * size) for size in inner.shape)
    inner[rows : inner.shape[0] - rows, columns : inner.shape[1] - columns] = 1.0
    return inner


def _middle_of_bolus(
    frames: Float[Tensor, "time row column"], spacing_mm: tuple[float, float]
) -> tuple[float, float]:
    heart = locate_heart(frames, spacing_mm=spacing_mm, n_proton_density=0)
    return heart.centre_row, heart.centre_column


def _nearness(
    frames: Float[Tensor, "time row column"],
    spacing_mm: tuple[float, float],
    middle_px: tuple[float, float],
) -> Float[Tensor, "row column"]:
    """Return 1 at the middle of the heart, falling off around it."""
    rows, columns = (
        torch.arange(size, dtype=frames.dtype, device=frames.device) for size in frames.shape[1:]
    )
    row_mm = (rows - middle_px[0]) * spacing_mm[0]
    column_mm = (columns - middle_px[1]) * spacing_mm[1]
    squared = row_mm[:, None].square() + column_mm.square()
    return torch.exp(-0.5 * squared / _NEAR_MM**2)


def _placed(
    strong: Bool[Tensor, "row column"], chosen: Bool[Tensor, " voxel"]
) -> Bool[Tensor, "row column"]:
    placed = torch.zeros_like(strong)
    placed[strong] = chosen
    return placed


def _pure(
    rise: Float[Tensor, "time row column"],
    left: Bool[Tensor, "row column"],
    right: Bool[Tensor, "row column"] | None,
) -> Bool[Tensor, "row column"]:
    """Return the pixels around a first guess that are hardly mixed with wall or right ventricle.

    Shares of the two pools are found by least squares over all beats, so choosing by them hardly
    favours pixels that are high by noise.
    """
    curves = [rise[:, left].mean(dim=1)]
    if right is not None:
        curves.append(rise[:, right].mean(dim=1))
    pools = torch.stack(curves, dim=1).double()
    found = torch.linalg.lstsq(pools, rise.flatten(1).double()).solution
    share = smooth(found[0].reshape(left.shape).to(rise.dtype), 0.5)
    mixed = found[1].reshape(left.shape).to(rise.dtype) if right is not None else 0.0 * share
    whole = share[left].median()
    is_left = (share > _HALF * whole) & (mixed < _HALF * share)
    body = fullest_component(is_left, (left & is_left).to(rise.dtype))
    core = interior(body)
    kept = core if int(core.sum()) >= _MIN_PIXELS else body
    chosen = kept & (share >= _MIXED_BELOW * share[kept].median())
    return chosen if int(chosen.sum()) >= _MIN_PIXELS else kept


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
