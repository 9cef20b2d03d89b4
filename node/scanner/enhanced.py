"""Images of one series as an Enhanced MR object (PS3.3 A.36.2)."""

from collections.abc import Sequence

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import EnhancedMRImageStorage

from node.scanner.functional_groups import code, frame_groups, image_kind
from node.scanner.scanned import ScannedImage
from node.scanner.vendors import Manners

Frame = tuple[Dataset, ScannedImage]
"""Header with pixels and the habits of the vendor, and what the scanner knows of it."""

_KEPT = (  # as they are in every image of the series
    "SpecificCharacterSet", "PatientName", "PatientID", "PatientBirthDate", "PatientSex",
    "PatientAge", "PatientWeight", "PatientPosition", "BodyPartExamined", "StudyInstanceUID",
    "FrameOfReferenceUID", "PositionReferenceIndicator", "StudyDate", "StudyTime", "StudyID",
    "StudyDescription", "AccessionNumber", "ReferringPhysicianName", "PerformedProcedureStepID",
    "PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime",
    "RequestAttributesSequence", "Modality", "Manufacturer", "ManufacturerModelName",
    "InstitutionName", "StationName", "DeviceSerialNumber", "SoftwareVersions",
    "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "ProtocolName", "SeriesDate",
    "SeriesTime", "ContentDate", "ContentTime", "SamplesPerPixel", "PhotometricInterpretation",
    "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "MagneticFieldStrength", "MRAcquisitionType",
)  # fmt: skip
_DIMENSIONS = (
    "StackID",
    "InStackPositionNumber",
    "TemporalPositionIndex",
    "EffectiveEchoTime",
)
_AGENTS = {  # CID 12
    "gadobutrol": code("407976008", "SCT", "Gadobutrol"),
    "gadoterate": code("712714000", "SCT", "Gadoterate meglumine"),
    "gadobenate": code("792865009", "SCT", "Gadobenate dimeglumine"),
    "gadopentetate": code("109216000", "SCT", "Gadopentetate dimeglumine"),
    "gadoteridol": code("353946009", "SCT", "Gadoteridol"),
    "gadodiamide": code("354088005", "SCT", "Gadodiamide"),
}
_NEVER_SHARED = frozenset(
    Tag(keyword)
    for keyword in (
        "FrameContentSequence",
        "PlanePositionSequence",
        "CardiacSynchronizationSequence",
    )
)
"""Not even where an object has one frame."""
_SOME_AGENT = code("768763008", "SCT", "Gadolinium")


def make_enhanced(frames: Sequence[Frame], manners: Manners, *parts: str) -> Dataset:
    """Return one object of frames of a series, in the order in which they are given.

    What is equal in all frames goes into the shared functional groups, if it is public.

    Parameters
    ----------
    frames
        At least one.
    manners
        Habits of the vendor.
    parts
        What the identifier of the object follows from, besides its series.

    """
    first, image = frames[0]
    whole = _whole(first, image, manners)
    whole.SOPInstanceUID = image.series.session.uid(*image.series.identity, *parts)
    whole.InstanceNumber = first.InstanceNumber if len(frames) == 1 else 1
    whole.NumberOfFrames = len(frames)
    _add_dimensions(whole, image)
    _add_groups(whole, frames, manners)
    whole.PixelData = b"".join(header.PixelData for header, _ in frames)
    return whole


def _whole(first: Dataset, image: ScannedImage, manners: Manners) -> Dataset:
    whole = Dataset()
    whole.SOPClassUID = EnhancedMRImageStorage
    for keyword in _KEPT:
        if keyword in first:
            whole[keyword] = first[keyword]
    whole.update(image_kind())
    whole.ImageType = _image_type(image, manners)
    whole.AcquisitionNumber = 1
    whole.AcquisitionDateTime = f"{first.SeriesDate}{first.SeriesTime}"
    whole.AcquisitionDuration = float(image.phantom.time_s[-1])
    whole.ResonantNucleus, whole.KSpaceFiltering = "1H", "NONE"
    whole.ContentQualification, whole.ApplicableSafetyStandardAgency = "RESEARCH", "IEC"
    whole.PresentationLUTShape, whole.BurnedInAnnotation = "IDENTITY", "NO"
    whole.LossyImageCompression = "00"
    whole.AcquisitionContextSequence = []
    _add_sequence(whole, first, image)
    _add_cardiac(whole)
    _add_contrast(whole, image, first)
    return whole


