"""Files of a scanner in the data folder of a node, without a network."""

from collections.abc import Sequence
from pathlib import Path

from pydicom import dcmread

from storage.catalogue import Catalogue
from storage.files import FileStore
from storage.records import ReceivedInstance


def receive(catalogue: Catalogue, data_folder: Path, paths: Sequence[Path]) -> None:
    """Keep files and record them, as the receiver does."""
    files = FileStore(data_folder)
    for path in paths:
        header = dcmread(path, stop_before_pixels=True)
        catalogue.record_instance(
            ReceivedInstance(
                study_uid=header.StudyInstanceUID,
                series_uid=header.SeriesInstanceUID,
                sop_uid=header.SOPInstanceUID,
                sop_class_uid=header.SOPClassUID,
                transfer_syntax_uid=header.file_meta.TransferSyntaxUID,
                file=files.keep([path.read_bytes()]),
                patient_digest="0" * 64,
                calling_ae="SCANNER",
                source_address="127.0.0.1",
                association_id=None,
                is_ignored=False,
            )
        )
