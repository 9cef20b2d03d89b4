"""Content items written as bytes are those that highdicom makes and pydicom writes."""

import highdicom as hd
import pytest
from highdicom import sr
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.uid import ComprehensiveSRStorage, MRImageStorage, SegmentationStorage

from node.translate import ResultObject, to_bytes
from node.translate.codes import BLOOD_FLOW, ML_MIN_G, PATIENT_STATE, PATIENT_STATES, CodedTerm
from node.translate.content import (
    Relation,
    code_item,
    container_item,
    image_item,
    number_item,
    set_content,
    text_item,
    uid_item,
)
from node.translate.report_codes import (
    ALGORITHM_NAME,
    ALGORITHM_VERSION,
    DERIVATION,
    FINDING,
    FINDING_SITE,
    GROUP,
    LAYERS,
    MEAN,
    METHOD,
    METHODS,
    MYOCARDIAL_PERFUSION,
    SEGMENT,
    SEGMENTED_IMAGE,
    SITE_MODIFIER,
    TIME_POINT,
    TRACKING_NAME,
    TRACKING_UID,
)
from pipeline.regions import Layer
from pipeline.types import FlowModel, PatientState

STATE = PATIENT_STATES[PatientState.STRESS]
METHOD_USED = METHODS[FlowModel.FERMI]
SEG, MAP = (SegmentationStorage, "1.2.3"), (MRImageStorage, "1.2.4")


def document(*items: bytes) -> Dataset:
    target = Dataset()
    target.SOPClassUID, target.SOPInstanceUID = ComprehensiveSRStorage, "1.2.3.4"
    set_content(target, items)
    return target


def group_of_highdicom() -> Dataset:
    inner = LAYERS[Layer.ENDOCARDIAL].code
    groups = sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=hd.UID("1.2.5"), identifier="AHA 7"),
        referenced_segment=sr.ReferencedSegment(
            *SEG, segment_number=3, source_images=[sr.SourceImageForSegmentation(*MAP)]
        ),
        finding_type=MYOCARDIAL_PERFUSION.code,
        finding_sites=[sr.FindingSite(BLOOD_FLOW.code, topographical_modifier=inner)],
        time_point_context=sr.TimePointContext(time_point="STRESS"),
        algorithm_id=sr.AlgorithmIdentification(name="perfnode", version="0.1"),
        method=METHOD_USED.code,
        measurements=[
            sr.Measurement(
                name=BLOOD_FLOW.code, value=2.1367, unit=ML_MIN_G.code, derivation=MEAN.code
            )
        ],
        qualitative_evaluations=[sr.QualitativeEvaluation(PATIENT_STATE.code, STATE.code)],
    )
    group: Dataset = groups[0]
    group.ContinuityOfContent = "SEPARATE"  # highdicom takes the word for running text
    return group


def group_of_ours() -> bytes:
    inner = code_item(Relation.MODIFIER, SITE_MODIFIER, LAYERS[Layer.ENDOCARDIAL])
    mean = code_item(Relation.MODIFIER, DERIVATION, MEAN)
    return container_item(
        GROUP,
        (
            text_item(Relation.CONTEXT, TRACKING_NAME, "AHA 7"),
            uid_item(Relation.CONTEXT, TRACKING_UID, "1.2.5"),
            code_item(Relation.CONTAINS, FINDING, MYOCARDIAL_PERFUSION),
            code_item(Relation.CONTAINS, METHOD, METHOD_USED),
            code_item(Relation.MODIFIER, FINDING_SITE, BLOOD_FLOW, (inner,)),
            text_item(Relation.MODIFIER, ALGORITHM_NAME, "perfnode"),
            text_item(Relation.MODIFIER, ALGORITHM_VERSION, "0.1"),
            text_item(Relation.CONTEXT, TIME_POINT, "STRESS"),
            number_item(Relation.CONTAINS, BLOOD_FLOW, 2.13670004, ML_MIN_G, (mean,)),
            code_item(Relation.CONTAINS, PATIENT_STATE, STATE),
            image_item(Relation.CONTAINS, SEGMENT, SEG, 3),
            image_item(Relation.CONTAINS, SEGMENTED_IMAGE, MAP),
        ),
        template="1411",
    )


def plain(dataset: Dataset) -> Dataset:
    """Return a data set without the classes of highdicom."""
    target = Dataset()
    for element in dataset:
        value = [plain(item) for item in element.value] if element.VR == "SQ" else element.value
        target.add_new(element.tag, element.VR, value)
    return target


def test_a_group_is_that_of_highdicom() -> None:
    (ours,) = document(group_of_ours()).ContentSequence
    assert plain(ours) == plain(group_of_highdicom())


def test_bytes_are_those_of_pydicom() -> None:
    """Once an item was looked at, pydicom writes the content anew, item by item."""
    target = document(group_of_ours(), text_item(Relation.CONTAINS, GROUP, "odd"))
    written = to_bytes(ResultObject(kind="report", dataset=target))
    assert len(list(target.iterall())) > 100
    assert to_bytes(ResultObject(kind="report", dataset=target)) == written


def test_content_is_not_read_to_be_written() -> None:
    """That makes the difference of two hundred milliseconds for the report of one exam."""
    target = document(group_of_ours())
    to_bytes(ResultObject(kind="report", dataset=target))
    assert isinstance(target.get_item("ContentSequence"), RawDataElement)


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0, "0"), (2.0, "2"), (1e-9, "0"), (65.43216, "65.4322"), (-0.5, "-0.5")],
)
def test_numbers_have_four_decimals(value: float, written: str) -> None:
    (item,) = document(number_item(Relation.CONTAINS, BLOOD_FLOW, value, ML_MIN_G)).ContentSequence
    (measured,) = item.MeasuredValueSequence
    assert str(measured.NumericValue) == written
    assert measured.FloatingPointValue == float(written)
    assert measured.MeasurementUnitsCodeSequence[0].CodeValue == "ml/min/g"
    assert "ContentSequence" not in item


def test_text_fits_into_every_character_set() -> None:
    name = CodedTerm("X", "99PERFNODE", "naïve")
    (item,) = document(text_item(Relation.CONTAINS, name, "R² above 0.9")).ContentSequence
    assert item.TextValue == "R? above 0.9"
    assert item.ConceptNameCodeSequence[0].CodeMeaning == "na?ve"


def test_another_character_set_changes_nothing_in_the_content() -> None:
    """A patient's name that does not fit makes the whole object UTF-8."""
    target = document(group_of_ours())
    target.SpecificCharacterSet = "ISO_IR 100"
    target.PatientName = "Ωmega^Patient"
    set_content(target, [group_of_ours()])
    written = to_bytes(ResultObject(kind="report", dataset=target))
    (ours,) = document(group_of_ours()).ContentSequence
    assert "Ωmega".encode() in written
    assert target.ContentSequence[0] == ours
