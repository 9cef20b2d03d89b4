"""What a result inherits from its source: a white list, never a patched copy.

Private elements, vendor windowing, overlays and icons must not survive into derived images,
and what is not listed here cannot.
"""

from collections.abc import Iterable
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as ItemSequence
from pydicom.uid import UID, MRImageStorage

from node.descriptions import LONGEST, SeriesName, describe
from node.settings import ResultsSettings
from node.translate.codes import SOURCE_IMAGE, CodedTerm, code_sequence
from node.translate.copying import copy_elements, copy_valid_elements
from node.translate.equipment import add_equipment
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
_MAX_SERIES_NUMBER = 2**31 - 1  # VR IS
"""Largest value of an integer string (PS3.5 6.2)."""


def derive_identity(source: Dataset, *, run: RunStamp, settings: ResultsSettings) -> Dataset:
    """Return a dataset with patient, study, order, equipment and time of a result object."""
    target = Dataset()
    copy_elements(source, target, _IDENTITY)
    _fill(target, _EMPTY_ALLOWED)
    add_equipment(target, source, software_version=run.software_version, settings=settings)
    target.SeriesDate = target.ContentDate = target.InstanceCreationDate = run.date
    target.SeriesTime = target.ContentTime = target.InstanceCreationTime = run.time
    target.Modality = "MR"
    target.BodyPartExamined = "HEART"
    target.BurnedInAnnotation = "NO"
    target.ContentQualification = "RESEARCH"  # type 3 of SOP Common (C.12.1)
    if settings.research_label:
        target.ImageComments = settings.research_label
    return target


def derive_image(source: Dataset, *, run: RunStamp, settings: ResultsSettings) -> Dataset:
    """Return an MR image without pixels that inherits geometry, times and acquisition.

    Inversion time is dropped unless the sequence is declared as inversion recovery: the MR Image
    IOD allows it only there (C.8.3.1), saturation-recovery scanners write it nevertheless.
    """
    target = derive_identity(source, run=run, settings=settings)
    copy_elements(source, target, _GEOMETRY)
    copy_valid_elements(source, target, (*_ACQUISITION, *_TIMES, *_BEAT))
    _fill(target, _EMPTY_ALLOWED_MR)
    if "IR" not in text_of(source, "ScanningSequence").split():
        target.pop("InversionTime", None)
    if not text_of(target, "ScanningSequence"):
        target.ScanningSequence = "RM"
    if not text_of(target, "SequenceVariant"):
        target.SequenceVariant = "NONE"
    if not text_of(target, "FrameOfReferenceUID"):
        target.FrameOfReferenceUID = make_uid("frame of reference", source.StudyInstanceUID)
    target.SOPClassUID = MRImageStorage
    if "LossyImageCompression" not in target:
        target.LossyImageCompression = "00"
    return target


def set_grey_pixels(target: Dataset, stored: NDArray[np.uint16]) -> None:
    """Write unsigned 16-bit grey pixels. Shape `(row, column)` (C.7.6.3)."""
    target.SamplesPerPixel = 1
    target.PhotometricInterpretation = "MONOCHROME2"
    target.Rows, target.Columns = stored.shape
    target.BitsAllocated = target.BitsStored = 16
    target.HighBit = 15
    target.PixelRepresentation = 0
    target.SmallestImagePixelValue = int(stored.min())
    target.LargestImagePixelValue = int(stored.max())
    target.PixelData = np.ascontiguousarray(stored, dtype="<u2").tobytes()


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
    target.DerivationCodeSequence = code_sequence(*derivations)
    target.SourceImageSequence = ItemSequence(
        [
            *(_source_item(image, preserved=preserved) for image in images),
            *(_source_item(image, preserved=False) for image in brought),
        ]
    )
    target.ReferencedSeriesSequence = ItemSequence(_series_items([*images, *brought]))


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


def _fill(target: Dataset, keywords: Iterable[str]) -> None:
    for keyword in keywords:
        if keyword not in target:
            setattr(target, keyword, None)


def _reference(image: Dataset) -> Dataset:
    item = name_instance(image)
    if "ReferencedFrameNumber" in image:
        item.ReferencedFrameNumber = image.ReferencedFrameNumber
    return item


def _source_item(image: Dataset, *, preserved: bool) -> Dataset:
    item = _reference(image)
    item.SpatialLocationsPreserved = "YES" if preserved else "NO"
    item.PurposeOfReferenceCodeSequence = code_sequence(SOURCE_IMAGE)
    return item


def _series_items(images: Iterable[Dataset]) -> Iterable[Dataset]:
    ordered = sorted(images, key=lambda image: str(image.SeriesInstanceUID))
    for series_uid, members in groupby(ordered, key=lambda image: str(image.SeriesInstanceUID)):
        item = Dataset()
        item.SeriesInstanceUID = UID(series_uid)
        # Every frame of a multi-frame object is in the same instance.
        instances = {str(image.SOPInstanceUID): image for image in members}
        item.ReferencedInstanceSequence = ItemSequence(
            name_instance(image) for image in instances.values()
        )
        yield item
