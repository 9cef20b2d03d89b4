"""What a vendor decides about its headers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from node.scanner.header import add_pixels
from node.scanner.scanned import ScannedImage
from node.scanner.session import Equipment


def private_elements(header: Dataset) -> Dataset:
    """Return the private elements of a header."""
    private = Dataset()
    for element in header:
        if element.tag.is_private:
            private.add(element)
    return private


def as_acquired(images: Sequence[ScannedImage]) -> Sequence[int]:
    """Number images in the order of acquisition."""
    return [image.instance for image in images]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """The habits of one vendor."""

    equipment: Equipment
    enhanced_equipment: Equipment
    """Of the scanners that write enhanced objects."""
    series_name: str
    """With `{state}` and `{State}` to be filled in."""
    input_suffix: str
    """Added for the arterial-input series."""
    speak: Callable[[Dataset, ScannedImage], None]
    """Put the habits of the vendor into the header of one image, private elements included."""
    speak_enhanced: Callable[[Dataset, ScannedImage], None]
    """The same for an image that becomes a frame of an enhanced object."""
    add_pixels: Callable[[Dataset, NDArray[np.float32]], None] = add_pixels
    nest: Callable[[Dataset], Dataset] = private_elements
    """The private elements of a header as they lie in the functional groups of the frame."""
    number: Callable[[Sequence[ScannedImage]], Sequence[int]] = as_acquired
    """Instance numbers of the images of a series."""
    counts_beats: bool = True
    """Whether the temporal position index of enhanced objects counts beats."""
    has_one_frame_per_object: bool = False
    """Whether an enhanced series is one object per frame."""
    flavour: str = "PERFUSION"
    """Value 3 of the image type of enhanced objects, with `{STATE}` to be filled in (C.8.13.1)."""

    def name(self, state: str, *, is_input: bool) -> str:
        """Return the description of a series."""
        text = self.series_name.format(state=state, State=state.capitalize(), STATE=state.upper())
        return text + (self.input_suffix if is_input else "")
