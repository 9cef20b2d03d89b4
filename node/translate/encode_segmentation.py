"""Where flow was measured, as Segmentation objects (PS3.3 A.51, binary).

One object holds the wall and the blood pool as they were outlined. The other holds the AHA segments
as they were counted: pixels next to a border of the wall are not in a number, so they are not in
its mask. Mean and number of pixels of the report are those of the float map inside these masks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, UInt8
from pydicom.dataset import Dataset
from torch import Tensor

from node.translate.algorithms import outline_algorithm, outline_family
from node.translate.codes import (
    AHA_SEGMENTS,
    ANATOMICAL_STRUCTURE,
    BLOOD,
    BODY_SUBSTANCE,
    HEART,
    LEFT_VENTRICLE,
    MYOCARDIUM,
    CodedTerm,
)
from node.translate.context import ResultContext
from node.translate.equipment import MANUFACTURER, MODEL
from node.translate.map_stack import (
    CREATOR,
    MapStack,
    StackKind,
    StackPlace,
    adopt,
    place_stack,
    stack_maps,
)
from node.translate.results import ResultObject
from node.translate.tracking import (
    BLOOD_POOL_NAME,
    MYOCARDIUM_NAME,
    tracking_name,
    tracking_uid,
)
from pipeline.measure import counted_pixels
from pipeline.regions import SEGMENT_NAMES, Layer, SliceLevel, Territory, level_of, territory_of
from pipeline.types import SliceAnalysis

if TYPE_CHECKING:
    from highdicom.seg import SegmentDescription

ANATOMY = StackKind(
    kind="segmentation",
    name="segmentation of the ventricle",
    modality="SEG",
    series="segmentation",
    offset=6,
)
AHA = StackKind(
    kind="segmentation",
    name="segmentation of AHA segments",
    modality="SEG",
    series="segments",
    offset=7,
)

_HUES = {Territory.LAD: (88.0, -4.0, 68.0), Territory.LCX: (60.0, 66.0, 38.0)}
_HUES[Territory.RCA] = (76.0, -60.0, 44.0)
"""CIELab of the territories, as on the page."""
_DARKER = {SliceLevel.BASAL: 0.0, SliceLevel.MID: 16.0, SliceLevel.APICAL: 32.0}
"""Less lightness towards the apex, so that neighbours of one territory differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One segment before it has a number."""

    name: str
    label: str
    category: CodedTerm
    property_type: CodedTerm
    region: CodedTerm
    colour: tuple[float, float, float]
    """CIELab."""


def encode_segmentations(
    context: ResultContext, maps: Sequence[ResultObject]
) -> tuple[ResultObject, ...]:
    """Return the masks of an exam: wall and blood pool, then the AHA segments.

    Parameters
    ----------
    context
        The exam.
    maps
        Its classic flow maps in the order of the slices; none without flow, and then no masks.

    Returns
    -------
    tuple
        An object without any pixel is left out; there are more than two where slices differ in
        size or orientation.

    """
    found = (
        _encode(kind, stack, context)
        for kind in (ANATOMY, AHA)
        for stack in stack_maps(context, maps)
    )
    return tuple(result for result in found if result is not None)


def _encode(kind: StackKind, stack: MapStack, context: ResultContext) -> ResultObject | None:
    slices = [context.analysis.slices[position] for position in stack.positions]
    parts = [
        (part, masks)
        for part, masks in (_anatomy(slices) if kind is ANATOMY else _aha(slices))
        if masks.any()
    ]
    if not parts:
        return None
    place = place_stack(kind, stack, context)
    made = _make(kind, stack, place, parts, context)
    return adopt(made, kind, stack, place, context)


def _anatomy(
    slices: Sequence[SliceAnalysis],
) -> Iterator[tuple[_Part, Bool[np.ndarray, "slice row column"]]]:
    """Yield the wall and the blood pool."""
    masks = [result.masks for result in slices]
    wall = _Part(
        name=MYOCARDIUM_NAME,
        label=MYOCARDIUM_NAME,
        category=ANATOMICAL_STRUCTURE,
        property_type=MYOCARDIUM,
        region=HEART,
        colour=(70.0, -62.0, 52.0),
    )
    # No code says "blood of the left ventricle": it is blood, and the ventricle is where.
    pool = _Part(
        name=BLOOD_POOL_NAME,
        label=BLOOD_POOL_NAME,
        category=BODY_SUBSTANCE,
        property_type=BLOOD,
        region=LEFT_VENTRICLE,
        colour=(50.0, 70.0, 50.0),
    )
    yield wall, _stacked(slices, [None if one is None else one.myocardium for one in masks])
    yield pool, _stacked(slices, [None if one is None else one.left_ventricle for one in masks])


def _aha(
    slices: Sequence[SliceAnalysis],
) -> Iterator[tuple[_Part, Bool[np.ndarray, "slice row column"]]]:
    """Yield the AHA segments without the pixels at the borders of the wall."""
    sectors = [result.sectors for result in slices]
    counted = [None if one is None else one.segment.cpu() * counted_pixels(one) for one in sectors]
    for number, code in AHA_SEGMENTS.items():
        lightness, green_red, blue_yellow = _HUES[territory_of(number)]
        part = _Part(
            name=tracking_name(SEGMENT_NAMES[number], Layer.WHOLE, number),
            label=f"AHA {SEGMENT_NAMES[number]}",
            category=ANATOMICAL_STRUCTURE,
            property_type=code,
            region=MYOCARDIUM,
            colour=(lightness - _DARKER[level_of(number)], green_red, blue_yellow),
        )
        yield part, _stacked(slices, [None if one is None else one == number for one in counted])


def _stacked(
    slices: Sequence[SliceAnalysis], masks: Sequence[Bool[Tensor, "row column"] | None]
) -> Bool[np.ndarray, "slice row column"]:
    """Return masks of all slices; a slice without one has no pixel in it."""
    return np.stack(
        [
            np.zeros(result.motion.frames.shape[1:], dtype=bool) if mask is None else mask.numpy()
            for result, mask in zip(slices, masks, strict=True)
        ]
    )


def _make(
    kind: StackKind,
    stack: MapStack,
    place: StackPlace,
    parts: Sequence[tuple[_Part, Bool[np.ndarray, "slice row column"]]],
    context: ResultContext,
) -> Dataset:
    # Late, as it takes half a second and most commands make no masks.
    from highdicom.seg import Segmentation

    return Segmentation(
        source_images=stack.images,
        pixel_array=_numbered([masks for _, masks in parts]),
        segmentation_type="BINARY",
        segment_descriptions=_describe([part for part, _ in parts], place.key, context),
        series_instance_uid=place.series_uid,
        series_number=place.series_number,
        sop_instance_uid=place.sop_uid,
        instance_number=stack.number,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MODEL,
        software_versions=context.run.software_version,
        device_serial_number=context.settings.device_serial_number,
        content_label="CMRPERF",
        content_description=kind.name,
        content_creator_name=CREATOR,
    )


def _numbered(
    masks: Sequence[Bool[np.ndarray, "slice row column"]],
) -> UInt8[np.ndarray, "slice row column"]:
    """Return the number of the segment of every pixel, from 1; no two of them overlap."""
    numbers = np.zeros(masks[0].shape, dtype=np.uint8)
    for number, mask in enumerate(masks, start=1):
        numbers[mask] = number
    return numbers


def _describe(
    parts: Sequence[_Part], key: str, context: ResultContext
) -> "list[SegmentDescription]":
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.color import CIELabColor
    from highdicom.seg import SegmentDescription

    algorithm = outline_algorithm(context)
    identification = AlgorithmIdentificationSequence(
        name=algorithm.name,
        family=outline_family(context).code,
        version=algorithm.version,
        source=MANUFACTURER,
        parameters=dict(text.split("=", 1) for text in algorithm.parameters),
    )
    return [
        SegmentDescription(
            segment_number=number,
            segment_label=part.label,
            segmented_property_category=part.category.code,
            segmented_property_type=part.property_type.code,
            algorithm_type="AUTOMATIC",
            algorithm_identification=identification,
            tracking_uid=tracking_uid(key, part.name),
            tracking_id=part.name,
            anatomic_regions=[part.region.code],
            display_color=CIELabColor(*part.colour),
        )
        for number, part in enumerate(parts, start=1)
    ]
