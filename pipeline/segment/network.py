"""Outline the heart in a corrected series with the segmentation network.

The network glances at the places where a bolus passes, one after the other, since the aorta, the
spleen and vessels of the lung may be brighter than the heart, and walks to where it sees a left
ventricle. There it looks at a square in all eight orientations; their mean is the answer. What is
no heart is seen differently in each, so their agreement tells which place is the right one, when to
stop looking, and what the answer is worth.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from models.networks.segmentation import SegmentationNetwork
from models.networks.summary import SIZE, SPACING_MM, summarise
from models.smoothing import read_smooth
from pipeline.segment.heart import HeartRegion, passage_places
from pipeline.segment.orientations import N_ORIENTATIONS, turned, turned_back

SUBPIXELS = 3
MOVED_MM = 2.0
"""Another glance is worth it when the left ventricle lies farther than this from the middle."""
N_STEPS = 2
USUAL_WALL_MM2 = 400.0
"""A wall that is not smaller than this is a whole one, also near the apex."""
MIN_HEARTNESS = 0.3
SURE = 0.95
"""An answer that agrees with itself this well needs no other place to be asked."""
LIKELY = 0.93
"""Nor with this the rest of the image, after all places where a bolus passes."""
PITCH_MM = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartShares:
    """What the network sees on the square."""

    square: "HeartSquare"
    tissues: Float[Tensor, "orientation tissue side side"]
    """Share of each class of `models.networks.segmentation.TISSUES`, as seen in each orientation
    and turned back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartSquare:
    """A square of `SIZE`² pixels around the heart, and how it lies in the image."""

    centre_row: float
    """px of the image."""
    centre_column: float
    image_spacing_mm: tuple[float, float]

    def cut(self, frames: Float[Tensor, "time row column"]) -> Float[Tensor, "time side side"]:
        """Resample the square out of the frames, smoothed where its pixels are the larger ones."""
        row_width, column_width = (_blur_px(SPACING_MM / size) for size in self.image_spacing_mm)
        line = torch.arange(SIZE, dtype=frames.dtype, device=frames.device) - (SIZE - 1) / 2
        row = self.centre_row + line * (SPACING_MM / self.image_spacing_mm[0])
        column = self.centre_column + line * (SPACING_MM / self.image_spacing_mm[1])
        return read_smooth(frames, (row_width, column_width), row=row, column=column)

    def spread(
        self, maps: Float[Tensor, "map side side"], size: tuple[int, int]
    ) -> Float[Tensor, "map row column"]:
        """Return the mean of maps over each pixel of the image; 0 outside the square."""
        row, column = (
            self._places(count, centre, spacing_mm).to(maps)
            for count, centre, spacing_mm in zip(
                size, (self.centre_row, self.centre_column), self.image_spacing_mm, strict=True
            )
        )
        return functional.avg_pool2d(_read(maps, row, column), SUBPIXELS)

    def in_image(self, row: float, column: float) -> tuple[float, float]:
        """Return the image position of a position in the square, px."""
        middle = (SIZE - 1) / 2
        return (
            self.centre_row + (row - middle) * SPACING_MM / self.image_spacing_mm[0],
            self.centre_column + (column - middle) * SPACING_MM / self.image_spacing_mm[1],
        )

    @staticmethod
    def _places(count: int, centre: float, spacing_mm: float) -> Float[Tensor, " place"]:
        """Return where the parts of all pixels of one axis lie in the square.

        The shares are means over pixels of the square already; only what the pixels of the image
        are wider than those remains to be averaged.
        """
        wider = math.sqrt(max(1.0 - (SPACING_MM / spacing_mm) ** 2, 0.0))
        part = (torch.arange(SUBPIXELS, dtype=torch.float32) + 0.5) / SUBPIXELS - 0.5
        place = torch.arange(count, dtype=torch.float32)[:, None] + wider * part
        return (place.flatten() - centre) * (spacing_mm / SPACING_MM) + (SIZE - 1) / 2


