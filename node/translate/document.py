"""What documents share: identity without the attributes of images, and references to objects."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as ItemSequence
from pydicom.uid import UID

from node.settings import ResultsSettings
from node.translate.derived import derive_identity
from node.translate.results import RunStamp

_OF_IMAGES = (
    "BodyPartExamined", "BurnedInAnnotation", "ImageComments", "RequestAttributesSequence",
    "PerformedProcedureStepID", "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime", "PerformedProcedureStepDescription",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Reference:
    """One object that a document names."""

    series_uid: str
    sop_uid: str
    sop_class_uid: str


def derive_document(source: Dataset, *, run: RunStamp, settings: ResultsSettings) -> Dataset:
    """Return identity, order, equipment and time of a document (PS3.3 A.35).

    Modules of images and their series have no place in it.
    """
    target = derive_identity(source, run=run, settings=settings)
    for keyword in _OF_IMAGES:
        target.pop(keyword, None)
    target.InstanceNumber = 1
    if "ReferencedPerformedProcedureStepSequence" not in target:
        target.ReferencedPerformedProcedureStepSequence = ItemSequence()
    return target


def reference_to(dataset: Dataset) -> Reference:
    """Return what names an object."""
    return Reference(
        series_uid=str(dataset.SeriesInstanceUID),
        sop_uid=str(dataset.SOPInstanceUID),
        sop_class_uid=str(dataset.SOPClassUID),
    )


def evidence_of(study_uid: str, references: Iterable[Reference]) -> ItemSequence:
    """Return objects of one study by series (Hierarchical SOP Instance Reference Macro, C.17.2.1).

    Parameters
    ----------
    study_uid
        The study.
    references
        The objects in any order.

    """
    study = Dataset()
    study.StudyInstanceUID = UID(study_uid)
    study.ReferencedSeriesSequence = ItemSequence(_series_items(sorted(set(references))))
    return ItemSequence([study])


def reference_item(reference: Reference) -> Dataset:
    """Return an item that names an object (Table 10-11)."""
    item = Dataset()
    item.ReferencedSOPClassUID = UID(reference.sop_class_uid)
    item.ReferencedSOPInstanceUID = UID(reference.sop_uid)
    return item


def template_item(identifier: str) -> Dataset:
    """Return the item that says by which template of PS3.16 content was made."""
    item = Dataset()
    item.MappingResource = "DCMR"
    item.TemplateIdentifier = identifier
    return item


def _series_items(references: Iterable[Reference]) -> Iterable[Dataset]:
    for series_uid, members in groupby(references, key=lambda reference: reference.series_uid):
        item = Dataset()
        item.SeriesInstanceUID = UID(series_uid)
        item.ReferencedSOPSequence = ItemSequence(map(reference_item, members))
        yield item
