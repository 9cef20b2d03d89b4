"""Slices that do not lie as the heart does: mirrored, crossing, doubled, or in doubtful order."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from statistics import median

import torch

from pipeline.findings import Code, Finding, Grade, series_finding
from pipeline.place import centre_mm, normal_of
from pipeline.segment.levels import long_axis
from pipeline.types import Exam, Geometry, HeartMasks, ImageSeries

_SAME_PLACE_MM = 2.0
"""Two slices nearer than this show the same muscle."""
_PARALLEL = 0.985
"""Cosine of 10 degrees: short-axis slices of one stack are parallel."""
_WRONG_SIDE = -0.3
"""Cosine between the way from left to right ventricle and right-and-forward of the patient.
It is 0.5-1 in a heart that lies as usual, negative when left and right were exchanged."""
_RIGHT_AND_FORWARD = (-(0.5**0.5), -(0.5**0.5), 0.0)
"""DICOM patient axes: left, back, head."""
_MIN_PIXELS = 10
_BESIDE_MM = 25.0
"""Distance, within the planes, of the left ventricle of a slice from where the others have it. Half
its width; an oblique axis makes 5 mm, another breath-hold position of a slice 15 mm."""
ANOTHER_ORGAN_MM = 50.0
"""From here on it is no heart that was outlined: the outline is not used."""


def check_geometry(exam: Exam, masks: Sequence[HeartMasks | None]) -> tuple[Finding, ...]:
    """Return findings on slices that cannot be the short axis of one heart as headers say.

    Parameters
    ----------
    exam
        The exam.
    masks
        What was outlined in each slice.

    """
    texts = (*_planes(exam.slices), *_order(exam, masks), *_sides(exam, masks))
    return (
        *(
            Finding(code=Code.SEGMENTATION_UNCERTAIN, grade=Grade.REVIEW, text=text)
            for text in texts
        ),
        *_astray(exam, masks),
    )


def _planes(slices: Sequence[ImageSeries]) -> Iterator[str]:
    pairs = list(combinations([series.geometry for series in slices], 2))
    if any(abs(float(normal_of(a) @ normal_of(b))) < _PARALLEL for a, b in pairs):
        yield "The slices are not parallel."
    elif any(_distance_mm(a, b) < _SAME_PLACE_MM for a, b in pairs):
        yield "Two slices lie at the same place."


def _distance_mm(first: Geometry, second: Geometry) -> float:
    """Return how far the origin of one lies from the plane of the other."""
    step = torch.tensor(first.origin_mm) - torch.tensor(second.origin_mm)
    return abs(float(normal_of(second) @ step.double()))


def _order(exam: Exam, masks: Sequence[HeartMasks | None]) -> Iterator[str]:
    if exam.slices and not long_axis(exam.slices, masks).is_sure:
        yield "The ventricles grow towards the apex: base and apex may be exchanged."


def elsewhere_mm(exam: Exam, masks: Sequence[HeartMasks | None]) -> dict[int, float]:
    """Return the slices whose left ventricle lies elsewhere than in two or more others.

    Parameters
    ----------
    exam
        The exam.
    masks
        What was outlined in each slice.

    Returns
    -------
    Index of the slice, and how far its ventricle lies from the nearest of the others, within the
    plane, mm.

    """
    known = {
        index: (centre_mm(mask.left_ventricle, series.geometry), normal_of(series.geometry))
        for index, (series, mask) in enumerate(zip(exam.slices, masks, strict=True))
        if mask is not None and bool(mask.left_ventricle.any())
    }
    found = {}
    for index, (centre, normal) in known.items():
        ways = [centre - other for place, (other, _) in known.items() if place != index]
        beside_mm = [float((way - (way @ normal) * normal).norm()) for way in ways]
        if len(beside_mm) >= 2 and min(beside_mm) > _BESIDE_MM:
            found[index] = min(beside_mm)
    return found


def _astray(exam: Exam, masks: Sequence[HeartMasks | None]) -> Iterator[Finding]:
    for index, beside_mm in elsewhere_mm(exam, masks).items():
        text = f"its left ventricle lies {beside_mm:.0f} mm beside that of the others."
        yield series_finding(Code.SEGMENTATION_UNCERTAIN, Grade.REVIEW, text, index)


def _sides(exam: Exam, masks: Sequence[HeartMasks | None]) -> Iterator[str]:
    cosines = [
        _cosine_to_right(mask, series.geometry)
        for series, mask in zip(exam.slices, masks, strict=True)
        if mask is not None and _has_both(mask)
    ]
    if cosines and median(cosines) < _WRONG_SIDE:
        yield (
            "The right ventricle lies on the left of the patient: image or header is mirrored, "
            "or the heart is."
        )


def _has_both(masks: HeartMasks) -> bool:
    right = masks.right_ventricle
    enough = right is not None and int(right.sum()) >= _MIN_PIXELS
    return enough and bool(masks.left_ventricle.any())


def _cosine_to_right(masks: HeartMasks, geometry: Geometry) -> float:
    right = masks.right_ventricle
    if right is None:
        return 1.0
    way = centre_mm(right, geometry) - centre_mm(masks.left_ventricle, geometry)
    return float(way @ way.new_tensor(_RIGHT_AND_FORWARD) / way.norm().clamp_min(1e-6))