def _image_type(image: ScannedImage, manners: Manners) -> list[str]:
    flavour = manners.flavour.format(STATE=image.series.exam.state.upper())
    return ["ORIGINAL", "PRIMARY", flavour, "NONE"]


def _add_sequence(whole: Dataset, first: Dataset, image: ScannedImage) -> None:
    """Write the kind of sequence (C.8.13.4)."""
    is_balanced = "SP" not in first.SequenceVariant
    whole.PulseSequenceName = first.get("PulseSequenceName") or first.SequenceName
    whole.EchoPulseSequence = "GRADIENT"
    whole.SteadyStatePulseSequence = "FREE_PRECESSION" if is_balanced else "NONE"
    whole.EchoPlanarPulseSequence = "YES" if "EP" in first.ScanningSequence else "NO"
    whole.MultiPlanarExcitation = "NO"
    whole.PhaseContrast = whole.TimeOfFlightContrast = "NO"
    whole.SaturationRecovery = "NO" if image.series.is_proton_density else "YES"
    whole.SpectrallySelectedSuppression, whole.OversamplingPhase = "NONE", "NONE"
    whole.GeometryOfKSpaceTraversal = "RECTILINEAR"
    whole.RectilinearPhaseEncodeReordering = "LINEAR"
    whole.SegmentedKSpaceTraversal, whole.NumberOfKSpaceTrajectories = "SINGLE", 1


def _add_cardiac(whole: Dataset) -> None:
    """Write that every beat triggers (C.7.6.18.1)."""
    whole.CardiacSynchronizationTechnique = "PROSPECTIVE"
    for keyword in ("LowRRValue", "HighRRValue", "IntervalsAcquired", "IntervalsRejected"):
        setattr(whole, keyword, None)
    whole.CardiacSignalSource = "ECG"
    whole.CardiacRRIntervalSpecified = 800.0
    whole.CardiacBeatRejectionTechnique = "NONE"


def _add_contrast(whole: Dataset, image: ScannedImage, first: Dataset) -> None:
    """Write the contrast agent (C.7.6.4b)."""
    coded = _AGENTS.get(image.series.exam.agent, _SOME_AGENT)
    agent = Dataset()
    agent.update(coded)
    agent.ContrastBolusAgentNumber = 1
    agent.ContrastBolusAdministrationRouteSequence = [code("47625008", "SCT", "Intravenous route")]
    agent.ContrastBolusIngredientCodeSequence = [coded]
    agent.ContrastBolusVolume = first.ContrastBolusVolume
    agent.ContrastBolusIngredientConcentration = None  # mg/ml
    whole.ContrastBolusAgentSequence = [agent]


def _add_dimensions(whole: Dataset, image: ScannedImage) -> None:
    session = image.series.session
    uid = session.uid(*image.series.identity, "dimensions")
    organization = Dataset()
    organization.DimensionOrganizationUID = uid
    whole.DimensionOrganizationSequence = [organization]
    whole.DimensionIndexSequence = []
    for keyword in _DIMENSIONS:
        index = Dataset()
        group = "MREchoSequence" if keyword == "EffectiveEchoTime" else "FrameContentSequence"
        index.DimensionIndexPointer = tag_for_keyword(keyword)
        index.FunctionalGroupPointer = tag_for_keyword(group)
        index.DimensionOrganizationUID = uid
        index.DimensionDescriptionLabel = keyword
        whole.DimensionIndexSequence.append(index)


def _add_groups(whole: Dataset, frames: Sequence[Frame], manners: Manners) -> None:
    per_frame = [_groups(header, image, manners) for header, image in frames]
    shared = Dataset()
    for tag in [tag for tag in per_frame[0].keys() - _NEVER_SHARED if not tag.is_private]:
        values = [group.get(tag) for group in per_frame]
        if all(value == values[0] for value in values[1:]):
            shared[tag] = values[0]
            for group in per_frame:
                del group[tag]
    whole.SharedFunctionalGroupsSequence = [shared]
    whole.PerFrameFunctionalGroupsSequence = per_frame


def _groups(header: Dataset, image: ScannedImage, manners: Manners) -> Dataset:
    beat = image.beat - image.series.beats.start + 1 if manners.counts_beats else 1
    echo = image.phantom.echo_number
    position = 1 if echo > 1 else image.stack + 1
    group = Dataset()
    header.ImageType = _image_type(image, manners)
    for keyword, item in frame_groups(header, image, (position, beat, echo)):
        setattr(group, keyword, [item])
    group.update(manners.nest(header))
    return group
