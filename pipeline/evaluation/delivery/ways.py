"""Ways in which a scanner, an archive or a site may hand on the same series."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from models.smoothing import smooth
from pipeline.evaluation.cases import Case
from pipeline.evaluation.contours import Contours

_BRIGHTEST = 0.995
_LOWERED, _CLIPPED = 0.08, 0.8
_DARKER, _LIGHTER = 1.5, 0.6
_FILTER_PX = 1.0
_SHADING = 1.2
"""Logarithm of the sensitivity at one border; its negative at the other."""
_NOISE = 0.03
"""Standard deviation of added noise, of the brightest; it reaches over two pixels."""
_SIDE_MM = 110.0
_ASTRAY_MM = 8.0
_SHORT = 30


class Way(StrEnum):
    """A row of the table."""

    AS_IS = "as acquired"
    EIGHT_BITS = "rounded to 8 bits"
    CLIPPED = "windowed: dark and bright cut off"
    DARKER = "tone curve, darker"
    LIGHTER = "tone curve, lighter"
    EACH_ITS_SCALE = "every frame in its own scale"
    SHARPENED = "sharpened"
    SMOOTHED = "smoothed"
    NOISIER = "coarse noise added"
    SHADED = "shaded by the coil"
    FINER = "interpolated to twice the matrix"
    CROPPED = "cropped to 110 mm"
    NO_DENSITY = "without proton-density frames"
    NO_BASELINE = "begins with the bolus"
    SHORT = "30 frames"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A series as it arrives, and how it lies in the one that was acquired."""

    frames: Float[Tensor, "time row column"]
    spacing_mm: tuple[float, float]
    n_proton_density: int
    kept: Int[Tensor, " time"]
    """Which of the acquired frames these are."""
    corner_px: tuple[int, int] = (0, 0)
    """First row and column of the crop, in pixels as acquired."""
    zoom: int = 1
    """Pixels along each side of one as acquired."""

    def place(self, points: Float[Tensor, "*batch axis"]) -> Float[Tensor, "*batch axis"]:
        """Return where points of the acquired images, px, lie in the delivered ones, px."""
        return (points - points.new_tensor(self.corner_px) + 0.5) * self.zoom - 0.5

    def contours(self, acquired: Contours) -> Contours:
        """Return the true contours in the delivered frames."""
        return Contours(
            inner_px=self.place(acquired.inner_px[self.kept]),
            outer_px=self.place(acquired.outer_px[self.kept]),
            spacing_mm=self.spacing_mm,
        )


def deliver(case: Case, way: Way) -> Delivered:
    """Return a series of an exam as it is handed on in one way.

    Parameters
    ----------
    case
        The series.
    way
        How; what is random in it depends on the exam alone.

    """
    series = Delivered(
        frames=case.frames,
        spacing_mm=case.series.spacing_mm,
        n_proton_density=case.series.n_proton_density,
        kept=torch.arange(len(case.frames)),
    )
    return _WAYS[way](series, case)


def _as_is(series: Delivered, case: Case) -> Delivered:
    del case
    return series


def _rounded(series: Delivered, case: Case) -> Delivered:
    del case
    levels = 255 * series.frames / _brightest(series)
    return replace(series, frames=levels.round().clamp(0, 255))


def _clipped(series: Delivered, case: Case) -> Delivered:
    del case
    share = series.frames / _brightest(series)
    return replace(series, frames=share.clamp(_LOWERED, _CLIPPED) - _LOWERED)


def _darker(series: Delivered, case: Case) -> Delivered:
    del case
    return replace(series, frames=(series.frames / _brightest(series)) ** _DARKER)


def _lighter(series: Delivered, case: Case) -> Delivered:
    del case
    return replace(series, frames=(series.frames / _brightest(series)) ** _LIGHTER)


def _each_its_scale(series: Delivered, case: Case) -> Delivered:
    del case
    scale = series.frames.flatten(1).quantile(_BRIGHTEST, dim=1).clamp_min(1e-12)
    return replace(series, frames=series.frames / scale[:, None, None])


def _sharpened(series: Delivered, case: Case) -> Delivered:
    del case
    blurred = smooth(series.frames, (_FILTER_PX, _FILTER_PX))
    return replace(series, frames=(2 * series.frames - blurred).clamp_min(0))


