"""Canon: clean and minimal classic headers, enhanced ones with a wrong temporal index.

Classic images lack what others tell of the beat and of the saturation pulse; the delay after it is
private. Enhanced objects have all frames at temporal position 1 (dcm2niix issue 593). That the
private delay is in milliseconds is likely, not known.
"""

from datetime import timedelta

from pydicom.dataset import Dataset

from node.scanner.scanned import ScannedImage
from node.scanner.session import Equipment, dicom_time
from node.scanner.vendors.manners import Manners

_CREATOR = "CANON_MEC_MR3^10"
_SATURATION_RECOVERY_TIME = 0x1B
_ONLY_ENHANCED = (
    "NominalInterval",
    "SliceLocation",
    "ImageComments",
    "ContrastBolusVolume",
)
_EQUIPMENT = Equipment(manufacturer="CANON_MEC", model="Vantage Virtual", software=("V6.0SP2001",))


def _speak(header: Dataset, image: ScannedImage) -> None:
    _speak_enhanced(header, image)
    header.TriggerTime = None
    for keyword in _ONLY_ENHANCED:
        del header[keyword]


def _speak_enhanced(header: Dataset, image: ScannedImage) -> None:
    acquired = image.series.started + timedelta(milliseconds=round(image.time_s * 1e3))
    header.AcquisitionTime = dicom_time(acquired)[: -len("000")]
    header.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    header.SequenceName = "FFE2D"
    if not image.series.is_proton_density:
        private = header.private_block(0x700D, _CREATOR, create=True)
        private.add_new(_SATURATION_RECOVERY_TIME, "DS", str(header.InversionTime))
        del header.InversionTime


CANON = Manners(
    equipment=_EQUIPMENT,
    enhanced_equipment=_EQUIPMENT,
    series_name="FFE2D perfusion {state} SAX",
    input_suffix=" AIF",
    speak=_speak,
    speak_enhanced=_speak_enhanced,
    counts_beats=False,
    flavour="{STATE}",
)