def look_at_heart(
    frames: Float[Tensor, "time row column"],
    n_proton_density: int,
    network: SegmentationNetwork,
    *,
    region: HeartRegion,
    spacing_mm: tuple[float, float],
    is_thorough: bool = True,
    reach_mm: float | None = None,
) -> HeartShares:
    """Return what the network sees, around the left ventricle that it has found.

    Parameters
    ----------
    frames
        Corrected magnitude images, proton-density frames first, finite.
    n_proton_density
        How many frames at the start carry no passage of contrast.
    network
        Trained network.
    region
        Where the heart is according to the bolus.
    spacing_mm
        Row and column spacing, mm.
    is_thorough
        Whether to ask places all over the image where none with a passing bolus convinces.
    reach_mm
        A left ventricle farther than this from the region is another organ; None knows no better.

    """
    view = _View(frames=frames, n_proton_density=n_proton_density, network=network)
    first = (region.centre_row, region.centre_column)
    best = None
    for place, enough in _places(view, region, spacing_mm, is_thorough=is_thorough):
        if best is not None and agreement(best) > enough:
            break
        if not _is_near(place, first, spacing_mm, reach_mm):
            continue
        glance = _settled(place, view, spacing_mm)
        settled = (glance.square.centre_row, glance.square.centre_column)
        is_near = _is_near(settled, first, spacing_mm, reach_mm)
        if is_near and _heartness(glance.tissues) > MIN_HEARTNESS:
            seen = _look(glance, view)
            best = seen if best is None or agreement(seen) > agreement(best) else best
        if best is not None and agreement(best) > SURE:
            break  # before the other places are even looked for
    return _look(_glance(_square(first, spacing_mm), view), view) if best is None else best


def agreement(seen: HeartShares) -> float:
    """Return the mean Dice of the wall as seen in each orientation with that of the answer."""
    wall = _wall(seen.tissues.mean(dim=0, keepdim=True))[0]
    walls = _wall(seen.tissues)
    both = (walls & wall).sum(dim=(1, 2))
    total = walls.sum(dim=(1, 2)) + wall.sum()
    return float((2 * both / total.clamp_min(1)).mean())


