"""Scouts of an empty water bottle: a series that the node must pass over."""

from collections.abc import Iterator

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import MRImageStorage

from node.scanner.header import add_pixels, add_plane
from node.scanner.plane import localizer_planes
from node.scanner.session import Equipment, Session, dicom_date, dicom_time

_MATRIX = (64, 64)
_SPACING_MM = (6.0, 6.0)


def localizer_images(session: Session, equipment: Equipment) -> Iterator[Dataset]:
    """Yield a transverse, a coronal and a sagittal image."""
    rows, columns = np.indices(_MATRIX)
    bottle = np.hypot(rows - 31.5, columns - 31.5) < 22
    for index, plane in enumerate(localizer_planes(_MATRIX, _SPACING_MM)):
        image = session.header(equipment)
        image.SOPClassUID = MRImageStorage
        image.SOPInstanceUID = session.uid("localizer", str(index))
        image.SeriesInstanceUID = session.uid("localizer")
        image.SeriesNumber, image.InstanceNumber, image.AcquisitionNumber = 1, index + 1, 1
        image.SeriesDescription = image.ProtocolName = "localizer"
        image.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
        image.ScanningSequence, image.SequenceVariant = "GR", "SP"
        image.ScanOptions, image.MRAcquisitionType = None, "2D"
        image.RepetitionTime, image.EchoTime, image.EchoTrainLength = "5", "2", "1"
        image.SeriesTime = image.AcquisitionTime = image.ContentTime = dicom_time(session.started)
        image.AcquisitionDate = image.ContentDate = dicom_date(session.started)
        add_plane(image, plane, _SPACING_MM, 8.0)
        add_pixels(image, np.where(bottle, 900, 20).astype(np.float32))
        yield image
