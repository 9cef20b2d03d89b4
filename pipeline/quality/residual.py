"""How far the heart still lies off in each beat after motion correction, without any truth.

Each frame is explained by the other frames (their mean and first components) and by its own
gradient: what the gradient explains is a shift (Lucas & Kanade 1981). The frame itself, its
neighbours in time and frames that were found off do not enter the model, or it would learn the
motion. Large shifts are underestimated, as the gradient holds for about two widths of the blur.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import max_pool2d

from models.smoothing import smooth
from pipeline.findings import Code, Finding, Grade, series_finding
from pipeline.types import HeartMasks

_BLUR_MM = 2.0
_MARGIN_MM = 7.0
"""Around the left ventricle: its outer border carries most of the gradient."""
_N_COMPONENTS = 3
"""Baseline, right and left ventricle, muscle: four curves, one of which is the mean."""
_OFF_MM = 2.0
"""A quarter of a wall of 8 mm: from here on endocardium and blood exchange places."""
_FEW = 2
"""Beats that may be off before the curves suffer; one is an extra beat."""
_MIN_FRAMES = 12
_FLAT = 1e-8
"""Power of the edges over that of the image below which there are none."""


def check_residual(
    frames: Float[Tensor, "time row column"],
    *,
    masks: HeartMasks,
    spacing_mm: tuple[float, float],
    index: int,
) -> tuple[Finding, ...]:
    """Return a finding when the heart still moves in the corrected frames.

    Parameters
    ----------
    frames
        Corrected saturation-recovery frames of a slice.
    masks
        Its heart.
    spacing_mm
        Row and column spacing, mm.
    index
        Which slice it is.

    """
    heart = masks.myocardium | masks.left_ventricle
    if len(frames) < _MIN_FRAMES or not bool(heart.any()):
        return ()
    shift_mm = residual_shift_mm(frames, heart, spacing_mm=spacing_mm).norm(dim=1)
    n_off = int((shift_mm > _OFF_MM).sum())
    if n_off < _FEW:
        return ()
    text = f"the heart still lies more than {_OFF_MM:.0f} mm off in {n_off} of {len(frames)} beats."
    return (series_finding(Code.RESIDUAL_MOTION, Grade.REVIEW, text, index),)


def residual_shift_mm(
    frames: Float[Tensor, "time row column"],
    heart: Bool[Tensor, "row column"],
    *,
    spacing_mm: tuple[float, float],
) -> Float[Tensor, "time axis"]:
    """Return the shift of every frame against the others, mm, with zero median."""
    products = _products(frames, heart, spacing_mm)
    good = torch.ones(len(frames), dtype=torch.bool, device=frames.device)
    shift_mm = _shifts_px(products, good) * products.spacing
    off = shift_mm.norm(dim=1) > _OFF_MM
    if bool(off.any()) and int((~off).sum()) >= _MIN_FRAMES:
        shift_mm = _shifts_px(products, ~off) * products.spacing
    return shift_mm


@dataclass(frozen=True, slots=True, kw_only=True)
class _Products:
    """Inner products over the pixels of the heart: all that the fits need."""

    frames: Float[Tensor, "time time"]
    with_gradient: Float[Tensor, "axis time time"]
    """Frame by the gradient of another frame."""
    of_gradient: Float[Tensor, "axis axis time"]
    spacing: Float[Tensor, " axis"]


def _products(
    frames: Float[Tensor, "time row column"],
    heart: Bool[Tensor, "row column"],
    spacing_mm: tuple[float, float],
) -> _Products:
    margin = max(1, round(_MARGIN_MM / min(spacing_mm)))
    near = max_pool2d(heart.float()[None, None], 2 * margin + 1, stride=1, padding=margin)[0, 0] > 0
    width_px = (_BLUR_MM / spacing_mm[0], _BLUR_MM / spacing_mm[1])
    calm = smooth(frames.nan_to_num(), width_px).double()
    slopes = torch.stack(torch.gradient(calm, dim=(1, 2)))[:, :, near]
    pixels = calm[:, near]
    return _Products(
        frames=pixels @ pixels.T,
        with_gradient=torch.einsum("sp,atp->ast", pixels, slopes),
        of_gradient=torch.einsum("atp,btp->abt", slopes, slopes),
        spacing=pixels.new_tensor(spacing_mm),
    )


def _shifts_px(products: _Products, good: Bool[Tensor, " time"]) -> Float[Tensor, "time axis"]:
    """Solve frame = sum of basis + gradient shift by least squares, for every frame."""
    basis = _bases(products.frames, good)
    n_basis = basis.shape[1]
    n_frames = len(good)
    normal = basis.new_zeros(n_frames, n_basis + 2, n_basis + 2)
    right = basis.new_zeros(n_frames, n_basis + 2)
    normal[:, :n_basis, :n_basis] = basis @ products.frames @ basis.mT
    mixed = torch.einsum("tks,ast->tka", basis, products.with_gradient)
    normal[:, :n_basis, n_basis:] = mixed
    normal[:, n_basis:, :n_basis] = mixed.mT
    normal[:, n_basis:, n_basis:] = products.of_gradient.permute(2, 0, 1)
    right[:, :n_basis] = torch.einsum("tks,st->tk", basis, products.frames)
    right[:, n_basis:] = torch.diagonal(products.with_gradient, dim1=1, dim2=2).T
    scale = torch.diagonal(normal, dim1=1, dim2=2).clamp_min(1e-30).rsqrt()
    tidy = normal * scale[:, :, None] * scale[:, None, :]
    ridge = 1e-9 * torch.eye(n_basis + 2, dtype=tidy.dtype, device=tidy.device)
    shift = (torch.linalg.solve(tidy + ridge, right * scale) * scale)[:, n_basis:]
    calm: Tensor = _told(products) * (shift - shift.median(dim=0).values)
    return calm


def _told(products: _Products) -> Float[Tensor, "time one"]:
    """Return 1 where a frame has edges that can tell a shift, else 0."""
    edges = torch.diagonal(products.of_gradient).sum(dim=1)
    return (edges > _FLAT * torch.diagonal(products.frames)).double()[:, None]


def _bases(
    products: Float[Tensor, "time time"], good: Bool[Tensor, " time"]
) -> Float[Tensor, "time part time"]:
    """Return, for every frame, the mean and the first components of the others as weights."""
    time = torch.arange(len(good), device=good.device)
    others = good & ((time[:, None] - time[None, :]).abs() > 1)
    weight = others.double() / others.sum(dim=1, keepdim=True)
    towards_mean = weight @ products
    of_mean = (towards_mean * weight).sum(dim=1)
    centred = products - towards_mean[:, :, None] - towards_mean[:, None, :]
    centred = (centred + of_mean[:, None, None]) * (others[:, :, None] & others[:, None, :])
    vectors = torch.linalg.eigh(centred).eigenvectors[:, :, -_N_COMPONENTS:].mT
    vectors = vectors * others[:, None, :]
    components = vectors - vectors.sum(dim=2, keepdim=True) * weight[:, None, :]
    return torch.cat([weight[:, None, :], components], dim=1)
