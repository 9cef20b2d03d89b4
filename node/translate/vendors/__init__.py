"""What each maker writes in a way of its own: one file per vendor, tables of elements with sources.

`elements` finds a private element by its creator, wherever an archive has moved it and whatever
it has made of its kind. `registry` joins the vendors: `private_number` and `private_text` ask for
a `Meaning`, `complete_header` brings what only private elements say under the keywords of classic
MR. The tables say where a fact comes from; `unverified` is what nobody here has seen in a file of
that scanner. Such an element is believed on evidence only (a clock has to count beats).
"""

from node.translate.vendors.elements import Meaning, Vendor
from node.translate.vendors.registry import (
    VENDORS,
    complete_header,
    lift_private,
    private_number,
    private_text,
    vendor_of,
)

__all__ = [
    "VENDORS",
    "Meaning",
    "Vendor",
    "complete_header",
    "lift_private",
    "private_number",
    "private_text",
    "vendor_of",
]
