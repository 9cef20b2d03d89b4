"""The file we write around received bytes is read by pydicom, by dcmtk and by us."""

import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian

from node.errors import NotDicomError
from node.receive.part10 import file_header, take_apart
from tests.fakes.images import MR_IMAGE, encoded, image


def header(sop_uid: str = "1.2.3.1.1.1", sending_ae: str = "SCANNER") -> bytes:
    return file_header(
        sop_class_uid=MR_IMAGE,
        sop_uid=sop_uid,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        sending_ae=sending_ae,
    )


@pytest.mark.parametrize("sop_uid", ["1.2.3", "1.2.34"])
def test_pydicom_reads_what_was_received(sop_uid: str) -> None:
    read = dcmread(BytesIO(header(sop_uid) + encoded(image())))
    assert encoded(read) == encoded(image())
    assert read.file_meta.MediaStorageSOPInstanceUID == sop_uid
    assert read.file_meta.SendingApplicationEntityTitle == "SCANNER"
    assert read.preamble == bytes(128)


def test_dcmtk_reads_it(tmp_path: Path, program: Callable[[str], str]) -> None:
    (tmp_path / "x.dcm").write_bytes(header() + encoded(image()))
    dump = [program("dcmdump"), "+P", "0002,0017", "+P", "0028,0010", str(tmp_path / "x.dcm")]
    text = subprocess.run(dump, check=True, capture_output=True, text=True).stdout
    assert "SCANNER" in text
    assert "US 8" in text


@given(dataset=st.binary(max_size=100), sending_ae=st.text("ABC 1", max_size=16))
def test_taking_apart_gives_back_every_byte(dataset: bytes, sending_ae: str) -> None:
    stored = take_apart(header(sending_ae=sending_ae) + dataset)
    assert stored.dataset == dataset
    assert stored.transfer_syntax_uid == ExplicitVRLittleEndian
    assert stored.sending_ae == sending_ae.strip()


@given(file=st.binary(max_size=300))
def test_other_files_are_not_taken(file: bytes) -> None:
    with pytest.raises(NotDicomError):
        take_apart(file)
    with pytest.raises(NotDicomError):
        take_apart(bytes(128) + b"DICM" + file[:5])
