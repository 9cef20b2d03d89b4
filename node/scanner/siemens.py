"""The header of one image as a Siemens scanner of the E line writes it."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import MRImageStorage

from models.phantom import PhantomSeries
from models.physics import BalancedSteadyState, EchoPlanarGradientEcho, Readout
from node.scanner.plane import ImagePlane
from node.scanner.session import Session, decimal, dicom_date, dicom_time

PRIVATE_CREATOR = "SIEMENS MR HEADER"
_TIME_AFTER_START = 0x16
_MAX_STORED = 4095
_RECONSTRUCTION = timedelta(milliseconds=350)
_PROTON_MHZ_PER_TESLA = 42.577478
_USUAL_DOSE_ML = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesHeader:
    """What is the same for all images of one series."""

    session: Session
    state: str
    description: str
    number: int
    started: datetime
    field_strength_t: float
    agent: str
    dose_fraction: float
    n_beats: int
    declares_beats: bool
    """Write the number of temporal positions, which this vendor leaves out."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What the identifiers of the series follow from."""
        return self.state, self.description, str(self.number)


def image_header(
    series: SeriesHeader,
    image: PhantomSeries,
    plane: ImagePlane,
    *,
    beat: int,
    instance: int,
    interval_s: float,
) -> Dataset:
    """Return the header of one image, without pixels.

    Parameters
    ----------
    series
        The series it belongs to.
    image
        The slice of the phantom it shows.
    plane
        Where it lies.
    beat
        Index of the frame.
    instance
        Instance number.
    interval_s
        Duration of this beat, s.

    """
    header = series.session.header()
    header.SOPClassUID = MRImageStorage
    header.SOPInstanceUID = series.session.uid(*series.key, str(instance))
    header.InstanceNumber = instance
    header.AcquisitionNumber = beat + 1
    header.ImageComments = f"{series.state} bolus, virtual patient"
    _add_series(header, series)
    _add_time(header, series, float(image.time_s[beat]))
    _add_cardiac(header, image.trigger_delay_s, interval_s)
    _add_sequence(header, series, image)
    add_plane(header, plane, image.spacing_mm, image.thickness_mm)
    if series.declares_beats:
        header.TemporalPositionIdentifier = beat + 1
        header.NumberOfTemporalPositions = series.n_beats
    return header


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
    stored = np.clip(np.rint(magnitude), 0, _MAX_STORED).astype("<u2")
    header.SamplesPerPixel = 1
    header.PhotometricInterpretation = "MONOCHROME2"
    header.Rows, header.Columns = stored.shape
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, 12, 11
    header.PixelRepresentation = 0
    header.SmallestImagePixelValue = int(stored.min())
    header.LargestImagePixelValue = int(stored.max())
    header.WindowCenter, header.WindowWidth = "600", "1300"
    header.PixelData = stored.tobytes()


def _add_series(header: Dataset, series: SeriesHeader) -> None:
    header.SeriesInstanceUID = series.session.uid(*series.key)
    header.SeriesNumber = series.number
    header.SeriesDescription = header.ProtocolName = series.description
    header.SeriesDate = dicom_date(series.started)
    header.SeriesTime = dicom_time(series.started)
    header.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]


def _add_time(header: Dataset, series: SeriesHeader, time_s: float) -> None:
    acquired = series.started + timedelta(microseconds=round(time_s * 1e6))
    created = acquired + _RECONSTRUCTION
    header.AcquisitionDate, header.AcquisitionTime = dicom_date(acquired), dicom_time(acquired)
    header.ContentDate, header.ContentTime = dicom_date(created), dicom_time(created)
    private = header.private_block(0x0019, PRIVATE_CREATOR, create=True)
    private.add_new(_TIME_AFTER_START, "DS", decimal(time_s))


def _add_cardiac(header: Dataset, trigger_delay_s: float, interval_s: float) -> None:
    header.TriggerTime = decimal(round(trigger_delay_s * 1e3, 3))
    header.NominalInterval = round(interval_s * 1e3)


def _add_sequence(header: Dataset, series: SeriesHeader, image: PhantomSeries) -> None:
    readout = image.sequence.readout
    # One shot: preparation, the pulses before the centre and as many after it.
    half_train_s = readout.time_to_centre_s
    _add_readout(header, readout)
    header.ScanOptions, header.MRAcquisitionType = "CG", "2D"
    header.RepetitionTime = decimal((image.sequence.saturation_time_s + half_train_s) * 1e3)
    header.EchoTime = decimal(readout.echo_time_s * 1e3)
    header.InversionTime = decimal(image.sequence.saturation_time_s * 1e3)
    header.FlipAngle = decimal(math.degrees(readout.flip_angle_rad))
    header.NumberOfAverages, header.EchoNumbers = "1", str(image.echo_number)
    header.MagneticFieldStrength = decimal(series.field_strength_t)
    header.ImagingFrequency = decimal(series.field_strength_t * _PROTON_MHZ_PER_TESLA)
    header.ImagedNucleus = "1H"
    header.ContrastBolusAgent = series.agent.capitalize()
    header.ContrastBolusVolume = decimal(_USUAL_DOSE_ML * series.dose_fraction)


def _add_readout(header: Dataset, readout: Readout) -> None:
    """Write what kind of readout it is; names of sequences are made up but for the spoiled one."""
    n_pulses = 2 * readout.pulses_before_centre
    header.ScanningSequence, header.SequenceVariant = "GR", ["SP", "MP"]
    header.SequenceName, header.EchoTrainLength = f"*tfl2d1_{n_pulses}", "1"
    if isinstance(readout, EchoPlanarGradientEcho):
        header.ScanningSequence = ["GR", "EP"]
        header.EchoTrainLength = str(readout.echo_train_length)
        header.SequenceName = f"*epi2d{readout.echo_train_length}_{n_pulses}"
    elif isinstance(readout, BalancedSteadyState):
        header.SequenceVariant = ["SS", "MP"]
        header.SequenceName = f"*tfi2d1_{n_pulses}"
