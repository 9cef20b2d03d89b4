"""Siemens headers: private elements, addressed by creator because blocks move between systems."""

from pydicom.dataset import Dataset

from node.translate.values import as_number

CREATOR = "SIEMENS MR HEADER"
"""Numaris 4 (VB to VE), group 0019."""
CREATOR_XA = "SIEMENS MR SDI 02"
"""Numaris X (XA), group 0021."""
TIME_AFTER_START = 0x16
TIME_AFTER_START_XA = 0x04

_PLACES = (
    (0x0019, CREATOR, TIME_AFTER_START),
    (0x0021, CREATOR_XA, TIME_AFTER_START_XA),
)


def time_after_start_s(dataset: Dataset) -> float | None:
    """Return the time since the measurement began, s, or None when the scanner did not write it."""
    for group, creator, element in _PLACES:
        try:
            value = dataset.private_block(group, creator)[element].value
        except KeyError:
            continue
        # After a round trip through an archive the element may come back as undecoded bytes.
        return as_number(value.decode("ascii", "replace") if isinstance(value, bytes) else value)
    return None
