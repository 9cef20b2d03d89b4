"""What a result inherits from its source: a white list, never a patched copy.

Private elements, vendor windowing, overlays and icons must not survive into derived images,
and what is not listed here cannot.
"""

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import UID, MRImageStorage

from node.descriptions import LONGEST, SeriesName, describe
from node.settings import ResultsSettings
from node.translate.codes import SOURCE_IMAGE, CodedTerm, pack_code
from node.translate.copying import copy_elements, copy_valid_elements
from node.translate.elements import (
    Elements,
    Value,
    item_of,
    make_element,
    make_elements,
    pack_element,
    pack_text,
    plain_element,
    tag_of,
)
from node.translate.equipment import equipment_of
from node.translate.results import RunStamp
from node.translate.uids import make_uid
from node.translate.values import number_of, text_of

_IDENTITY = (
    "SpecificCharacterSet", "TimezoneOffsetFromUTC", "PatientName", "PatientID",
    "IssuerOfPatientID", "IssuerOfPatientIDQualifiersSequence", "OtherPatientIDsSequence",
    "PatientBirthDate", "PatientSex", "PatientAge", "PatientSize", "PatientWeight",
    "PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence",
    "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "StudyDescription",
    "AccessionNumber", "IssuerOfAccessionNumberSequence", "ReferringPhysicianName",
    "ProcedureCodeSequence", "ReferencedStudySequence", "RequestAttributesSequence",
    "PerformedProcedureStepID", "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime", "PerformedProcedureStepDescription",
    "ReferencedPerformedProcedureStepSequence",
)  # fmt: skip
_GEOMETRY = (
    "FrameOfReferenceUID", "PositionReferenceIndicator", "ImagePositionPatient",
    "ImageOrientationPatient", "SliceThickness", "SpacingBetweenSlices", "SliceLocation",
    "PixelSpacing", "PatientPosition",
)  # fmt: skip
_ACQUISITION = (
    "ScanningSequence", "SequenceVariant", "ScanOptions", "MRAcquisitionType", "RepetitionTime",
    "EchoTime", "EchoTrainLength", "InversionTime", "TriggerTime", "SequenceName", "AngioFlag",
    "NumberOfAverages", "ImagingFrequency", "ImagedNucleus", "EchoNumbers",
    "MagneticFieldStrength", "FlipAngle", "NominalInterval", "LowRRValue", "HighRRValue",
    "IntervalsAcquired", "IntervalsRejected", "HeartRate", "ReceiveCoilName", "ProtocolName",
    "AcquisitionMatrix", "InPlanePhaseEncodingDirection", "PixelBandwidth", "PercentSampling",
    "PercentPhaseFieldOfView", "ContrastBolusAgent", "ContrastBolusAgentSequence",
    "ContrastBolusRoute", "ContrastBolusVolume", "ContrastBolusStartTime",
    "ContrastBolusStopTime", "ContrastBolusTotalDose", "ContrastFlowRate", "ContrastFlowDuration",
    "ContrastBolusIngredient", "ContrastBolusIngredientConcentration",
    "LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod",
)  # fmt: skip
_TIMES = ("AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime")
_BEAT = (
    "InstanceNumber", "AcquisitionNumber", "TemporalPositionIdentifier",
    "NumberOfTemporalPositions", "TemporalResolution",
)  # fmt: skip
_EMPTY_ALLOWED = (  # type 2 of the modules: must be there even when the source lacks them
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime",
    "StudyID", "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
_EMPTY_ALLOWED_MR = (
    "PositionReferenceIndicator", "ScanOptions", "MRAcquisitionType", "EchoTime",
    "EchoTrainLength", "SliceThickness", "RepetitionTime", "InstanceNumber",
)  # fmt: skip
_CONTENT: dict[str, Value] = {
    "Modality": "MR",
    "BodyPartExamined": "HEART",
    "BurnedInAnnotation": "NO",
    "ContentQualification": "RESEARCH",  # type 3 of SOP Common (C.12.1)
}
_GREY: dict[str, Value] = {
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "BitsAllocated": 16,
    "BitsStored": 16,
    "HighBit": 15,
    "PixelRepresentation": 0,
}
_PURPOSE = pack_element(
    plain_element("PurposeOfReferenceCodeSequence", "SQ", pack_code(SOURCE_IMAGE))
)
_MAX_SERIES_NUMBER = 2**31 - 1  # VR IS
"""Largest value of an integer string (PS3.5 6.2)."""


def derive_identity(source: Dataset, *, run: RunStamp, settings: ResultsSettings) -> Dataset:
    """Return a dataset with patient, study, order, equipment and time of a result object."""
    return Dataset(_identity(source, run, settings))


def derive_image(source: Dataset, *, run: RunStamp, settings: ResultsSettings) -> Dataset:
    """Return an MR image without pixels that inherits geometry, times and acquisition.

    Inversion time is dropped unless the sequence is declared as inversion recovery: the MR Image
    IOD allows it only there (C.8.3.1), saturation-recovery scanners write it nevertheless.
    """
    elements = (
        make_elements({"LossyImageCompression": "00"} | _nothing(_EMPTY_ALLOWED_MR))
        | _identity(source, run, settings)
        | copy_elements(source, _GEOMETRY)
        | copy_valid_elements(source, (*_ACQUISITION, *_TIMES, *_BEAT))
        | make_elements({"SOPClassUID": MRImageStorage})
    )
    if "IR" not in text_of(source, "ScanningSequence").split():
        elements.pop(tag_of("InversionTime"), None)
    target = Dataset(elements)
    stands_in = {
        "ScanningSequence": "RM",
        "SequenceVariant": "NONE",
        "FrameOfReferenceUID": make_uid("frame of reference", text_of(source, "StudyInstanceUID")),
    }
    for keyword, value in stands_in.items():
        if not text_of(target, keyword):
            put(target, keyword, value)
    return target


def put(target: Dataset, keyword: str, value: Value, kind: str | None = None) -> None:
    """Put an element in place, as bytes where it can be; see `make_element`."""
    target[tag_of(keyword)] = make_element(keyword, value, kind)


def set_grey_pixels(target: Dataset, stored: NDArray[np.uint16]) -> None:
    """Write unsigned 16-bit grey pixels. Shape `(row, column)` (C.7.6.3)."""
    n_rows, n_columns = stored.shape
    described = make_elements(_GREY | {"Rows": n_rows, "Columns": n_columns})
    pixels = np.ascontiguousarray(stored, dtype="<u2").tobytes()
    for element in (
        *described.values(),
        make_element("SmallestImagePixelValue", int(stored.min()), "US"),
        make_element("LargestImagePixelValue", int(stored.max()), "US"),
        plain_element("PixelData", "OW", pixels),
    ):
        target[element.tag] = element


def add_sources(
    target: Dataset,
    sources: Iterable[Dataset],
    *derivations: CodedTerm,
    preserved: bool,
    moved: Iterable[Dataset] = (),
) -> None:
    """Name the images a result was made from (C.7.6.1.1.3, C.12.2) and how.

    Parameters
    ----------
    target
        The result.
    sources
        The images it was made from.
    derivations
        What was done, from CID 7203.
    preserved
        Whether a pixel lies where it lay in the sources.
    moved
        More sources, which were resampled to where the others lie.

    """
    images, brought = list(sources), list(moved)
    items = [_source_item(image, preserved=preserved) for image in images]
    items += [_source_item(image, preserved=False) for image in brought]
    for keyword, value in (
        ("DerivationCodeSequence", b"".join(map(pack_code, derivations))),
        ("SourceImageSequence", b"".join(items)),
        ("ReferencedSeriesSequence", b"".join(_series_items([*images, *brought]))),
    ):
        target[tag_of(keyword)] = plain_element(keyword, "SQ", value)


def name_instance(image: Dataset) -> Dataset:
    """Return an item that names an object (PS3.3 10.8)."""
    item = Dataset()
    item.ReferencedSOPClassUID = UID(image.SOPClassUID)
    item.ReferencedSOPInstanceUID = UID(image.SOPInstanceUID)
    return item


def result_series_number(source: Dataset, offset: int, *, settings: ResultsSettings) -> int:
    """Return source series number x factor + offset, kept within an integer string."""
    number = int(number_of(source, "SeriesNumber") or 0)
    return (number * settings.series_number_factor + offset) % _MAX_SERIES_NUMBER


def describe_series(
    name: SeriesName, *, settings: ResultsSettings, state: str = "", source: str = ""
) -> str:
    """Return a series description of at most 64 characters that ends with its label.

    Parameters
    ----------
    name
        Which series.
    settings
        What it is called, and whether it is labelled.
    state
        `stress` or `rest`; empty where both are in it.
    source
        Description of the series that it was made of.

    """
    text = describe(name, settings.descriptions, state=state, source=source)
    label = " RESEARCH" if settings.research_label else ""
    return text[: LONGEST - len(label)].rstrip() + label


def _identity(source: Dataset, run: RunStamp, settings: ResultsSettings) -> Elements:
    told: dict[str, Value] = {
        **_CONTENT,
        **dict.fromkeys(("SeriesDate", "ContentDate", "InstanceCreationDate"), run.date),
        **dict.fromkeys(("SeriesTime", "ContentTime", "InstanceCreationTime"), run.time),
    }
    if settings.research_label:
        told["ImageComments"] = settings.research_label
    return (
        make_elements(_nothing(_EMPTY_ALLOWED))
        | copy_elements(source, _IDENTITY)
        | equipment_of(source, software_version=run.software_version, settings=settings)
        | make_elements(told)
    )


def _nothing(keywords: Iterable[str]) -> dict[str, Value]:
    return dict.fromkeys(keywords)


def _source_item(image: Dataset, *, preserved: bool) -> bytes:
    frame = text_of(image, "ReferencedFrameNumber")
    return item_of(
        _named(image)
        + (pack_text("ReferencedFrameNumber", frame) if frame else b"")
        + pack_text("SpatialLocationsPreserved", "YES" if preserved else "NO")
        + _PURPOSE
    )


def _series_items(images: Iterable[Dataset]) -> Iterable[bytes]:
    by_series = [(text_of(image, "SeriesInstanceUID"), image) for image in images]
    by_series.sort(key=itemgetter(0))
    for series_uid, members in groupby(by_series, key=itemgetter(0)):
        # Every frame of a multi-frame object is in the same instance.
        instances = {text_of(image, "SOPInstanceUID"): image for _, image in members}
        named = b"".join(item_of(_named(image)) for image in instances.values())
        referenced = pack_element(plain_element("ReferencedInstanceSequence", "SQ", named))
        yield item_of(referenced + pack_text("SeriesInstanceUID", series_uid))


def _named(image: Dataset) -> bytes:
    """Return what names an object (PS3.3 10.8)."""
    return pack_text("ReferencedSOPClassUID", text_of(image, "SOPClassUID")) + pack_text(
        "ReferencedSOPInstanceUID", text_of(image, "SOPInstanceUID")
    )
