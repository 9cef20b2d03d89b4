"""GE: one acquisition time for a series, trigger times that add up, field strength in gauss.

Acquisition time is that of the series, in whole seconds (dcm_qa_nih). Trigger time goes on from
beat to beat, and so does the private RTIA timer, in seconds since DV24 (dcm2niix, GE/README).
Pixels are signed; a private element tells magnitude from phase. How enhanced objects tell the
time is not known: the habits of the classic ones are kept.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from node.scanner.header import add_stored
from node.scanner.scanned import ScannedImage
from node.scanner.session import Equipment, decimal, dicom_time
from node.scanner.vendors.manners import Manners

_GAUSS_PER_TESLA = 10_000
_MAGNITUDE = 0
_SEQUENCE = "fgret"
_EQUIPMENT = Equipment(
    manufacturer="GE MEDICAL SYSTEMS",
    model="SIGNA Virtual",
    software=("30", "LX", "MR Software release:MR30.0_R01_2236.a"),
)


def _add_pixels(header: Dataset, magnitude: NDArray[np.float32]) -> None:
    add_stored(header, np.rint(magnitude.clip(0)).astype("<i2"), n_bits=16)


def _speak(header: Dataset, image: ScannedImage) -> None:
    started = dicom_time(image.series.started)[:6]
    header.SeriesTime = header.AcquisitionTime = header.ContentTime = started
    header.TriggerTime = decimal(round(image.time_s * 1e3, 1))
    header.MagneticFieldStrength = str(round(image.series.exam.field_strength_t * _GAUSS_PER_TESLA))
    header.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    header.ScanOptions = ["FAST_GEMS", "CG"]
    _add_private(header, image)


def _speak_enhanced(header: Dataset, image: ScannedImage) -> None:
    _speak(header, image)
    header.PulseSequenceName = _SEQUENCE


def _add_private(header: Dataset, image: ScannedImage) -> None:
    acquisition = header.private_block(0x0019, "GEMS_ACQU_01", create=True)
    acquisition.add_new(0x8D, "DS", decimal(round(image.phantom.trigger_delay_s * 1e3, 1)))
    acquisition.add_new(0x9C, "LO", _SEQUENCE)
    acquisition.add_new(0xD7, "SS", image.beat - image.series.beats.start + 1)
    relation = header.private_block(0x0021, "GEMS_RELA_01", create=True)
    relation.add_new(0x5E, "DS", decimal(round(image.time_s, 4)))
    parameters = header.private_block(0x0043, "GEMS_PARM_01", create=True)
    parameters.add_new(0x2F, "SS", _MAGNITUDE)


def _number(images: Sequence[ScannedImage]) -> Sequence[int]:
    """Number slice after slice."""
    order = sorted(range(len(images)), key=lambda i: (images[i].stack, images[i].beat))
    numbers = [0] * len(images)
    for number, index in enumerate(order, start=1):
        numbers[index] = number
    return numbers


GE = Manners(
    equipment=_EQUIPMENT,
    enhanced_equipment=_EQUIPMENT,
    series_name="FGRE TC Perfusion SAX {State}",
    input_suffix=" AIF",
    speak=_speak,
    speak_enhanced=_speak_enhanced,
    add_pixels=_add_pixels,
    number=_number,
)
