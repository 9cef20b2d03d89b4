"""All numbers of an exam as a Comprehensive SR by TID 1500, for reporting systems (PS3.3 A.35.3).

One report for each exam, and one for a pair of stress and rest that also has the reserve and names
both others as its predecessors. Nobody has verified them, and they say so.
"""

from collections.abc import Iterable, Sequence

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as ItemSequence
from pydicom.uid import ComprehensiveSRStorage

from node.translate.codes import code_sequence, private_scheme
from node.translate.content import (
    Relation,
    code_item,
    container_item,
    image_item,
    set_content,
    text_item,
    uid_item,
)
from node.translate.context import ResultContext
from node.translate.copying import copy_elements
from node.translate.derived import describe_series, result_series_number
from node.translate.document import derive_document, evidence_of, reference_to, template_item
from node.translate.equipment import MANUFACTURER, MODEL, device_uid
from node.translate.report_codes import (
    DEVICE,
    DEVICE_MANUFACTURER,
    DEVICE_MODEL,
    DEVICE_NAME,
    DEVICE_ROLE,
    DEVICE_SERIAL_NUMBER,
    DEVICE_UID,
    ENGLISH,
    IMAGE_LIBRARY,
    IMAGE_LIBRARY_GROUP,
    LANGUAGE,
    MAGNETIC_RESONANCE,
    MEASUREMENTS,
    MODALITY,
    OBSERVER_TYPE,
    PROCEDURE_REPORTED,
    PROCEDURES,
    RECORDING,
    REPORT,
)
from node.translate.report_groups import flow_groups, reserve_groups
from node.translate.report_quality import quality_group, reserve_quality_group
from node.translate.reported import ReportedExam, instance_of
from node.translate.results import ResultObject
from node.translate.uids import make_uid
from pipeline.findings import Finding
from pipeline.reserve import Reserve

REPORT_OFFSET = 10
COMBINED_OFFSET = 17
_REQUESTED = (
    "RequestedProcedureID", "RequestedProcedureDescription", "RequestedProcedureCodeSequence",
)  # fmt: skip


def encode_report(reported: ReportedExam) -> tuple[ResultObject, ...]:
    """Return the report of one exam.

    Parameters
    ----------
    reported
        The exam with its maps and masks.

    Returns
    -------
    tuple
        One report; none where no region was measured.

    """
    context = reported.context
    if not context.analysis.regions or not reported.maps:
        return ()
    key = _key(reported.evidence, context, context.analysis.findings)
    target = _document(context, reported.evidence)
    target.SeriesNumber = _series_number(context, REPORT_OFFSET)
    target.SeriesInstanceUID = make_uid("report series", key)
    target.SOPInstanceUID = make_uid("report", key)
    target.SeriesDescription = describe_series(
        "report", settings=context.settings, state=context.analysis.state
    )
    _set_content(target, [reported], [*flow_groups(reported), quality_group(context)])
    return (ResultObject(kind="report", dataset=target),)


def encode_combined_report(
    stress: ReportedExam,
    rest: ReportedExam,
    reserve: Reserve,
    *,
    predecessors: Sequence[ResultObject],
) -> tuple[ResultObject, ...]:
    """Return the report of a stress and a rest exam together, with the reserve.

    Parameters
    ----------
    stress, rest
        The exams with their maps and masks.
    reserve
        What they say together.
    predecessors
        The reports of each alone.

    Returns
    -------
    tuple
        One report; none where no region was measured in both.

    """
    if not reserve.regions or not (stress.maps and rest.maps):
        return ()
    context = stress.context
    both = (stress, rest)
    findings = [finding for one in both for finding in one.context.analysis.findings]
    evidence = (*stress.evidence, *rest.evidence)
    key = _key(evidence, context, (*findings, *reserve.findings))
    target = _document(context, evidence)
    target.SeriesNumber = _series_number(context, COMBINED_OFFSET)
    target.SeriesInstanceUID = make_uid("combined report series", key)
    target.SOPInstanceUID = make_uid("combined report", key)
    target.SeriesDescription = describe_series("pair_report", settings=context.settings)
    if predecessors:
        target.PredecessorDocumentsSequence = _evidence(
            context.numbering, [one.dataset for one in predecessors]
        )
    groups = [
        *reserve_groups(key, reserve.regions),
        reserve_quality_group(key, reserve.findings),
        *(group for one in both for group in (*flow_groups(one), quality_group(one.context))),
    ]
    _set_content(target, both, groups)
    return (ResultObject(kind="report", dataset=target),)