def middle_of(seen: HeartShares) -> tuple[float, float]:
    """Return the middle of the left ventricle with its wall, px of the image."""
    return seen.square.in_image(*_middle(seen.tissues.mean(dim=0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Glance:
    """What is seen of a square in one orientation."""

    square: HeartSquare
    summary: Float[Tensor, "channel side side"]
    tissues: Float[Tensor, "tissue side side"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """Who looks at what."""

    frames: Float[Tensor, "time row column"]
    n_proton_density: int
    network: SegmentationNetwork


def _places(
    view: _View, region: HeartRegion, spacing_mm: tuple[float, float], *, is_thorough: bool
) -> Iterator[tuple[tuple[float, float], float]]:
    """Yield places to ask, px, and the agreement that makes asking needless."""
    yield (region.centre_row, region.centre_column), SURE
    frames = view.frames[view.n_proton_density :]
    for place in passage_places(frames, region, spacing_mm=spacing_mm)[1:]:
        yield place, SURE
    if is_thorough:
        for place in _everywhere(view.frames, spacing_mm):
            yield place, LIKELY


def _everywhere(
    frames: Float[Tensor, "time row column"], spacing_mm: tuple[float, float]
) -> tuple[tuple[float, float], ...]:
    """Return places all over the image, px."""
    rows, columns = (
        [(step + 0.5) * count / n_steps for step in range(n_steps)]
        for count, n_steps in (
            (count, max(1, round(count * width_mm / PITCH_MM)))
            for count, width_mm in zip(frames.shape[1:], spacing_mm, strict=True)
        )
    )
    return tuple((row, column) for row in rows for column in columns)


def _is_near(
    place: tuple[float, float],
    other: tuple[float, float],
    spacing_mm: tuple[float, float],
    reach_mm: float | None,
) -> bool:
    away = [(a - b) * size for a, b, size in zip(place, other, spacing_mm, strict=True)]
    return reach_mm is None or math.hypot(*away) <= reach_mm


def _square(place: tuple[float, float], spacing_mm: tuple[float, float]) -> HeartSquare:
    return HeartSquare(centre_row=place[0], centre_column=place[1], image_spacing_mm=spacing_mm)


def _settled(place: tuple[float, float], view: _View, spacing_mm: tuple[float, float]) -> _Glance:
    """Return what is seen of the square around the left ventricle that is seen from a place."""
    glance = _glance(_square(place, spacing_mm), view)
    for _ in range(N_STEPS):
        row, column = _middle(glance.tissues)
        if math.hypot(row - (SIZE - 1) / 2, column - (SIZE - 1) / 2) * SPACING_MM < MOVED_MM:
            break
        glance = _glance(_square(glance.square.in_image(row, column), spacing_mm), view)
    return glance


def _glance(square: HeartSquare, view: _View) -> _Glance:
    summary = summarise(square.cut(view.frames), view.n_proton_density)
    with torch.no_grad():
        tissues, _ = view.network(summary[None].contiguous(memory_format=torch.channels_last))
    shares = tissues.softmax(dim=1)[0].contiguous()
    return _Glance(square=square, summary=summary, tissues=shares)


def _heartness(tissues: Float[Tensor, "tissue side side"]) -> float:
    """Return how surely and how much of a left ventricle is seen, 0-1."""
    share = tissues[1] + tissues[2]
    inside = share > 0.5
    surely = 2 * float(share[inside].sum()) / max(float(share.sum() + inside.sum()), 1e-6)
    wall_mm2 = float(tissues[2].sum()) * SPACING_MM**2
    return surely * min(1.0, wall_mm2 / USUAL_WALL_MM2)


def _look(glance: _Glance, view: _View) -> HeartShares:
    """Look again, in all orientations."""
    views = torch.stack([turned(glance.summary, index) for index in range(N_ORIENTATIONS)])
    with torch.no_grad():
        tissues, _ = view.network(views.contiguous(memory_format=torch.channels_last))
    shares = tissues.softmax(dim=1)
    back = torch.stack([turned_back(maps, index) for index, maps in enumerate(shares)])
    return HeartShares(square=glance.square, tissues=back.contiguous())


def _middle(tissues: Float[Tensor, "tissue side side"]) -> tuple[float, float]:
    """Return the middle of the left ventricle with its wall, px of the square."""
    share = tissues[1] + tissues[2]
    weight = torch.where(share > 0.5, share, 0.0)
    total = float(weight.sum())
    if total == 0:
        return (SIZE - 1) / 2, (SIZE - 1) / 2
    line = torch.arange(SIZE, dtype=weight.dtype, device=weight.device)
    return float(weight.sum(dim=1) @ line) / total, float(weight.sum(dim=0) @ line) / total


def _blur_px(ratio: float) -> float:
    """Return the blur before resampling by `ratio`, image pixels; none when pixels get smaller."""
    return 0.5 * math.sqrt(ratio**2 - 1) if ratio > 1 else 0.0


def _read(
    images: Float[Tensor, "image row column"],
    row: Float[Tensor, " new_row"],
    column: Float[Tensor, " new_column"],
) -> Float[Tensor, "image new_row new_column"]:
    """Read images at the crossings of rows and columns, px, bilinear; 0 beyond the border."""
    scale = [2.0 / max(size - 1, 1) for size in images.shape[-2:]]
    grid = torch.stack(
        torch.meshgrid(row * scale[0] - 1.0, column * scale[1] - 1.0, indexing="ij")[::-1], dim=-1
    )
    return functional.grid_sample(
        images[None], grid[None], mode="bilinear", padding_mode="zeros", align_corners=True
    )[0]


def _wall(
    tissues: Float[Tensor, "answer tissue row column"],
) -> Bool[Tensor, "answer row column"]:
    return (tissues[:, 1] + tissues[:, 2] > 0.5) & (tissues[:, 1] <= 0.5)
