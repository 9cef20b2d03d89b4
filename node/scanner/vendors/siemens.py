"""Siemens: Numaris 4 (V line) in classic images, Numaris X (XA) in enhanced ones.

Repetition time is the whole shot, acquisition time counts images, the saturation delay stands as
inversion time beside a gradient echo, a private element holds the time after the start. XA writes
one enhanced object per frame (dcm2niix issue 845) and its private elements into a sequence
(0021,xxFE) of the frame. Names of sequences are made up but for the spoiled one.
"""

from pydicom.dataset import Dataset

from models.physics import BalancedSteadyState, EchoPlanarGradientEcho
from node.scanner.scanned import ScannedImage
from node.scanner.session import Equipment, decimal
from node.scanner.vendors.manners import Manners, private_elements

_HEADER = "SIEMENS MR HEADER"
_IMAGE = "SIEMENS MR SDI 02"
_TIME_AFTER_START = 0x16
_TIME_AFTER_START_XA = 0x04
_IMAGE_TYPE_XA = 0x75
_SEQUENCE_XA = 0xFE


def _speak(header: Dataset, image: ScannedImage) -> None:
    header.SequenceName = _sequence_name(image)
    private = header.private_block(0x0019, _HEADER, create=True)
    private.add_new(_TIME_AFTER_START, "DS", decimal(image.time_s))


def _speak_enhanced(header: Dataset, image: ScannedImage) -> None:
    header.SequenceName = _sequence_name(image)
    private = header.private_block(0x0021, _IMAGE, create=True)
    private.add_new(_TIME_AFTER_START_XA, "DS", decimal(image.time_s))
    private.add_new(_IMAGE_TYPE_XA, "CS", ["ORIGINAL", "PRIMARY", "M", "ND"])


def _sequence_name(image: ScannedImage) -> str:
    readout = image.readout
    n_pulses = 2 * readout.pulses_before_centre
    if isinstance(readout, EchoPlanarGradientEcho):
        return f"*epi2d{readout.echo_train_length}_{n_pulses}"
    family = "tfi" if isinstance(readout, BalancedSteadyState) else "tfl"
    return f"*{family}2d1_{n_pulses}"


def _nest(header: Dataset) -> Dataset:
    group = Dataset()
    block = group.private_block(0x0021, _IMAGE, create=True)
    block.add_new(_SEQUENCE_XA, "SQ", [private_elements(header)])
    return group


SIEMENS = Manners(
    equipment=Equipment(
        manufacturer="SIEMENS", model="MAGNETOM Virtual", software=("syngo MR E11",)
    ),
    enhanced_equipment=Equipment(
        manufacturer="Siemens Healthineers", model="MAGNETOM Virtual", software=("syngo MR XA30",)
    ),
    series_name="{state}_perf_tfl_sr_sax",
    input_suffix="_AIF",
    speak=_speak,
    speak_enhanced=_speak_enhanced,
    nest=_nest,
    has_one_frame_per_object=True,
)