def _key(evidence: Iterable[Dataset], context: ResultContext, findings: Iterable[Finding]) -> str:
    """Return the digest of what a report says: its identifiers follow from it.

    Masks and float maps are a matter of choice, and a report that refers to them is another one.
    """
    uids = (str(dataset.SOPInstanceUID) for dataset in evidence)
    return context.run.key(*uids, *map(repr, findings))


def _document(context: ResultContext, evidence: Sequence[Dataset]) -> Dataset:
    """Return a report without content: identity, order, state of completion, evidence."""
    source = context.numbering
    target = derive_document(source, run=context.run, settings=context.settings)
    target.SOPClassUID = ComprehensiveSRStorage
    target.Modality = "SR"
    target.CompletionFlag = "COMPLETE"
    target.VerificationFlag = "UNVERIFIED"
    target.PreliminaryFlag = "PRELIMINARY"
    if context.settings.research_label:
        target.CompletionFlagDescription = context.settings.research_label
    target.ReferencedRequestSequence = ItemSequence(_requests(source, target))
    procedure = PROCEDURES[context.analysis.state]
    target.PerformedProcedureCodeSequence = code_sequence(procedure)
    target.CurrentRequestedProcedureEvidenceSequence = _evidence(source, evidence)
    target.CodingSchemeIdentificationSequence = private_scheme()
    return target


def _set_content(target: Dataset, exams: Sequence[ReportedExam], groups: Sequence[bytes]) -> None:
    """Write the content tree (TID 1500)."""
    context = exams[0].context
    target.ValueType = "CONTAINER"
    target.ConceptNameCodeSequence = code_sequence(REPORT)
    target.ContinuityOfContent = "SEPARATE"
    target.ContentTemplateSequence = ItemSequence([template_item("1500")])
    set_content(
        target,
        (
            code_item(Relation.MODIFIER, LANGUAGE, ENGLISH),
            *_observer(context),
            code_item(Relation.MODIFIER, PROCEDURE_REPORTED, PROCEDURES[context.analysis.state]),
            _library([result.dataset for one in exams for result in one.maps]),
            container_item(MEASUREMENTS, groups),
        ),
    )


def _observer(context: ResultContext) -> Iterable[bytes]:
    """Yield who observed: this node, and no person (TID 1002, 1004)."""
    settings = context.settings
    yield code_item(Relation.CONTEXT, OBSERVER_TYPE, DEVICE)
    yield uid_item(Relation.CONTEXT, DEVICE_UID, device_uid(settings))
    for name, text in (
        (DEVICE_NAME, MODEL),
        (DEVICE_MANUFACTURER, MANUFACTURER),
        (DEVICE_MODEL, MODEL),
        (DEVICE_SERIAL_NUMBER, settings.device_serial_number),
    ):
        yield text_item(Relation.CONTEXT, name, text)
    yield code_item(Relation.CONTEXT, DEVICE_ROLE, RECORDING)


def _library(images: Iterable[Dataset]) -> bytes:
    """Return the list of images that were measured in (TID 1600)."""
    modality = code_item(Relation.ACQUISITION, MODALITY, MAGNETIC_RESONANCE)
    entries = (image_item(Relation.CONTAINS, None, instance_of(image)) for image in images)
    group = container_item(IMAGE_LIBRARY_GROUP, (modality, *entries))
    return container_item(IMAGE_LIBRARY, (group,))


def _series_number(context: ResultContext, offset: int) -> int:
    return result_series_number(context.numbering, offset, settings=context.settings)


def _requests(source: Dataset, target: Dataset) -> Iterable[Dataset]:
    """Yield the orders that the report answers (C.17.2.3): reporting systems match by them."""
    for request in source.get("RequestAttributesSequence") or (Dataset(),):
        item = Dataset()
        item.StudyInstanceUID = target.StudyInstanceUID
        item.AccessionNumber = target.AccessionNumber
        item.update(copy_elements(request, ("AccessionNumber",)))
        item.ReferencedStudySequence = ItemSequence()
        item.PlacerOrderNumberImagingServiceRequest = None
        item.FillerOrderNumberImagingServiceRequest = None
        item.RequestedProcedureID = None
        item.RequestedProcedureDescription = None
        item.RequestedProcedureCodeSequence = ItemSequence()
        item.update(copy_elements(request, _REQUESTED))
        yield item


def _evidence(source: Dataset, objects: Iterable[Dataset]) -> ItemSequence:
    return evidence_of(source.StudyInstanceUID, map(reference_to, objects))
