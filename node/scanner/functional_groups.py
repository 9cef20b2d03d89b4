"""The functional groups of one frame of an Enhanced MR object (PS3.3 C.7.6.16, C.8.13.5)."""

from collections.abc import Iterator, Sequence

from pydicom.dataset import Dataset

from node.scanner.scanned import ScannedImage

_STACK = "1"


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """Return a coded concept (8.8)."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def frame_groups(
    header: Dataset, image: ScannedImage, dimensions: Sequence[int]
) -> Iterator[tuple[str, Dataset]]:
    """Yield keyword and item of every functional group of a frame.

    Parameters
    ----------
    header
        The header of the frame with the habits of its vendor.
    image
        What the scanner knows of it.
    dimensions
        Position in stack, temporal position, number of the echo.

    """
    yield "FrameContentSequence", _content(header, image, dimensions)
    yield "PlanePositionSequence", _copy(header, {"ImagePositionPatient": ""})
    yield "PlaneOrientationSequence", _copy(header, {"ImageOrientationPatient": ""})
    yield "PixelMeasuresSequence", _copy(header, {"PixelSpacing": "", "SliceThickness": ""})
    yield "FrameAnatomySequence", _anatomy()
    yield "PixelValueTransformationSequence", _transformation(header)
    yield "FrameVOILUTSequence", _copy(header, {"WindowCenter": "", "WindowWidth": ""})
    if "RealWorldValueMappingSequence" in header:
        yield "RealWorldValueMappingSequence", header.RealWorldValueMappingSequence[0]
    yield "CardiacSynchronizationSequence", _cardiac(header)
    yield "ContrastBolusUsageSequence", _contrast()
    yield "MRImageFrameTypeSequence", frame_type(header)
    yield "MRTimingAndRelatedParametersSequence", _timing(header)
    yield "MRFOVGeometrySequence", _field_of_view(header)
    yield "MREchoSequence", _copy(header, {"EchoTime": "EffectiveEchoTime"})
    yield "MRModifierSequence", _modifier(header)
    yield "MRImagingModifierSequence", _imaging_modifier(header)
    yield "MRReceiveCoilSequence", _receive_coil()
    yield "MRTransmitCoilSequence", _transmit_coil()
    yield "MRAveragesSequence", _copy(header, {"NumberOfAverages": ""})


def frame_type(header: Dataset) -> Dataset:
    """Return what kind of image it is (C.8.13.3.1)."""
    item = image_kind()
    item.FrameType = header.ImageType
    return item


def image_kind() -> Dataset:
    """Return what holds for a frame and for the whole object (C.8.16.2, C.8.13.3.1)."""
    item = Dataset()
    item.PixelPresentation = "MONOCHROME"
    item.VolumetricProperties = "VOLUME"
    item.VolumeBasedCalculationTechnique = "NONE"
    item.ComplexImageComponent = "MAGNITUDE"
    item.AcquisitionContrast = "PERFUSION"
    return item


def _copy(header: Dataset, keywords: dict[str, str]) -> Dataset:
    """Copy elements, renamed where a name is given; decimal strings may become numbers."""
    item = Dataset()
    for keyword, name in keywords.items():
        value = header[keyword].value
        setattr(item, name or keyword, float(value) if name else value)
    return item


def _content(header: Dataset, image: ScannedImage, dimensions: Sequence[int]) -> Dataset:
    item = Dataset()
    item.FrameReferenceDateTime = f"{header.AcquisitionDate}{header.AcquisitionTime}"
    item.FrameAcquisitionDateTime = item.FrameReferenceDateTime
    item.FrameAcquisitionDuration = 2e3 * image.readout.time_to_centre_s
    item.FrameAcquisitionNumber = header.AcquisitionNumber
    item.FrameComments = header.ImageComments
    item.StackID = _STACK
    item.InStackPositionNumber, item.TemporalPositionIndex = dimensions[:2]
    item.DimensionIndexValues = [1, *dimensions]
    return item


def _anatomy() -> Dataset:
    item = Dataset()
    item.FrameLaterality = "U"
    item.AnatomicRegionSequence = [code("80891009", "SCT", "Heart")]
    return item


def _transformation(header: Dataset) -> Dataset:
    item = Dataset()
    item.RescaleSlope = header.get("RescaleSlope", "1")
    item.RescaleIntercept = header.get("RescaleIntercept", "0")
    item.RescaleType = "US"
    return item


def _cardiac(header: Dataset) -> Dataset:
    item = Dataset()
    item.NominalCardiacTriggerDelayTime = float(header.TriggerTime)
    item.RRIntervalTimeNominal = float(header.NominalInterval)
    return item


def _contrast() -> Dataset:
    item = Dataset()
    item.ContrastBolusAgentNumber = 1
    item.ContrastBolusAgentAdministered = "YES"
    item.ContrastBolusAgentDetected = "YES"
    return item


def _timing(header: Dataset) -> Dataset:
    mode = Dataset()
    mode.OperatingModeType, mode.OperatingMode = "STATIC FIELD", "IEC_NORMAL"
    rate = Dataset()
    rate.SpecificAbsorptionRateDefinition, rate.SpecificAbsorptionRateValue = "IEC_WHOLE_BODY", 0.5
    item = Dataset()
    item.RepetitionTime, item.FlipAngle = header.RepetitionTime, header.FlipAngle
    item.EchoTrainLength = header.EchoTrainLength
    item.RFEchoTrainLength, item.GradientEchoTrainLength = 0, int(header.EchoTrainLength)
    item.GradientOutputType, item.GradientOutput = "DB_DT", 40.0
    item.SpecificAbsorptionRateSequence, item.OperatingModeSequence = [rate], [mode]
    return item


def _field_of_view(header: Dataset) -> Dataset:
    item = Dataset()
    item.InPlanePhaseEncodingDirection = "ROW"
    item.MRAcquisitionFrequencyEncodingSteps = header.Rows
    item.MRAcquisitionPhaseEncodingStepsInPlane = header.Columns
    item.PercentSampling, item.PercentPhaseFieldOfView = "100", "100"
    return item


def _modifier(header: Dataset) -> Dataset:
    """Return what prepares the magnetisation.

    Inversion times are only legal where inversion recovery is said to be there (C.8.13.5.8): there
    is no other public place for the delay after a saturation pulse.
    """
    item = Dataset()
    item.InversionRecovery = "NO"
    if "InversionTime" in header:
        item.InversionRecovery, item.InversionTimes = "YES", float(header.InversionTime)
    item.FlowCompensation = "NONE"
    item.Spoiling = "RF_AND_GRADIENT" if "SP" in header.SequenceVariant else "NONE"
    item.T2Preparation, item.SpectrallySelectedExcitation = "NO", "NONE"
    item.SpatialPresaturation, item.PartialFourier = "NONE", "NO"
    item.ParallelAcquisition = "NO"
    return item


def _imaging_modifier(header: Dataset) -> Dataset:
    item = Dataset()
    item.MagnetizationTransfer, item.BloodSignalNulling, item.Tagging = "NONE", "NO", "NONE"
    item.TransmitterFrequency = float(header.ImagingFrequency)
    item.PixelBandwidth = "650"
    return item


def _receive_coil() -> Dataset:
    item = Dataset()
    item.ReceiveCoilName, item.ReceiveCoilManufacturerName = "BODY 18", None
    item.ReceiveCoilType, item.QuadratureReceiveCoil = "SURFACE", "NO"
    return item


def _transmit_coil() -> Dataset:
    item = Dataset()
    item.TransmitCoilName, item.TransmitCoilManufacturerName = "BODY", None
    item.TransmitCoilType = "BODY"
    return item
