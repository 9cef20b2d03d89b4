"""Maps in colour as Secondary Capture: MR images have no colours, and palettes are ignored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydicom.uid import SecondaryCaptureImageStorage

from node.descriptions import SeriesName
from node.translate.capture import Picture, derive_capture, set_colour_pixels
from node.translate.codes import PERFUSION_ANALYSIS
from node.translate.context import ResultContext
from node.translate.derived import add_sources, describe_series
from node.translate.encode_map import FLOW, RESERVE
from node.translate.results import ResultObject
from node.translate.uids import make_uid
from pipeline.picture.labels import side_letters


@dataclass(frozen=True, slots=True, kw_only=True)
class _ColourKind:
    """How the colour series of one quantity is labelled."""

    label: str
    name: SeriesName
    offset: int
    """What is added to the series number."""


_KINDS = {
    FLOW.kind: _ColourKind(label="MBF_COLOUR", name="flow_colour", offset=9),
    RESERVE.kind: _ColourKind(label="MPR_COLOUR", name="reserve_colour", offset=15),
}


def encode_colour_maps(
    context: ResultContext, pictures: Sequence[Picture | None], maps: Iterable[ResultObject]
) -> tuple[ResultObject, ...]:
    """Return one picture for each classic map of flow, or of reserve.

    Parameters
    ----------
    context
        The exam on whose pixels the maps lie.
    pictures
        One for each slice of the exam, None where it has no map.
    maps
        The classic maps that they show; other objects are passed over.

    """
    return tuple(
        _encode(context, pictures, one, _KINDS[one.kind]) for one in maps if one.kind in _KINDS
    )


def _encode(
    context: ResultContext,
    pictures: Sequence[Picture | None],
    shown: ResultObject,
    kind: _ColourKind,
) -> ResultObject:
    position = int(shown.dataset.InstanceNumber) - 1
    picture = pictures[position]
    if picture is None:
        raise ValueError(f"no picture of the map of slice {position + 1}")
    analysis, run, settings = context.analysis, context.run, context.settings
    target = derive_capture(context.numbering, kind.offset, run=run, settings=settings)
    target.SOPClassUID = SecondaryCaptureImageStorage
    target.ImageType = ["DERIVED", "SECONDARY", "OTHER", "PERFUSION", kind.label]
    # The verdict on the picture follows from findings, which may hang on the other exam too.
    key = run.key(context.key, *(repr(finding) for finding in analysis.findings))
    target.SeriesInstanceUID = make_uid("colour series", key, shown.dataset.SeriesInstanceUID)
    target.SOPInstanceUID = make_uid("colour", key, shown.dataset.SOPInstanceUID)
    target.InstanceNumber = position + 1
    target.SeriesDescription = describe_series(kind.name, settings=settings, state=analysis.state)
    target.DerivationDescription = (
        f"{kind.label.split('_')[0]} in colour on a fixed scale; for numbers see the map itself. "
        f"{run.software_version}"
    )
    _, _, right, bottom = side_letters(context.decoded.exam.slices[position].geometry)
    target.PatientOrientation = [right, bottom]
    add_sources(target, [shown.dataset], PERFUSION_ANALYSIS, preserved=False)
    set_colour_pixels(target, picture)
    return ResultObject(kind="colour", dataset=target)
