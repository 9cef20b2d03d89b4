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

from models.networks.segmentation import SegmentationNetwork
from models.networks.summary import SIZE, SPACING_MM, summarise
from pipeline.segment.heart import HeartRegion, passage_places
from pipeline.segment.neighbours import without_other_organs
from pipeline.segment.orientations import N_ORIENTATIONS, turned, turned_back
from pipeline.segment.square import HeartSquare

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

    square: HeartSquare
    tissues: Float[Tensor, "orientation tissue side side"]
    """Share of each class of `models.networks.segmentation.TISSUES`, as seen in each orientation
    and turned back."""


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
        Where the region is known to hold the heart: what lies farther from its middle is another
        organ, and no other place is asked. None knows no better.

    """
    first = (region.centre_row, region.centre_column)
    known = None if reach_mm is None else _Known(place_px=first, reach_mm=reach_mm)
    view = _View(frames=frames, n_proton_density=n_proton_density, network=network, known=known)
    best = None
    for place, enough in _places(view, region, spacing_mm, is_thorough=is_thorough):
        if best is not None and agreement(best) > enough:
            break
        glance = _settled(place, view, spacing_mm)
        if _heartness(glance.tissues) > MIN_HEARTNESS:
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


def cavity_mm2(seen: HeartShares) -> float:
    """Return the area of the left ventricle that is seen inside its wall, mm²."""
    return float((seen.tissues.mean(dim=0)[1] > 0.5).sum()) * SPACING_MM**2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Glance:
    """What is seen of a square in one orientation."""

    square: HeartSquare
    summary: Float[Tensor, "channel side side"]
    tissues: Float[Tensor, "tissue side side"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """Where the heart is."""

    place_px: tuple[float, float]
    """Row and column in the image."""
    reach_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """Who looks at what."""

    frames: Float[Tensor, "time row column"]
    n_proton_density: int
    network: SegmentationNetwork
    known: _Known | None

    def own(
        self, tissues: Float[Tensor, "orientation tissue side side"], square: HeartSquare
    ) -> Float[Tensor, "orientation tissue side side"]:
        """Return what is seen without other organs, where it is known which is the heart."""
        if self.known is None:
            return tissues
        place, reach_px = square.of_image(self.known.place_px), self.known.reach_mm / SPACING_MM
        return without_other_organs(tissues, place, reach_px)


def _places(
    view: _View, region: HeartRegion, spacing_mm: tuple[float, float], *, is_thorough: bool
) -> Iterator[tuple[tuple[float, float], float]]:
    """Yield places to ask, px, and the agreement that makes asking needless."""
    yield (region.centre_row, region.centre_column), SURE
    if view.known is not None:
        return
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
    shares = view.own(tissues.softmax(dim=1), square)[0].contiguous()
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
    return HeartShares(square=glance.square, tissues=view.own(back, glance.square).contiguous())


def _middle(tissues: Float[Tensor, "tissue side side"]) -> tuple[float, float]:
    """Return the middle of the left ventricle with its wall, px of the square."""
    share = tissues[1] + tissues[2]
    weight = torch.where(share > 0.5, share, 0.0)
    total = float(weight.sum())
    if total == 0:
        return (SIZE - 1) / 2, (SIZE - 1) / 2
    line = torch.arange(SIZE, dtype=weight.dtype, device=weight.device)
    return float(weight.sum(dim=1) @ line) / total, float(weight.sum(dim=0) @ line) / total


def _wall(
    tissues: Float[Tensor, "answer tissue row column"],
) -> Bool[Tensor, "answer row column"]:
    return (tissues[:, 1] + tissues[:, 2] > 0.5) & (tissues[:, 1] <= 0.5)
