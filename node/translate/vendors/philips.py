"""Philips: one scale for display and another one that compares.

Rescale slope and intercept stretch every series, at times every image, over the range of the
stored integers. What the receiver measured is floating point value = (stored x rescale slope +
rescale intercept) / (rescale slope x scale slope); only on that scale can the arterial input, the
tissue and the proton-density frames be compared (dcm2niix, Philips; Chenevert 2014,
doi:10.1593/tlo.13811).

In Enhanced objects the private elements of a frame stand in a private sequence (2005,xx0F), beside
copies of classic attributes. Its position differs from the public one by half a pixel and is used
only where there is no other.
"""

from pydicom.dataset import Dataset

from node.translate.copying import replace_value
from node.translate.values import as_number, number_of
from node.translate.vendors.elements import (
    Meaning,
    PrivateElement,
    Vendor,
    find_blocks,
    read_private,
)

_IMAGING = "Philips Imaging DD 001"
_MR = "Philips MR Imaging DD 001"
_LARGEST_SCALE = 1e38
"""Scales beyond it are written for `none` (dcm2niix)."""

_SCALE_SLOPE = PrivateElement(
    meaning=Meaning.SCALE_SLOPE,
    group=0x2005,
    creator=_MR,
    element=0x0E,
    kind="FL",
    source="dcm2niix, Philips",
)

PHILIPS = Vendor(
    name="Philips",
    makers=("PHILIPS",),
    elements=(
        _SCALE_SLOPE,
        PrivateElement(
            meaning=Meaning.DYNAMIC_BEGIN,
            group=0x2005,
            creator=_MR,
            element=0xA0,
            kind="FL",
            source="dcm2niix, issue 395",
        ),
        PrivateElement(
            meaning=Meaning.SATURATION_DELAY,
            group=0x2001,
            creator=_IMAGING,
            element=0x1B,
            kind="FL",
            source="private dictionary of pydicom",
        ),
        PrivateElement(
            meaning=Meaning.PREPULSE_KIND,
            group=0x2001,
            creator=_IMAGING,
            element=0x1C,
            kind="CS",
            source="private dictionary of pydicom",
        ),
    ),
)


def set_measured_scale(header: Dataset) -> None:
    """Replace the display scale of an image by that of the receiver, in place.

    A window is given in display values and moves along. Without a usable scale slope the header
    stays as it is.
    """
    slope = number_of(header, "RescaleSlope")
    scale = as_number(read_private(header, find_blocks(header), _SCALE_SLOPE))
    if not slope or not scale or scale < 0 or abs(scale) > _LARGEST_SCALE:
        return
    to_measured = 1.0 / (slope * scale)
    intercept = number_of(header, "RescaleIntercept") or 0.0
    replace_value(header, "RescaleSlope", f"{slope * to_measured:.10g}")
    replace_value(header, "RescaleIntercept", f"{intercept * to_measured:.10g}")
    replace_value(header, "RescaleType", "US")
    for keyword in ("WindowCenter", "WindowWidth"):
        value = number_of(header, keyword)
        if value is not None:
            replace_value(header, keyword, f"{value * to_measured:.10g}")
