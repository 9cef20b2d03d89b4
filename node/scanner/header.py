"""The header of one image as the standard has it, before a vendor puts in its habits (C.8.3.1)."""

import math
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import MRImageStorage

from models.physics import BalancedSteadyState, EchoPlanarGradientEcho, Readout
from node.scanner.plane import ImagePlane
from node.scanner.scanned import ScannedImage, ScannedSeries
from node.scanner.session import Equipment, decimal, dicom_date, dicom_time

_MAX_STORED = 4095
_RECONSTRUCTION = timedelta(milliseconds=350)
_PROTON_MHZ_PER_TESLA = 42.577478
_USUAL_DOSE_ML = 5.0


def image_header(image: ScannedImage, equipment: Equipment) -> Dataset:
    """Return the header of one image, without pixels.

    Repetition time is that of the whole shot, inversion time the one from saturation to the centre
    of k-space, trigger time that from the R wave: it is constant in a slice.
    """
    series = image.series
    header = series.session.header(equipment)
    header.SOPClassUID = MRImageStorage
    header.SOPInstanceUID = series.session.uid(*series.identity, str(image.instance))
    header.InstanceNumber = image.instance
    header.AcquisitionNumber = image.beat + 1
    header.ImageComments = f"{series.exam.state} bolus, virtual patient"
    _add_series(header, series)
    _add_time(header, image)
    header.TriggerTime = decimal(round(image.phantom.trigger_delay_s * 1e3, 3))
    header.NominalInterval = round(image.interval_s * 1e3)
    _add_sequence(header, image)
    add_plane(header, image.plane, image.phantom.spacing_mm, image.phantom.thickness_mm)
    if series.declares_beats:
        add_beat(header, image)
    return header


def add_beat(header: Dataset, image: ScannedImage) -> None:
    """Count the beat among those of the series."""
    header.TemporalPositionIdentifier = image.beat - image.series.beats.start + 1
    header.NumberOfTemporalPositions = len(image.series.beats)


def add_plane(
    header: Dataset, plane: ImagePlane, spacing_mm: tuple[float, float], thickness_mm: float
) -> None:
    """Write position, orientation, spacing (C.7.6.2)."""
    normal = np.cross(plane.row_direction, plane.column_direction)
    directions = (*plane.row_direction, *plane.column_direction)
    header.ImagePositionPatient = [decimal(value) for value in plane.origin_mm]
    header.ImageOrientationPatient = [decimal(round(value, 9) + 0.0) for value in directions]
    header.SliceLocation = decimal(float(plane.origin_mm @ normal))
    header.PixelSpacing = [decimal(value) for value in spacing_mm]
    header.SliceThickness = decimal(thickness_mm)


def add_pixels(header: Dataset, magnitude: NDArray[np.float32]) -> None:
    """Write a magnitude image as 12-bit grey values. Shape `(row, column)`."""
    add_stored(header, np.clip(np.rint(magnitude), 0, _MAX_STORED).astype("<u2"), n_bits=12)


def add_stored(header: Dataset, stored: NDArray[np.integer], *, n_bits: int) -> None:
    """Write grey values as they are, 16 bits allocated. Shape `(row, column)`."""
    header.SamplesPerPixel = 1
    header.PhotometricInterpretation = "MONOCHROME2"
    header.Rows, header.Columns = stored.shape
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, n_bits, n_bits - 1
    header.PixelRepresentation = int(np.issubdtype(stored.dtype, np.signedinteger))
    header.SmallestImagePixelValue = int(stored.min())
    header.LargestImagePixelValue = int(stored.max())
    header.WindowCenter, header.WindowWidth = "600", "1300"
    header.PixelData = stored.tobytes()


def _add_series(header: Dataset, series: ScannedSeries) -> None:
    header.SeriesInstanceUID = series.session.uid(*series.identity)
    header.SeriesNumber = series.number
    header.SeriesDescription = header.ProtocolName = series.description
    header.SeriesDate = dicom_date(series.started)
    header.SeriesTime = dicom_time(series.started)
    header.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]


def _add_time(header: Dataset, image: ScannedImage) -> None:
    acquired, created = image.acquired, image.acquired + _RECONSTRUCTION
    header.AcquisitionDate, header.AcquisitionTime = dicom_date(acquired), dicom_time(acquired)
    header.ContentDate, header.ContentTime = dicom_date(created), dicom_time(created)


def _add_sequence(header: Dataset, image: ScannedImage) -> None:
    readout, to_centre_s = image.readout, image.readout.time_to_centre_s
    if not image.series.is_proton_density:
        to_centre_s = image.phantom.sequence.saturation_time_s
        header.InversionTime = decimal(to_centre_s * 1e3)
    # One shot: preparation, the pulses before the centre and as many after it.
    header.RepetitionTime = decimal((to_centre_s + readout.time_to_centre_s) * 1e3)
    _add_readout(header, readout)
    header.ScanOptions, header.MRAcquisitionType = "CG", "2D"
    header.EchoTime = decimal(readout.echo_time_s * 1e3)
    header.FlipAngle = decimal(math.degrees(readout.flip_angle_rad))
    header.NumberOfAverages, header.EchoNumbers = "1", str(image.phantom.echo_number)
    exam = image.series.exam
    header.MagneticFieldStrength = decimal(exam.field_strength_t)
    header.ImagingFrequency = decimal(exam.field_strength_t * _PROTON_MHZ_PER_TESLA)
    header.ImagedNucleus = "1H"
    header.ContrastBolusAgent = exam.agent.capitalize()
    header.ContrastBolusVolume = decimal(_USUAL_DOSE_ML * exam.dose_fraction)


def _add_readout(header: Dataset, readout: Readout) -> None:
    """Write what kind of readout it is (C.8.3.1.1)."""
    header.ScanningSequence, header.SequenceVariant = "GR", ["SP", "MP"]
    header.EchoTrainLength = "1"
    if isinstance(readout, EchoPlanarGradientEcho):
        header.ScanningSequence = ["GR", "EP"]
        header.EchoTrainLength = str(readout.echo_train_length)
    elif isinstance(readout, BalancedSteadyState):
        header.SequenceVariant = ["SS", "MP"]
