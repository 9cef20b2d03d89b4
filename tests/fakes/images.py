"""Small DICOM images for tests of the network: real objects, few pixels, any identifiers."""

from io import BytesIO
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import ExplicitVRLittleEndian

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"


def image(
    instance: int = 1,
    *,
    series: int = 1,
    study: str = "1.2.3.1",
    patient: str = "DOE^JANE",
    sop_class_uid: str = MR_IMAGE,
    fill: int = 7,
    size: int = 8,
) -> Dataset:
    """Return an image of `size` by `size` pixels that all have the value `fill`."""
    image = Dataset()
    image.SOPClassUID = sop_class_uid
    image.SOPInstanceUID = f"{study}.{series}.{instance}"
    image.StudyInstanceUID = study
    image.SeriesInstanceUID = f"{study}.{series}"
    image.Modality = "MR"
    image.PatientName = patient
    image.PatientID = "4711"
    image.PatientBirthDate = "19700131"
    image.InstanceNumber = instance
    image.Rows = image.Columns = size
    image.BitsAllocated = 16
    image.BitsStored = 12
    image.HighBit = 11
    image.PixelRepresentation = 0
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.PixelData = fill.to_bytes(2, "little") * size * size
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    return image


def encoded(dataset: Dataset, *, is_implicit: bool = False, is_little_endian: bool = True) -> bytes:
    """Return a data set as it travels in a C-STORE."""
    buffer = DicomBytesIO()
    buffer.is_implicit_VR = is_implicit
    buffer.is_little_endian = is_little_endian
    write_dataset(buffer, dataset)
    return BytesIO.getvalue(buffer.parent)  # type: ignore[arg-type] # a BytesIO underneath


def save(folder: Path, *images: Dataset) -> list[Path]:
    """Write images as files, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:04}.dcm" for number in range(len(images))]
    for path, item in zip(paths, images, strict=True):
        item.save_as(path, enforce_file_format=True)
    return paths
