"""Concept names and values of the measurement report (PS3.16 TID 1500), beside those of maps."""

from node.translate.codes import PRIVATE_SCHEME, CodedTerm
from pipeline.findings import Code, Grade
from pipeline.regions import Layer
from pipeline.types import FlowModel, PatientState

REPORT = CodedTerm("126000", "DCM", "Imaging Measurement Report")  # CID 7021
LANGUAGE = CodedTerm("121049", "DCM", "Language of Content Item and Descendants")
ENGLISH = CodedTerm("en-US", "RFC5646", "English (United States)")
PROCEDURE_REPORTED = CodedTerm("121058", "DCM", "Procedure reported")
PROCEDURES = {  # a stress exam alone has a code of its own
    PatientState.STRESS: CodedTerm("58750-1", "LN", "MR Heart W stress"),
    PatientState.REST: CodedTerm("241620005", "SCT", "Cardiac MRI"),  # CID 3757
    PatientState.UNKNOWN: CodedTerm("241620005", "SCT", "Cardiac MRI"),
}

OBSERVER_TYPE = CodedTerm("121005", "DCM", "Observer Type")
DEVICE = CodedTerm("121007", "DCM", "Device")
DEVICE_UID = CodedTerm("121012", "DCM", "Device Observer UID")
DEVICE_NAME = CodedTerm("121013", "DCM", "Device Observer Name")
DEVICE_MANUFACTURER = CodedTerm("121014", "DCM", "Device Observer Manufacturer")
DEVICE_MODEL = CodedTerm("121015", "DCM", "Device Observer Model Name")
DEVICE_SERIAL_NUMBER = CodedTerm("121016", "DCM", "Device Observer Serial Number")
DEVICE_ROLE = CodedTerm("113876", "DCM", "Device Role in Procedure")
RECORDING = CodedTerm("121097", "DCM", "Recording")

IMAGE_LIBRARY = CodedTerm("111028", "DCM", "Image Library")
IMAGE_LIBRARY_GROUP = CodedTerm("126200", "DCM", "Image Library Group")
MODALITY = CodedTerm("121139", "DCM", "Modality")
MAGNETIC_RESONANCE = CodedTerm("MR", "DCM", "Magnetic Resonance")
MEASUREMENTS = CodedTerm("126010", "DCM", "Imaging Measurements")
GROUP = CodedTerm("125007", "DCM", "Measurement Group")

TRACKING_NAME = CodedTerm("112039", "DCM", "Tracking Identifier")
TRACKING_UID = CodedTerm("112040", "DCM", "Tracking Unique Identifier")
FINDING = CodedTerm("121071", "DCM", "Finding")
MYOCARDIAL_PERFUSION = CodedTerm("251053005", "SCT", "Myocardial perfusion")
QUALITY_ASSESSMENT = CodedTerm("111050", "DCM", "Quality Assessment")
FINDING_SITE = CodedTerm("363698007", "SCT", "Finding Site")
SITE_MODIFIER = CodedTerm("106233006", "SCT", "Topographical modifier")
TIME_POINT = CodedTerm("C2348792", "UMLS", "Time Point")
SEGMENT = CodedTerm("121191", "DCM", "Referenced Segment")
SEGMENTED_IMAGE = CodedTerm("121233", "DCM", "Source Image for Segmentation")
COMMENT = CodedTerm("121106", "DCM", "Comment")
LAYERS = {  # CID 3843; the whole wall has none
    Layer.ENDOCARDIAL: CodedTerm("304059001", "SCT", "endocardial"),
    Layer.EPICARDIAL: CodedTerm("261073003", "SCT", "epicardial"),
}

METHOD = CodedTerm("370129005", "SCT", "Measurement Method")
METHODS = {  # CID 4105, 4106; both exchange models in them are other ones than ours
    FlowModel.BTEX: CodedTerm("BTEX", PRIVATE_SCHEME, "Plug-flow blood-tissue exchange model"),
    FlowModel.FERMI: CodedTerm("126310", "DCM", "Least Mean Square (LMS) deconvolution"),
    FlowModel.TIKHONOV: CodedTerm(
        "126342", "DCM", "Model-free concentration-time quantitification"
    ),
}
ALGORITHM_NAME = CodedTerm("111001", "DCM", "Algorithm Name")
ALGORITHM_VERSION = CodedTerm("111003", "DCM", "Algorithm Version")
ALGORITHM_PARAMETERS = CodedTerm("111002", "DCM", "Algorithm Parameters")

DERIVATION = CodedTerm("121401", "DCM", "Derivation")
MEAN = CodedTerm("373098007", "SCT", "Mean")  # CID 7464
MEDIAN = CodedTerm("373099004", "SCT", "Median")  # CID 7464
STANDARD_DEVIATION = CodedTerm("386136009", "SCT", "Standard Deviation")  # CID 7464
UNCERTAINTY = CodedTerm("371884006", "SCT", "+/-, range of measurement uncertainty")  # CID 225
HEART_RATE = CodedTerm("8867-4", "LN", "Heart rate")
N_PIXELS = CodedTerm("PIXELS", PRIVATE_SCHEME, "Number of pixels with a value")
VALID_PART = CodedTerm("VALID", PRIVATE_SCHEME, "Part of the region with a value")
PIXELS = CodedTerm("{pixels}", "UCUM", "pixels")
PERCENT = CodedTerm("%", "UCUM", "Percent")  # CID 83, 84, 7181
BEATS_PER_MINUTE = CodedTerm("{H.B.}/min", "UCUM", "beats per minute")

IMAGE_QUALITY = CodedTerm("111101", "DCM", "Image Quality")
IMAGE_QUALITIES = {  # CID 7036
    Grade.NOTE: CodedTerm("RID12", "RADLEX", "Diagnostic quality"),
    Grade.REVIEW: CodedTerm("RID13", "RADLEX", "Limited quality"),
    Grade.FAIL: CodedTerm("RID14", "RADLEX", "Non-diagnostic quality"),
}
QUALITY_ISSUE = CodedTerm("113010", "DCM", "Quality Issue")
PARAMETER = CodedTerm("PARAMETER", PRIVATE_SCHEME, "Parameter of the analysis")
ASSUMPTION = CodedTerm("ASSUMPTION", PRIVATE_SCHEME, "Assumed parameter of the analysis")


def finding_code(code: Code) -> CodedTerm:
    """Return the reason code of a finding as a coded term: `P09`, "Residual motion"."""
    meaning = code.name.replace("_", " ").capitalize()
    return CodedTerm(code.value, PRIVATE_SCHEME, meaning)
