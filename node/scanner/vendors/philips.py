"""Philips: one time per dynamic, a scale of its own for every frame, numbers in random order.

All images of a dynamic share acquisition time, in hundredths of a second (dcm2niix issue 911), and
the private begin of the dynamic; in triggered scans a dynamic begins with its R wave and trigger
time is the delay of the slice after it. The value of the signal is
`(stored * slope + intercept) / (slope * scale)` with the private scale slope (dcm2niix,
Philips/README). The saturation delay is private. In enhanced objects the private elements, and a
second image position that is half a voxel off, lie in a sequence of the frame (2005,xx0F).
"""

import random
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from node.scanner.header import add_beat, add_stored
from node.scanner.scanned import ScannedImage
from node.scanner.session import Equipment, decimal, dicom_date, dicom_time
from node.scanner.vendors.manners import Manners, private_elements

_IMAGING = "Philips Imaging DD 001"
_MR = "Philips MR Imaging DD 001"
_FRAME = "Philips MR Imaging DD 005"
_MAX_STORED = 4095
_DISPLAY = 1.7
"""Displayed grey value over signal; any number would do."""
_EQUIPMENT = Equipment(
    manufacturer="Philips Medical Systems", model="Ingenia Virtual", software=("5.6.1", "5.6.1.0")
)


def _add_pixels(header: Dataset, magnitude: NDArray[np.float32]) -> None:
    """Use all 12 bits for every frame, and say by how much."""
    scale = np.float32(_MAX_STORED / max(float(magnitude.max()), 1.0))
    add_stored(header, np.rint(magnitude.clip(0) * scale).astype("<u2"), n_bits=12)
    slope = float(decimal(_DISPLAY / float(scale)))
    header.RescaleSlope, header.RescaleIntercept, header.RescaleType = decimal(slope), "0", "US"
    header.RealWorldValueMappingSequence = [_displayed(slope)]
    private = header.private_block(0x2005, _MR, create=True)
    private.add_new(0x0D, "FL", 0.0)
    private.add_new(0x0E, "FL", float(scale))


def _displayed(slope: float) -> Dataset:
    """Return a mapping to the displayed value: a number without a unit."""
    unit = Dataset()
    unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "1", "UCUM", "no units"
    mapping = Dataset()
    mapping.LUTExplanation, mapping.LUTLabel = "displayed value", "Philips"
    mapping.MeasurementUnitsCodeSequence = [unit]
    mapping.add_new("RealWorldValueFirstValueMapped", "US", 0)
    mapping.add_new("RealWorldValueLastValueMapped", "US", _MAX_STORED)
    mapping.RealWorldValueIntercept, mapping.RealWorldValueSlope = 0.0, slope
    return mapping


def _speak(header: Dataset, image: ScannedImage) -> None:
    begin_s = image.time_s - image.phantom.trigger_delay_s
    begun = image.series.started + timedelta(seconds=round(begin_s, 2))
    header.AcquisitionDate = dicom_date(begun)
    header.AcquisitionTime = dicom_time(begun)[: -len("0000")]
    header.ImageType = ["ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"]
    header.SequenceName = None
    add_beat(header, image)
    imaging = header.private_block(0x2001, _IMAGING, create=True)
    imaging.add_new(0x08, "IS", "1")
    imaging.add_new(0x0A, "IS", str(image.stack + 1))
    imaging.add_new(0x10, "CS", "TRIGGERED")
    imaging.add_new(0x81, "IS", str(len(image.series.beats)))
    if not image.series.is_proton_density:
        imaging.add_new(0x1B, "FL", float(header.InversionTime))
        imaging.add_new(0x1C, "CS", "SAT")
        del header.InversionTime
    private = header.private_block(0x2005, _MR, create=True)
    private.add_new(0xA0, "FL", begin_s)


def _speak_enhanced(header: Dataset, image: ScannedImage) -> None:
    _speak(header, image)
    header.PulseSequenceName = "TFE"


def _nest(header: Dataset) -> Dataset:
    private = private_elements(header)
    row, column = np.split(np.array(header.ImageOrientationPatient, dtype=float), 2)
    down, right = (float(value) / 2 for value in header.PixelSpacing)
    corner = np.array(header.ImagePositionPatient, dtype=float) - row * right - column * down
    private.ImagePositionPatient = [decimal(value) for value in corner]
    private.InstanceNumber = header.InstanceNumber
    group = Dataset()
    group.private_block(0x2005, _FRAME, create=True).add_new(0x0F, "SQ", [private])
    return group


def _number(images: Sequence[ScannedImage]) -> Sequence[int]:
    numbers = [image.instance for image in images]
    random.Random(len(numbers)).shuffle(numbers)
    return numbers


PHILIPS = Manners(
    equipment=_EQUIPMENT,
    enhanced_equipment=_EQUIPMENT,
    series_name="{STATE}_PERF_sTFE_SAX",
    input_suffix="_AIF",
    speak=_speak,
    speak_enhanced=_speak_enhanced,
    add_pixels=_add_pixels,
    nest=_nest,
    number=_number,
)
