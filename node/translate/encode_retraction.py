"""Taking results back: a Key Object Selection that names what shall no longer be shown.

IHE Radiology, Imaging Object Change Management (IOCM): an archive that knows the profile hides
what is named; one that does not shows the document itself.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as ItemSequence
from pydicom.uid import (
    ComprehensiveSRStorage,
    EncapsulatedPDFStorage,
    KeyObjectSelectionDocumentStorage,
)

from node.settings import ResultsSettings
from node.translate.codes import (
    KEY_OBJECT_DESCRIPTION,
    REJECTED_FOR_QUALITY,
    REJECTED_FOR_SAFETY,
    code_sequence,
)
from node.translate.derived import describe_series
from node.translate.document import (
    Reference,
    derive_document,
    evidence_of,
    reference_item,
    template_item,
)
from node.translate.results import ResultObject, RunStamp
from node.translate.uids import make_uid
from node.translate.values import number_of

RETRACTION_OFFSET = 18

_NOT_IMAGES = frozenset({ComprehensiveSRStorage, EncapsulatedPDFStorage})
"""Classes of our results without pixels."""


class Reason(StrEnum):
    """Why results are taken back."""

    SUPERSEDED = "superseded"
    """A newer computation has other results."""
    QUALITY = "quality"
    """An operator found them wrong."""
    SAFETY = "safety"
    """An operator found that they may harm: another patient's images, a wrong label."""


_TITLES = {  # CID 7010
    Reason.SUPERSEDED: REJECTED_FOR_QUALITY,
    Reason.QUALITY: REJECTED_FOR_QUALITY,
    Reason.SAFETY: REJECTED_FOR_SAFETY,
}
_SENTENCES = {
    Reason.SUPERSEDED: "Superseded by a newer computation of the same study.",
    Reason.QUALITY: "Rejected by an operator of the node for quality reasons.",
    Reason.SAFETY: "Rejected by an operator of the node for patient safety reasons.",
}


def encode_retraction(
    source: Dataset,
    references: Iterable[Reference],
    reason: Reason,
    *,
    run: RunStamp,
    settings: ResultsSettings,
) -> ResultObject:
    """Return the document that takes objects back (A.35.4, template TID 2010).

    Parameters
    ----------
    source
        Header of any of the objects: gives identity and numbers the series.
    references
        The objects; their order does not matter.
    reason
        Why.
    run
        Time and software of the retraction.
    settings
        Labels and numbering.

    """
    ordered = sorted(set(references))
    key = [run.date, run.time, reason, *(reference.sop_uid for reference in ordered)]
    target = derive_document(source, run=run, settings=settings)
    target.SOPClassUID = KeyObjectSelectionDocumentStorage
    target.SOPInstanceUID = make_uid("retraction", *key)
    target.SeriesInstanceUID = make_uid("retraction series", *key)
    target.Modality = "KO"
    target.SeriesNumber = _series_number(source, settings)
    target.SeriesDescription = describe_series("retraction", settings=settings, source=reason)
    target.CurrentRequestedProcedureEvidenceSequence = evidence_of(source.StudyInstanceUID, ordered)
    _add_content(target, ordered, reason)
    return ResultObject(kind="retraction", dataset=target)


def _series_number(source: Dataset, settings: ResultsSettings) -> int:
    """Return the number beside the other results of the series that the source was made from."""
    factor = settings.series_number_factor
    return int(number_of(source, "SeriesNumber") or 0) // factor * factor + RETRACTION_OFFSET


def _add_content(target: Dataset, references: Sequence[Reference], reason: Reason) -> None:
    description = Dataset()
    description.RelationshipType = "CONTAINS"
    description.ValueType = "TEXT"
    description.ConceptNameCodeSequence = code_sequence(KEY_OBJECT_DESCRIPTION)
    description.TextValue = _SENTENCES[reason]
    target.ValueType = "CONTAINER"
    target.ConceptNameCodeSequence = code_sequence(_TITLES[reason])
    target.ContinuityOfContent = "SEPARATE"
    target.ContentTemplateSequence = ItemSequence([template_item("2010")])
    target.ContentSequence = ItemSequence([description, *map(_content_item, references)])


def _content_item(reference: Reference) -> Dataset:
    item = Dataset()
    item.RelationshipType = "CONTAINS"
    item.ValueType = "COMPOSITE" if reference.sop_class_uid in _NOT_IMAGES else "IMAGE"
    item.ReferencedSOPSequence = ItemSequence([reference_item(reference)])
    return item
