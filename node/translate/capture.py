"""What all pictures have in common that go out as Secondary Capture (PS3.3 A.8)."""

import numpy as np
from jaxtyping import UInt8
from pydicom.dataset import Dataset

from node.settings import ResultsSettings
from node.translate.derived import derive_identity, result_series_number
from node.translate.results import RunStamp

Picture = UInt8[np.ndarray, "row column 3"]


def derive_capture(
    source: Dataset, offset: int, *, run: RunStamp, settings: ResultsSettings
) -> Dataset:
    """Return a picture of our own making, without pixels.

    Modality stays MR, the modality of the images shown, so that it appears beside them.

    Parameters
    ----------
    source
        Header that gives identity and numbers the series.
    offset
        What is added to the series number.
    run
        Identity of the computation.
    settings
        Labels and numbering.

    """
    target = derive_identity(source, run=run, settings=settings)
    target.ConversionType = "WSD"
    target.DateOfSecondaryCapture, target.TimeOfSecondaryCapture = run.date, run.time
    target.SeriesNumber = result_series_number(source, offset, settings=settings)
    target.InstanceNumber = 1
    target.PatientOrientation = None
    target.LossyImageCompression = "00"
    return target


def set_colour_pixels(target: Dataset, picture: Picture) -> None:
    """Write the pixels of one picture."""
    describe_colour_pixels(target, picture.shape[0], picture.shape[1], "RGB")
    pixels = np.ascontiguousarray(picture).tobytes()
    target.PixelData = pixels + b"\0" * (len(pixels) % 2)


def describe_colour_pixels(target: Dataset, n_rows: int, n_columns: int, colours: str) -> None:
    """Describe 8-bit colour pixels, three samples side by side (C.7.6.3).

    Parameters
    ----------
    target
        The object.
    n_rows, n_columns
        Size of a picture.
    colours
        Photometric interpretation.

    """
    target.SamplesPerPixel = 3
    target.PhotometricInterpretation = colours
    target.PlanarConfiguration = 0
    target.Rows, target.Columns = n_rows, n_columns
    target.BitsAllocated = target.BitsStored = 8
    target.HighBit = 7
    target.PixelRepresentation = 0
