"""How a virtual scanner writes: whose habits, in what kind of object, in what order."""

from dataclasses import dataclass
from enum import StrEnum


class Vendor(StrEnum):
    """Whose habits the headers have."""

    SIEMENS = "siemens"
    PHILIPS = "philips"
    GE = "ge"
    UIH = "uih"
    CANON = "canon"


class Form(StrEnum):
    """In what kind of object the images come."""

    CLASSIC = "classic"
    ENHANCED = "enhanced"
    LEGACY = "legacy"
    """Legacy Converted Enhanced: what a converter makes of classic images (PS3.3 A.70)."""


class Syntax(StrEnum):
    """How a file is encoded; none of them loses anything (PS3.5 A)."""

    EXPLICIT = "explicit"
    IMPLICIT = "implicit"
    DEFLATED = "deflated"
    RLE = "rle"
    JPEG_LS = "jpegls"
    JPEG_2000 = "j2k"
    JPEG_LOSSLESS = "jpeg-lossless"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How an exam is written. The default is a Siemens scanner of the E line."""

    vendor: Vendor = Vendor.SIEMENS
    form: Form = Form.CLASSIC
    syntax: Syntax = Syntax.EXPLICIT
    is_shuffled: bool = False
    """Frames of an object, and files, come in no order; the same one every time."""
    has_proton_density_series: bool = False
    """Proton-density frames are series of their own, as some sites store them."""

    @property
    def key(self) -> tuple[str, ...]:
        """What identifiers of series follow from: in other words it is another series.

        Transfer syntax and order change no object; the first dialect keeps its identifiers.
        """
        split = ("proton density",) if self.has_proton_density_series else ()
        if (self.vendor, self.form) == (Vendor.SIEMENS, Form.CLASSIC):
            return split
        return (self.vendor, self.form, *split)
