"""Result objects on disk and in the outbox, as a finished computation leaves them."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
)

from storage.catalogue import Catalogue
from storage.files import FileStore
from storage.records import ResultFile
from tests.fakes.records import MR_IMAGE, outgoing, received

N_ROWS = 32
MOVIE = str(MultiFrameTrueColorSecondaryCaptureImageStorage)


def object_bytes(sop_uid: str, sop_class_uid: str = MR_IMAGE) -> bytes:
    """Return a small image in DICOM file format."""
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = sop_class_uid
    image.file_meta.MediaStorageSOPInstanceUID = sop_uid
    image.SOPClassUID, image.SOPInstanceUID = sop_class_uid, sop_uid
    image.PatientName, image.PatientID = "DOE^JANE", "1"
    image.StudyInstanceUID, image.SeriesInstanceUID = "2.25.7", "2.25.8"
    image.Modality = "MR"
    image.Rows = image.Columns = N_ROWS
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit, image.PixelRepresentation, image.SamplesPerPixel = 15, 0, 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.PixelData = bytes(range(256)) * (N_ROWS * N_ROWS * 2 // 256)
    buffer = BytesIO()
    image.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def sending_study(
    catalogue: Catalogue, data_folder: Path, *, n_objects: int, destinations: tuple[str, ...]
) -> tuple[int, list[ResultFile]]:
    """Make a study with results in the outbox; return its number and the results."""
    number = len(catalogue.studies()) + 1
    catalogue.record_instance(received(study=number))
    study = catalogue.studies()[-1]
    catalogue.force(study.id)
    catalogue.start(study.id, 1)
    files = FileStore(data_folder)
    results = []
    for index in range(n_objects):
        sop_uid = f"2.25.{number}.{index + 1}"
        kept = files.keep([object_bytes(sop_uid)], folder="results")
        results.append(
            ResultFile(
                kind="flow",
                series_uid="2.25.8",
                sop_class_uid=MR_IMAGE,
                sop_uid=sop_uid,
                transfer_syntax_uid=ExplicitVRLittleEndian,
                file=kept,
            )
        )
    catalogue.commit_results(study.id, 1, outgoing(results, destinations))
    return study.id, results


def movie_bytes(sop_uid: str) -> bytes:
    """Return a small colour movie whose frames are JPEG."""
    ramp = np.arange(N_ROWS, dtype=np.uint8) * 7
    frames = []
    for brightness in (40, 120, 200):
        picture = np.full((N_ROWS, N_ROWS, 3), brightness, dtype=np.uint8)
        picture[..., 0] = ramp
        buffer = BytesIO()
        Image.fromarray(picture).save(buffer, "JPEG", quality=90, subsampling="4:2:2")
        frames.append(buffer.getvalue())
    movie = dcmread(BytesIO(object_bytes(sop_uid, MOVIE)))
    movie.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    movie.BitsAllocated = movie.BitsStored = 8
    movie.HighBit, movie.SamplesPerPixel, movie.PlanarConfiguration = 7, 3, 0
    movie.PhotometricInterpretation = "YBR_FULL_422"
    movie.NumberOfFrames = len(frames)
    movie.FrameTime, movie.FrameIncrementPointer = "100", 0x00181063
    movie.LossyImageCompression = "01"
    movie.PixelData = encapsulate(frames)
    movie["PixelData"].VR = "OB"
    movie["PixelData"].is_undefined_length = True
    buffer = BytesIO()
    movie.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
