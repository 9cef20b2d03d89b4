"""Flow maps as frames of one multi-frame object, and what highdicom makes of them, as ours.

A multi-frame object has one size, one orientation and one pixel spacing: slices that differ go into
objects of their own. highdicom writes the frames; who, when, with what and why is written as for
every other result, over what highdicom writes of that: it would take the time from the clock, name
this node as the scanner and draw identifiers at random.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.uid import UID

from node.translate.context import ResultContext
from node.translate.derived import derive_identity, describe_series, result_series_number
from node.translate.results import ResultKind, ResultObject
from node.translate.uids import make_uid
from node.translate.values import numbers_of, text_of

CREATOR = "perfnode^"
"""A person name of one component ends with a caret (PS3.5 6.2.1)."""
_COSINE_DIGITS = 4
"""Direction cosines of one stack of slices differ by rounding only."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MapStack:
    """Classic flow maps that lie parallel, with the same pixels."""

    number: int
    """1 for the first stack of an exam; there is a second one for slices that do not fit in."""
    positions: tuple[int, ...]
    """Index of each slice in the exam."""
    images: tuple[Dataset, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StackKind:
    """What is made of a stack."""

    kind: ResultKind
    name: str
    """Tells apart the objects of one kind."""
    modality: str
    title: str
    """Series description, with `{state}`."""
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
    stacks: dict[tuple[object, ...], list[tuple[int, Dataset]]] = {}
    for position, image in zip(with_flow, maps, strict=True):
        stacks.setdefault(_grid_of(image.dataset), []).append((position, image.dataset))
    return tuple(
        MapStack(
            number=number,
            positions=tuple(position for position, _ in members),
            images=tuple(image for _, image in members),
        )
        for number, members in enumerate(stacks.values(), start=1)
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
    title = kind.title.format(state=context.analysis.state.upper())
    target.SeriesDescription = describe_series(title, settings=context.settings)
    for item in (*target.DimensionOrganizationSequence, *target.DimensionIndexSequence):
        item.DimensionOrganizationUID = place.dimensions_uid
    return ResultObject(kind=kind.kind, dataset=target)


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
