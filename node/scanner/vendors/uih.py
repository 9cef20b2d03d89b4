"""United Imaging: all that is needed is in public elements (dcm2niix, UIH/README).

Acquisition time counts images; private elements hold the number of the repetition and a scale
that only volumes of other applications need.
"""

from pydicom.dataset import Dataset

from node.scanner.scanned import ScannedImage
from node.scanner.session import Equipment
from node.scanner.vendors.manners import Manners

_CREATOR = "Image Private Header"
_REPETITION = 0x2C
_SCALE = 0x2F
_EQUIPMENT = Equipment(manufacturer="UIH", model="uMR Virtual", software=("R003",))


def _speak(header: Dataset, image: ScannedImage) -> None:
    header.AcquisitionDateTime = f"{header.AcquisitionDate}{header.AcquisitionTime}"
    header.SequenceName = "gre_fsp"
    private = header.private_block(0x0065, _CREATOR, create=True)
    private.add_new(_REPETITION, "IS", str(image.beat - image.series.beats.start))
    private.add_new(_SCALE, "FL", 1.0)


UIH = Manners(
    equipment=_EQUIPMENT,
    enhanced_equipment=_EQUIPMENT,
    series_name="gre_fsp_perf_sax_{state}",
    input_suffix="_aif",
    speak=_speak,
    speak_enhanced=_speak,
)
