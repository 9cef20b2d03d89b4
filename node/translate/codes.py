"""Coded terms of the result objects, each with the context group it belongs to (PS3.16)."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.coding import Code

from node.translate.elements import item_of, pack_text
from node.translate.uids import make_uid
from pipeline.types import PatientState

PRIVATE_SCHEME = "99PERFNODE"
"""For what no standard scheme has a code; declared in every object that uses it (C.12.1.1.5)."""


@dataclass(frozen=True, slots=True)
class CodedTerm:
    """A code value, the scheme it comes from and its meaning in words."""

    value: str
    scheme: str
    meaning: str

    @property
    def code(self) -> Code:
        """As pydicom and highdicom take it."""
        return Code(self.value, self.scheme, self.meaning)


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
DIAGNOSTIC_REPORT = CodedTerm("18748-4", "LN", "Diagnostic imaging report")  # CID 7020
PATIENT_STATE = CodedTerm("109054", "DCM", "Patient State")
REJECTED_FOR_QUALITY = CodedTerm("113001", "DCM", "Rejected for Quality Reasons")  # CID 7010
REJECTED_FOR_SAFETY = CodedTerm("113037", "DCM", "Rejected for Patient Safety Reasons")  # CID 7010
KEY_OBJECT_DESCRIPTION = CodedTerm("113012", "DCM", "Key Object Description")  # TID 2010
ARTIFICIAL_INTELLIGENCE = CodedTerm("123110", "DCM", "Artificial Intelligence")  # CID 7162
EDGE_DETECTION = CodedTerm("123103", "DCM", "Edge Detection")  # CID 7162

# Myocardial perfusion reserve: CID 3620 knows the coronary one only, which is another quantity.
RESERVE = CodedTerm("MPR", PRIVATE_SCHEME, "Myocardial perfusion reserve")
RATIO = CodedTerm("{ratio}", "UCUM", "ratio")


HEART = CodedTerm("80891009", "SCT", "Heart")  # CID 4
LEFT_VENTRICLE = CodedTerm("87878005", "SCT", "Left ventricle")  # CID 12305
MYOCARDIUM = CodedTerm("49848007", "SCT", "Left Ventricle Myocardium")  # CID 12305
BLOOD = CodedTerm("87612001", "SCT", "Blood")  # CID 7151
ANATOMICAL_STRUCTURE = CodedTerm("91723000", "SCT", "Anatomical Structure")  # CID 7150
BODY_SUBSTANCE = CodedTerm("91720002", "SCT", "Body Substance")  # CID 7150
AHA_SEGMENTS = {  # CID 3717
    number: CodedTerm(value, "SCT", f"left ventricle {meaning} segment")
    for number, (value, meaning) in enumerate(
        (
            ("264850008", "basal anterior"),
            ("396482007", "basal anteroseptal"),
            ("396646008", "basal inferoseptal"),
            ("264846001", "basal inferior"),
            ("396652009", "basal inferolateral"),
            ("396654005", "basal anterolateral"),
            ("264848000", "mid anterior"),
            ("396647004", "mid anteroseptal"),
            ("396649001", "mid inferoseptal"),
            ("264847005", "mid inferior"),
            ("396655006", "mid inferolateral"),
            ("396656007", "mid anterolateral"),
            ("264844003", "apical anterior"),
            ("264845002", "apical septal"),
            ("264849008", "apical inferior"),
            ("264853005", "apical lateral"),
        ),
        start=1,
    )
}


PATIENT_STATES = {  # CID 3101; an unknown state is left out, never guessed
    PatientState.REST: CodedTerm("128975004", "SCT", "Resting State"),
    PatientState.STRESS: CodedTerm("432655005", "SCT", "Cardiac Stress State"),
}


def private_scheme() -> Sequence:
    """Return the Coding Scheme Identification Sequence that declares our own codes."""
    item = Dataset()
    item.CodingSchemeDesignator = PRIVATE_SCHEME
    item.CodingSchemeUID = make_uid("coding scheme", PRIVATE_SCHEME)
    item.CodingSchemeName = "Codes of perfnode"
    item.CodingSchemeResponsibleOrganization = "perfnode"
    return Sequence([item])


def code_item(term: CodedTerm) -> Dataset:
    """Return a coded term as an item of a code sequence (PS3.3 8.8)."""
    item = Dataset()
    item.CodeValue = term.value
    item.CodingSchemeDesignator = term.scheme
    item.CodeMeaning = term.meaning
    return item


@cache
def pack_code(term: CodedTerm) -> bytes:
    """Return a coded term as an item as it stands in a file (PS3.3 8.8)."""
    return item_of(
        pack_text("CodeValue", term.value)
        + pack_text("CodingSchemeDesignator", term.scheme)
        + pack_text("CodeMeaning", term.meaning)
    )


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
