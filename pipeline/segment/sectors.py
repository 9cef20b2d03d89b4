"""The wall divided: AHA segments, inner and outer half.

Basal and mid slices have six segments of 60 degrees, apical ones four of 90 degrees (Cerqueira
2002, doi 10.1161/hc0402.102975). The attachments of the right ventricle identify the septum; the
middle between them is the border of anteroseptal and inferoseptal segment, and the middle of the
apical septal one. From there all borders follow at equal angles around the centre of the cavity,
so that segment 1 meets segment 2 sixty degrees from the middle of the septum: at the anterior
attachment where the septum spans the nominal 120 degrees, and not thrown off where a right
ventricle was outlined too small or too large.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code, Finding, Grade
from pipeline.regions import SliceLevel, SliceSectors
from pipeline.segment.insertions import Septum, anterior_turn, dot, image_angle_rad, septum_of
from pipeline.segment.levels import long_axis, slice_levels
from pipeline.segment.wall import PlaceInWall, Wall, trace_wall
from pipeline.types import Geometry, HeartMasks, ImageSeries

_AROUND = {
    SliceLevel.BASAL: (2, 1, 6, 5, 4, 3),
    SliceLevel.MID: (8, 7, 12, 11, 10, 9),
    SliceLevel.APICAL: (14, 13, 16, 15),
}
"""Segments in the order met from the septum over the anterior to the lateral wall."""
_HALF_DEPTH = 0.5
_MOST_TWIST_RAD = math.radians(45.0)
"""Two slices of one heart do not differ by more in the direction of the septum."""
_USUAL_SEPTUM_RAD = (math.radians(45.0), math.radians(190.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slice:
    """What is known of a slice before it is divided."""

    index: int
    masks: HeartMasks
    wall: Wall
    geometry: Geometry
    level: SliceLevel
    place_mm: float
    septum: Septum | None


def divide(masks: HeartMasks, geometry: Geometry, level: SliceLevel) -> SliceSectors:
    """Divide the wall of one slice by its own right ventricle.

    Parameters
    ----------
    masks
        Wall, cavity and right ventricle of the slice.
    geometry
        Where its pixels lie in the patient.
    level
        Where it cuts the ventricle.

    Raises
    ------
    CannotQuantifyError
        P10 without a wall, or where no septum can be told.

    """
    wall = trace_wall(masks, geometry.spacing_mm)
    if wall is None:
        raise CannotQuantifyError(Code.SEGMENTATION_UNCERTAIN, "no wall to divide")
    septum = septum_of(masks, wall, geometry)
    if septum is None:
        raise CannotQuantifyError(Code.SEGMENTATION_UNCERTAIN, "no right ventricle is seen")
    return _sectors(masks, wall, geometry, level, septum)


def divide_exam(
    slices: Sequence[ImageSeries], masks: Sequence[HeartMasks | None]
) -> tuple[tuple[SliceSectors | None, ...], tuple[Finding, ...]]:
    """Divide all slices of an exam; a slice without a septum takes that of its neighbour.

    Parameters
    ----------
    slices
        The slices in any order.
    masks
        What was outlined in each.

    Returns
    -------
    tuple
        Sectors per slice, None without masks or for a slice that is no short-axis slice; where the
        septum is seen in no slice there are halves and a level, but no segments. And findings.

    """
    known = _known_slices(slices, masks)
    findings = _level_findings(slices, masks)
    sectors: list[SliceSectors | None] = [None] * len(slices)
    for item in known:
        septum, found = _septum_for(item, known)
        findings += found
        sectors[item.index] = _sectors(item.masks, item.wall, item.geometry, item.level, septum)
    findings += _exam_findings(known)
    return tuple(sectors), tuple(findings)


def _known_slices(
    slices: Sequence[ImageSeries], masks: Sequence[HeartMasks | None]
) -> list[_Slice]:
    levels, known = slice_levels(slices, masks), []
    places = long_axis(slices, masks).place_mm if slices else ()
    for index, (series, mask) in enumerate(zip(slices, masks, strict=True)):
        level, place_mm = levels[index], places[index]
        if mask is None or level is None or place_mm is None:
            continue
        wall = trace_wall(mask, series.geometry.spacing_mm)
        if wall is not None:
            known.append(
                _Slice(
                    index=index,
                    masks=mask,
                    wall=wall,
                    geometry=series.geometry,
                    level=level,
                    place_mm=place_mm,
                    septum=septum_of(mask, wall, series.geometry),
                )
            )
    return known


def _septum_for(item: _Slice, known: Sequence[_Slice]) -> tuple[Septum | None, list[Finding]]:
    """Return the septum of a slice, or the nearest other one where that is surer."""
    own = item.septum
    others = sorted(
        (other for other in known if other is not item and other.septum is not None),
        key=lambda other: (not _is_usual(other.septum), abs(other.place_mm - item.place_mm)),
    )
    if own is None and not others:
        return None, []
    text = _doubt(own, [other.septum for other in others])
    if others and text is not None:
        grade = Grade.NOTE if item.level is SliceLevel.APICAL else Grade.REVIEW
        return others[0].septum, [
            _finding(grade, f"{text}, segments follow the slice beside it.", item.index)
        ]
    if own is not None and not _is_usual(own):
        degrees = math.degrees(own.width_rad)
        text = f"the septum spans {degrees:.0f} degrees, the borders of segments are uncertain."
        return own, [_finding(Grade.REVIEW, text, item.index)]
    return own, []


def _doubt(own: Septum | None, others: Sequence[Septum | None]) -> str | None:
    """Say why the septa of the other slices are surer than that of a slice, if they are."""
    if own is None:
        return "no right ventricle is seen"
    if not _is_usual(own) and any(_is_usual(other) for other in others):
        return "little is seen of the right ventricle"
    if len(others) > 1 and all(_is_twisted(own, other) for other in others):
        return "the right ventricle lies elsewhere than in the other slices"
    return None


def _is_usual(septum: Septum | None) -> bool:
    narrowest, widest = _USUAL_SEPTUM_RAD
    return septum is not None and narrowest <= septum.width_rad <= widest


def _is_twisted(septum: Septum, other: Septum | None) -> bool:
    if other is None:
        return False
    return dot(septum.middle, other.middle) < math.cos(_MOST_TWIST_RAD)


def _level_findings(
    slices: Sequence[ImageSeries], masks: Sequence[HeartMasks | None]
) -> list[Finding]:
    text = "not parallel to the other slices, left out of the segments."
    return [
        _finding(Grade.REVIEW, text, index)
        for index, level in enumerate(slice_levels(slices, masks))
        if level is None
    ]


def _exam_findings(known: Sequence[_Slice]) -> list[Finding]:
    """Say what holds for the whole exam: no septum at all, or one on the wrong side."""
    septa = [(item.septum, item.geometry) for item in known if item.septum is not None]
    if known and not septa:
        text = "No right ventricle is seen in any slice: no segments, no territories."
        return [_finding(Grade.REVIEW, text)]
    n_odd = sum(not anterior_turn(septum, geometry)[1] for septum, geometry in septa)
    if 2 * n_odd > len(septa):
        text = (
            "The right ventricle lies on the unusual side of the left one: mirrored images or "
            "unusual anatomy; check the segments."
        )
        return [_finding(Grade.REVIEW, text)]
    return []


def _sectors(
    masks: HeartMasks, wall: Wall, geometry: Geometry, level: SliceLevel, septum: Septum | None
) -> SliceSectors:
    size = (masks.myocardium.shape[0], masks.myocardium.shape[1])
    place = wall.place(size)
    segment = torch.zeros(size, dtype=torch.int64, device=masks.myocardium.device)
    if septum is not None:
        segment = _segments(place, geometry, level, septum) * masks.myocardium
    return SliceSectors(
        level=level,
        segment=segment,
        is_endocardial=masks.myocardium & (place.depth < _HALF_DEPTH),
        border_px=_border_px(place, geometry, masks.myocardium),
    )


def _segments(
    place: PlaceInWall, geometry: Geometry, level: SliceLevel, septum: Septum
) -> Int[Tensor, "row column"]:
    around = _AROUND[level]
    span = 2 * math.pi / len(around)
    turn, _ = anterior_turn(septum, geometry)
    from_septum = turn * (place.angle_rad - image_angle_rad(septum.middle, geometry))
    if level is SliceLevel.APICAL:
        from_septum = from_septum + 0.5 * span
    which = (from_septum.remainder(2 * math.pi) / span).floor().long().clamp(0, len(around) - 1)
    return torch.tensor(around, device=which.device)[which]


def _border_px(
    place: PlaceInWall, geometry: Geometry, myocardium: Bool[Tensor, "row column"]
) -> Float[Tensor, "row column"]:
    """Return the distance to the nearer border in pixels: positive in the mask, 0 outside."""
    pixel_mm = math.sqrt(math.prod(geometry.spacing_mm))
    return torch.where(myocardium, place.border_mm.clamp_min(1e-3) / pixel_mm, 0.0)


def _finding(grade: Grade, text: str, index: int | None = None) -> Finding:
    return Finding(code=Code.SEGMENTATION_UNCERTAIN, grade=grade, text=text, slice_index=index)
