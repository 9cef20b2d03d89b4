"""GE: acquisition time may be that of the series; trigger time or a private timer counts instead.

The timer is in seconds or in tenths of a millisecond, by release (dcm2niix, GE): the clock
believes whichever unit gives heart beats. Phase, real and imaginary images differ from magnitude
images in one private number only.
"""

from pydicom.dataset import Dataset

from node.translate.copying import replace_value
from node.translate.values import as_number, text_of
from node.translate.vendors.elements import (
    Meaning,
    PrivateElement,
    Vendor,
    find_blocks,
    read_private,
)

_COMPONENT = PrivateElement(
    meaning=Meaning.COMPONENT,
    group=0x0043,
    creator="GEMS_PARM_01",
    element=0x2F,
    kind="SS",
    source="private dictionary of pydicom",
)
_COMPONENTS = {0: "MAGNITUDE", 1: "PHASE", 2: "REAL", 3: "IMAGINARY"}

GE = Vendor(
    name="GE",
    makers=("GE MEDICAL", "GE HEALTH"),
    elements=(
        PrivateElement(
            meaning=Meaning.TIMER,
            group=0x0021,
            creator="GEMS_RELA_01",
            element=0x5E,
            kind="DS",
            source="private dictionary of pydicom",
        ),
        PrivateElement(
            meaning=Meaning.PULSE_SEQUENCE,
            group=0x0019,
            creator="GEMS_ACQU_01",
            element=0x9C,
            kind="LO",
            source="dcm2niix, GE",
        ),
        _COMPONENT,
    ),
)


def set_component(header: Dataset) -> None:
    """Say in the classic keyword whether an image shows magnitude or phase, in place."""
    number = as_number(read_private(header, find_blocks(header), _COMPONENT))
    word = None if number is None else _COMPONENTS.get(int(number))
    if word is not None and not text_of(header, "ComplexImageComponent"):
        replace_value(header, "ComplexImageComponent", word)
