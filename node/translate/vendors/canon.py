"""Canon, formerly Toshiba: the number of the beat is 1 in every Enhanced frame (dcm2niix, Canon).

So beats are told apart by times alone, as for every other vendor.
"""

from node.translate.vendors.elements import UNVERIFIED, Meaning, PrivateElement, Vendor

CANON = Vendor(
    name="Canon",
    makers=("CANON", "TOSHIBA"),
    elements=(
        PrivateElement(
            meaning=Meaning.SATURATION_DELAY,
            group=0x700D,
            creator="CANON_MEC_MR3^10",
            element=0x1B,
            kind="DS",
            source="private dictionary of pydicom; the unit is unverified",
        ),
        PrivateElement(
            meaning=Meaning.SATURATION_DELAY,
            group=0x700D,
            creator="TOSHIBA_MEC_MR3^10",
            element=0x1B,
            kind="DS",
            source=UNVERIFIED,
        ),
    ),
)
