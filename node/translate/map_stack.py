"""Flow maps as frames of one multi-frame object, and what highdicom makes of them, as ours.

A multi-frame object has one size, one orientation and one pixel spacing, and no place twice: slices
that differ, or lie where another one lies, go into objects of their own. highdicom writes the
frames; who, when, with what and why is written as for every other result, over what highdicom
writes of that: it would take the time from the clock, name this node as the scanner and draw
identifiers at random.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import UID, ParametricMapStorage

from node.descriptions import SeriesName
from node.translate.context import ResultContext
from node.translate.copying import replace_value
from node.translate.derived import derive_identity, describe_series, result_series_number
from node.translate.results import ResultKind, ResultObject
from node.translate.uids import make_uid
from node.translate.values import number_of, numbers_of, text_of

CREATOR = "perfnode^"
"""A person name of one component ends with a caret (PS3.5 6.2.1)."""
USUAL_THICKNESS_MM = 8.0
"""Written where the scanner does not tell the thickness of its slices (Kramer 2020, doi
10.1186/s12968-020-00607-1): a classic image may leave it empty, a multi-frame object must not."""
_IDENTITY = (
    "SpecificCharacterSet", "PatientName", "PatientID", "PatientBirthDate", "PatientSex",
    "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
_COSINE_DIGITS = 4
"""Direction cosines of one stack of slices differ by rounding only."""
_CORNER_DIGITS = 2
"""Slices less than this apart, mm, lie in one place."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MapStack:
    """Classic flow maps that lie parallel, with the same pixels, in order along their normal.

    Programs lay the frames in that order: dcmqi takes the first for the lowest whatever it says.
    """

    number: int
    """1 for the first stack of an exam; there is a second one for slices that do not fit in."""
    positions: tuple[int, ...]
    """Index of each slice in the exam; base to apex may run against the normal."""
    images: tuple[Dataset, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StackKind:
    """What is made of a stack."""

    kind: ResultKind
    name: str
    """Tells apart the objects of one kind."""
    modality: str
    series: SeriesName
    offset: int
    """What is added to the series number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPlace:
    """What names one multi-frame object."""

    key: str
    """Digest of everything the exam was made from."""
    series_uid: UID
    series_number: int
    sop_uid: UID
    dimensions_uid: UID


def load_highdicom() -> None:
    """Load highdicom and its tables of the standard: 0.7 s that a first study need not wait for."""
    from highdicom import SOPClass

    SOPClass(
        study_instance_uid="1.2",
        series_instance_uid="1.2",
        series_number=1,
        sop_instance_uid="1.2",
        sop_class_uid=ParametricMapStorage,
        instance_number=1,
        modality="MR",
    )


def stack_maps(context: ResultContext, maps: Sequence[ResultObject]) -> tuple[MapStack, ...]:
    """Return the flow maps of an exam in stacks.

    Parameters
    ----------
    context
        The exam.
    maps
        Its classic flow maps: one for each slice that has flow, in the order of the slices.

    """
    with_flow = [
        position
        for position, result in enumerate(context.analysis.slices)
        if result.flow is not None
    ]
    stacks: dict[tuple[object, int], list[tuple[int, Dataset]]] = {}
    places: list[tuple[object, object]] = []
    for position, result in zip(with_flow, maps, strict=True):
        image = _for_highdicom(result.dataset)
        grid, corner = _grid_of(image), _corner_of(image)
        stacks.setdefault((grid, places.count((grid, corner))), []).append((position, image))
        places.append((grid, corner))
    return tuple(
        _ordered(number, members) for number, members in enumerate(stacks.values(), start=1)
    )


def place_stack(kind: StackKind, stack: MapStack, context: ResultContext) -> StackPlace:
    """Return the identifiers of what is made of a stack."""
    key, number = context.key, str(stack.number)
    return StackPlace(
        key=key,
        series_uid=make_uid(f"{kind.name} series", key),
        series_number=result_series_number(
            context.numbering, kind.offset, settings=context.settings
        ),
        sop_uid=make_uid(kind.name, key, number),
        dimensions_uid=make_uid(f"{kind.name} dimensions", key, number),
    )


def adopt(
    made: Dataset, kind: StackKind, stack: MapStack, place: StackPlace, context: ResultContext
) -> ResultObject:
    """Return a multi-frame object of highdicom as a result of this node.

    Parameters
    ----------
    made
        What highdicom wrote.
    kind
        What it is.
    stack
        The maps it was made from.
    place
        Its identifiers.
    context
        The exam.

    """
    target = Dataset()
    target.update(made)
    del target.ContributingEquipmentSequence
    header = context.shown(stack.positions[0])
    target.update(derive_identity(header, run=context.run, settings=context.settings))
    target.Modality = kind.modality
    target.SeriesDescription = describe_series(
        kind.series, settings=context.settings, state=context.analysis.state
    )
    for item in (*target.DimensionOrganizationSequence, *target.DimensionIndexSequence):
        item.DimensionOrganizationUID = place.dimensions_uid
    return ResultObject(kind=kind.kind, dataset=target)


def _corner_of(image: Dataset) -> tuple[float, ...]:
    corner = numbers_of(image, "ImagePositionPatient", 3) or ()
    return tuple(round(part, _CORNER_DIGITS) for part in corner)


def _ordered(number: int, members: Sequence[tuple[int, Dataset]]) -> MapStack:
    along = sorted(members, key=lambda member: _height_mm(member[1]))
    return MapStack(
        number=number,
        positions=tuple(position for position, _ in along),
        images=tuple(image for _, image in along),
    )


def _height_mm(image: Dataset) -> float:
    """Return the position of an image along the normal of its plane, mm (C.7.6.2.1.1)."""
    cosines = np.array(numbers_of(image, "ImageOrientationPatient", 6))
    corner = np.array(numbers_of(image, "ImagePositionPatient", 3))
    return float(np.cross(cosines[:3], cosines[3:]) @ corner)


def _for_highdicom(image: Dataset) -> Dataset:
    """Return an image as highdicom takes it: nobody's, and with a thickness.

    It refuses a sex or a character set that it does not know, and prints names that it finds odd.
    Whose the result is comes from the header, see `adopt`.
    """
    prepared = Dataset()
    prepared.update(image)  # Dataset(image) would be the same one under another name
    for keyword in _IDENTITY:
        replace_value(prepared, keyword, None)
    replace_value(prepared, "StudyInstanceUID", "1.2")
    if not number_of(image, "SliceThickness"):
        replace_value(prepared, "SliceThickness", f"{USUAL_THICKNESS_MM:g}")
    return prepared


def _grid_of(image: Dataset) -> tuple[object, ...]:
    cosines = numbers_of(image, "ImageOrientationPatient", 6) or ()
    return (
        image.Rows,
        image.Columns,
        tuple(round(cosine, _COSINE_DIGITS) for cosine in cosines),
        text_of(image, "PixelSpacing"),
        text_of(image, "SliceThickness"),
        text_of(image, "FrameOfReferenceUID"),
    )
