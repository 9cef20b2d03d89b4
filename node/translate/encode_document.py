"""The pages as a PDF document, for systems that file documents and show no pictures."""

from collections.abc import Iterable, Sequence

from pydicom.sequence import Sequence as ItemSequence
from pydicom.uid import EncapsulatedPDFStorage

from node.translate.capture import Picture
from node.translate.codes import DIAGNOSTIC_REPORT, code_sequence
from node.translate.context import ResultContext
from node.translate.derived import (
    derive_identity,
    describe_series,
    name_instance,
    result_series_number,
)
from node.translate.results import ResultObject
from node.translate.uids import make_uid
from pipeline.picture.document import write_document

DOCUMENT_OFFSET = 12


def encode_document(
    context: ResultContext, pages: Sequence[Picture], images: Iterable[ResultObject]
) -> ResultObject:
    """Return the pages of one exam as Encapsulated PDF (PS3.3 A.45.1).

    Parameters
    ----------
    context
        The exam.
    pages
        In the order of the document.
    images
        The result images that it shows.

    """
    analysis, run, settings = context.analysis, context.run, context.settings
    shown = [image.dataset for image in images]
    key = run.key(
        context.key,
        *(repr(finding) for finding in analysis.findings),
        *(str(image.SOPInstanceUID) for image in shown),
    )
    title = f"Perfusion report {analysis.state.upper()}"
    document = write_document(pages, title)
    target = derive_identity(context.numbering, run=run, settings=settings)
    for keyword in ("BodyPartExamined", "ImageComments"):  # of images only
        target.pop(keyword, None)
    target.SOPClassUID = EncapsulatedPDFStorage
    target.SOPInstanceUID = make_uid("document", key)
    target.SeriesInstanceUID = make_uid("document series", key)
    target.SeriesNumber = result_series_number(
        context.numbering, DOCUMENT_OFFSET, settings=settings
    )
    target.SeriesDescription = describe_series("document", settings=settings, state=analysis.state)
    target.Modality, target.ConversionType, target.InstanceNumber = "DOC", "WSD", 1
    target.AcquisitionDateTime = None
    target.DocumentTitle = title
    target.ConceptNameCodeSequence = code_sequence(DIAGNOSTIC_REPORT)
    target.VerificationFlag = "UNVERIFIED"
    target.SourceInstanceSequence = ItemSequence(name_instance(image) for image in shown)
    target.MIMETypeOfEncapsulatedDocument = "application/pdf"
    target.EncapsulatedDocumentLength = len(document)
    target.EncapsulatedDocument = document + b"\0" * (len(document) % 2)
    return ResultObject(kind="document", dataset=target)
