"""Siemens: Numaris 4 (VB to VE) in classic images, Numaris X (XA) in Enhanced objects.

XA writes one frame per Enhanced file: a series, not a file, is a dynamic (dcm2niix, issue 845).
Acquisition time is that of the beat in both.
"""

from node.translate.vendors.elements import Meaning, PrivateElement, Vendor

_NUMARIS_4 = "SIEMENS MR HEADER"
_NUMARIS_X = "SIEMENS MR SDI 02"

SIEMENS = Vendor(
    name="Siemens",
    makers=("SIEMENS",),
    elements=(
        PrivateElement(
            meaning=Meaning.TIME_AFTER_START,
            group=0x0019,
            creator=_NUMARIS_4,
            element=0x16,
            kind="DS",
            source="private dictionary of pydicom",
        ),
        PrivateElement(
            meaning=Meaning.TIME_AFTER_START,
            group=0x0021,
            creator=_NUMARIS_X,
            element=0x04,
            kind="DS",
            source="dcm2niix, Siemens",
        ),
        PrivateElement(
            meaning=Meaning.IMAGE_TYPE_TEXT,
            group=0x0021,
            creator=_NUMARIS_X,
            element=0x75,
            kind="LO",
            source="dcm2niix, Siemens (XA30 and later)",
        ),
        PrivateElement(
            meaning=Meaning.IMAGE_TYPE_TEXT,
            group=0x0051,
            creator=_NUMARIS_4,
            element=0x16,
            kind="LO",
            source="private dictionary of pydicom",
        ),
    ),
)
