"""The scale of the pixel values: what images of one exam must share to be compared.

Slope and intercept may change from image to image and from series to series; they are applied to
each image. What cannot be repaired is told: arterial input, tissue and proton-density frames on
unknown scales make a wrong flow.
"""

from collections.abc import Iterable, Sequence

from pydicom.dataset import Dataset

from node.translate.copying import replace_value
from node.translate.values import items_of, number_of, text_of
from node.translate.vendors import Meaning, private_number, vendor_of
from node.translate.vendors.philips import PHILIPS
from pipeline.findings import Code, Finding, Grade

_LARGEST = 1e38
"""Slopes beyond it are written for `none` (dcm2niix, Philips)."""
_MIXED = (
    "{n} of {all} images are not on the scale of the receiver, the others are: arterial input, "
    "tissue and proton-density frames cannot be compared."
)
_DISPLAY = (
    "The images are on a display scale that changes between them: arterial input, tissue and "
    "proton-density frames may not compare."
)


def set_real_world_scale(header: Dataset) -> None:
    """Take slope and intercept of a real-world value mapping where no others are, in place.

    Where there are others they count: what a mapping maps to is not the signal (C.7.6.16.2.11).
    """
    items = items_of(header, "RealWorldValueMappingSequence")
    if not items or text_of(header, "RescaleSlope") or items_of(header, "ModalityLUTSequence"):
        return
    slope = number_of(items[0], "RealWorldValueSlope")
    if slope and abs(slope) < _LARGEST:
        intercept = number_of(items[0], "RealWorldValueIntercept") or 0.0
        replace_value(header, "RescaleSlope", f"{slope:.10g}")
        replace_value(header, "RescaleIntercept", f"{intercept:.10g}")


def slope_and_intercept(header: Dataset) -> tuple[float, float]:
    """Return the scale of an image; stored values as they are where it has none that can be.

    Both are needed (C.11.1), and a slope of zero would erase the image.
    """
    slope = number_of(header, "RescaleSlope")
    intercept = number_of(header, "RescaleIntercept")
    return (slope, intercept) if slope and intercept is not None else (1.0, 0.0)


def check_scales(headers: Sequence[Dataset]) -> tuple[Finding, ...]:
    """Return what is doubtful about the scales of the images of one exam."""
    return (*_broken(headers), *_not_comparable(headers), *_lossy(headers))


def _broken(headers: Sequence[Dataset]) -> Iterable[Finding]:
    broken = [h for h in headers if "RescaleSlope" in h and not number_of(h, "RescaleSlope")]
    if broken:
        is_everywhere = len(broken) == len(headers)
        yield Finding(
            code=Code.IMAGE_PITFALL if is_everywhere else Code.MAP_IMPLAUSIBLE,
            grade=Grade.REVIEW if is_everywhere else Grade.FAIL,
            text=f"{len(broken)} of {len(headers)} images have a rescale slope of zero or none; "
            "their stored values were used.",
        )


def _not_comparable(headers: Sequence[Dataset]) -> Iterable[Finding]:
    """Look at the maker whose display scale differs from that of the receiver."""
    philips = [header for header in headers if vendor_of(header) is PHILIPS]
    plain = [header for header in philips if not private_number(header, Meaning.SCALE_SLOPE)]
    if plain and len(plain) < len(philips):
        text = _MIXED.format(n=len(plain), all=len(philips))
        yield Finding(code=Code.MAP_IMPLAUSIBLE, grade=Grade.FAIL, text=text)
    elif len({slope_and_intercept(header) for header in plain}) > 1:
        yield Finding(code=Code.IMAGE_PITFALL, grade=Grade.REVIEW, text=_DISPLAY)


def _lossy(headers: Sequence[Dataset]) -> Iterable[Finding]:
    n_lossy = sum(text_of(header, "LossyImageCompression") == "01" for header in headers)
    if n_lossy:
        yield Finding(
            code=Code.IMAGE_PITFALL,
            grade=Grade.REVIEW,
            text=f"{n_lossy} of {len(headers)} images were compressed with loss on their way.",
        )
