"""Coded terms of the result objects, each with the context group it belongs to (PS3.16)."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from pipeline.types import PatientState


@dataclass(frozen=True, slots=True)
class CodedTerm:
    """A code value, the scheme it comes from and its meaning in words."""

    value: str
    scheme: str
    meaning: str


BLOOD_FLOW = CodedTerm("126390", "DCM", "Absolute Regional Blood Flow")  # CID 4108, 7180
FIT_QUALITY = CodedTerm("126220", "DCM", "R2-Coefficient")  # CID 7180
ML_MIN_G = CodedTerm("ml/min/g", "UCUM", "Milliliter/minute/gram")  # CID 83, 84, 7181
NO_UNITS = CodedTerm("1", "UCUM", "no units")
QUANTITY = CodedTerm("246205007", "SCT", "Quantity")  # C.7.6.16.2.11.1.2
PERFUSION_ANALYSIS = CodedTerm("129104", "DCM", "Perfusion image analysis")  # CID 7203
DEFORMED = CodedTerm("125027", "DCM", "Deformed for Registration")  # CID 7203
RESAMPLED = CodedTerm("113085", "DCM", "Spatial resampling")  # CID 7203
SOURCE_IMAGE = CodedTerm("121322", "DCM", "Source image for image processing operation")  # CID 7202
ACQUISITION_EQUIPMENT = CodedTerm("109101", "DCM", "Acquisition Equipment")  # CID 7005
PATIENT_STATE = CodedTerm("109054", "DCM", "Patient State")

PATIENT_STATES = {  # CID 3101; an unknown state is left out, never guessed
    PatientState.REST: CodedTerm("128975004", "SCT", "Resting State"),
    PatientState.STRESS: CodedTerm("432655005", "SCT", "Cardiac Stress State"),
}


def code_item(term: CodedTerm) -> Dataset:
    """Return a coded term as an item of a code sequence (PS3.3 8.8)."""
    item = Dataset()
    item.CodeValue = term.value
    item.CodingSchemeDesignator = term.scheme
    item.CodeMeaning = term.meaning
    return item


def code_sequence(*terms: CodedTerm) -> Sequence:
    """Return coded terms as a sequence."""
    return Sequence(code_item(term) for term in terms)


def coded_content(name: CodedTerm, value: CodedTerm) -> Dataset:
    """Return a name-value pair of value type CODE (PS3.3 10.2)."""
    item = Dataset()
    item.ValueType = "CODE"
    item.ConceptNameCodeSequence = code_sequence(name)
    item.ConceptCodeSequence = code_sequence(value)
    return item


def quantity_definition(quantity: CodedTerm, state: PatientState) -> Iterable[Dataset]:
    """Yield what a mapped value is, and in which state of the patient it was measured."""
    yield coded_content(QUANTITY, quantity)
    if state in PATIENT_STATES:
        yield coded_content(PATIENT_STATE, PATIENT_STATES[state])