def _smoothed(series: Delivered, case: Case) -> Delivered:
    del case
    return replace(series, frames=smooth(series.frames, (_FILTER_PX, _FILTER_PX)))


def _noisier(series: Delivered, case: Case) -> Delivered:
    generator = torch.Generator().manual_seed(case.subject.seed)
    noise = smooth(torch.randn(series.frames.shape, generator=generator), (_FILTER_PX, _FILTER_PX))
    noise = _NOISE * _brightest(series) / noise.std() * noise
    return replace(series, frames=(series.frames + noise).clamp_min(0))


def _shaded(series: Delivered, case: Case) -> Delivered:
    generator = torch.Generator().manual_seed(case.subject.seed)
    across = functional.normalize(torch.randn(2, generator=generator), dim=0)
    rows, columns = (torch.linspace(-1, 1, side) for side in series.frames.shape[1:])
    slope = across[0] * rows[:, None] + across[1] * columns
    return replace(series, frames=series.frames * torch.exp(_SHADING * slope))


def _finer(series: Delivered, case: Case) -> Delivered:
    del case
    frames = functional.interpolate(
        series.frames[:, None], scale_factor=2, mode="bicubic", align_corners=False
    )[:, 0]
    row_mm, column_mm = series.spacing_mm
    return replace(
        series, frames=frames.clamp_min(0), spacing_mm=(row_mm / 2, column_mm / 2), zoom=2
    )


def _cropped(series: Delivered, case: Case) -> Delivered:
    """Cut a square out that holds the heart, not quite in its middle."""
    generator = torch.Generator().manual_seed(case.subject.seed)
    spacing = torch.tensor(series.spacing_mm)
    astray_mm = _ASTRAY_MM * (2 * torch.rand(2, generator=generator) - 1)
    middle = case.series.truth.epicardium_px.mean(dim=0) + astray_mm / spacing
    half = 0.5 * _SIDE_MM / spacing
    size = torch.tensor(series.frames.shape[1:])
    first = torch.clamp((middle - half).round().long(), min=0)
    last = torch.minimum((middle + half).round().long(), size)
    (top, left), (bottom, right) = first.tolist(), last.tolist()
    return replace(series, frames=series.frames[:, top:bottom, left:right], corner_px=(top, left))


def _without_density(series: Delivered, case: Case) -> Delivered:
    del case
    return _beats(series, torch.arange(series.n_proton_density, len(series.frames)))


def _without_baseline(series: Delivered, case: Case) -> Delivered:
    """Begin with the last beat before the bolus."""
    before = int((case.phases[0] | case.phases[1]).nonzero().amax())
    return _beats(series, torch.arange(before, len(series.frames)))


def _short(series: Delivered, case: Case) -> Delivered:
    """Keep the beats around the bolus."""
    start = max(int((case.phases[0] | case.phases[1]).sum()) - 3, series.n_proton_density)
    last = min(start + _SHORT, len(series.frames))
    proton = torch.arange(series.n_proton_density)
    return _beats(series, torch.cat([proton, torch.arange(start, last)]))


def _beats(series: Delivered, kept: Int[Tensor, " time"]) -> Delivered:
    n_proton_density = int((kept < series.n_proton_density).sum())
    return replace(series, frames=series.frames[kept], kept=kept, n_proton_density=n_proton_density)


def _brightest(series: Delivered) -> float:
    """Return the level that only few pixels of the perfusion frames exceed."""
    frames = series.frames[series.n_proton_density :, ::2, ::2]
    return max(float(frames.flatten().quantile(_BRIGHTEST)), 1e-12)


_WAYS: dict[Way, Callable[[Delivered, Case], Delivered]] = {
    Way.AS_IS: _as_is,
    Way.EIGHT_BITS: _rounded,
    Way.CLIPPED: _clipped,
    Way.DARKER: _darker,
    Way.LIGHTER: _lighter,
    Way.EACH_ITS_SCALE: _each_its_scale,
    Way.SHARPENED: _sharpened,
    Way.SMOOTHED: _smoothed,
    Way.NOISIER: _noisier,
    Way.SHADED: _shaded,
    Way.FINER: _finer,
    Way.CROPPED: _cropped,
    Way.NO_DENSITY: _without_density,
    Way.NO_BASELINE: _without_baseline,
    Way.SHORT: _short,
}
