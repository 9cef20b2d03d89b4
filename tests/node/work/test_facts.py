"""Facts are read once, survive odd headers, and never come from instances that do not count."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from node.scanner import write_exam
from node.scanner.dialect import Dialect, Form, Vendor
from node.work.completeness import InstanceFacts, is_grid_full
from node.work.facts import FactReader, read_facts
from storage.records import Instance, InstanceStatus
from tests.fakes.exams import edit, small_exam, write_small_exam

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"


def write_header(file: Path, **values: object) -> None:
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = MR_IMAGE
    header.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    geometry = {
        "ImagePositionPatient": [1.04, 2.0, 3.0],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "Rows": 192,
        "Columns": 160,
    }
    for keyword, value in (geometry | values).items():
        setattr(header, keyword, value)
    header.save_as(file, enforce_file_format=True)


def instance(number: int = 1, path: str = "one.dcm") -> Instance:
    return Instance(
        id=number,
        study_id=1,
        series_uid="1.2.3",
        sop_uid=f"1.2.3.{number}",
        sop_class_uid=MR_IMAGE,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        path=path,
        sha256="0" * 64,
        patient_digest="0" * 64,
        status=InstanceStatus.ACCEPTED,
        received_at=datetime(2026, 1, 1),
    )


def test_reads_place_and_extent(tmp_path: Path) -> None:
    write_header(
        tmp_path / "one.dcm",
        TemporalPositionIdentifier=7,
        NumberOfTemporalPositions=63,
        ImagesInAcquisition=189,
        EchoNumbers=1,
        AcquisitionNumber=99,
    )
    (facts,) = read_facts(tmp_path / "one.dcm", instance())
    assert facts is not None
    assert (facts.rows, facts.columns, facts.frame, facts.echo) == (192, 160, 0, 1)
    assert (facts.temporal_position, facts.declared_beats, facts.declared_images) == (7, 63, 189)


def test_falls_back_to_acquisition_number_and_cardiac_images(tmp_path: Path) -> None:
    write_header(tmp_path / "one.dcm", AcquisitionNumber=4, CardiacNumberOfImages=60)
    (facts,) = read_facts(tmp_path / "one.dcm", instance())
    assert facts is not None
    assert (facts.temporal_position, facts.declared_beats) == (4, 60)
    assert facts.declared_images is None


def test_jitter_of_the_table_position_is_one_slice(tmp_path: Path) -> None:
    write_header(tmp_path / "one.dcm")
    write_header(tmp_path / "two.dcm", ImagePositionPatient=[1.02, 2.01, 3.0])
    (one,) = read_facts(tmp_path / "one.dcm", instance())
    (two,) = read_facts(tmp_path / "two.dcm", instance())
    assert one is not None
    assert two is not None
    assert one.slice_key == two.slice_key


@pytest.mark.parametrize(
    "content", [b"", b"not DICOM", b"\0" * 128 + b"DICM" + b"\x08\0\x18\0UI\xff\xff"]
)
def test_unreadable_headers_prove_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "one.dcm").write_bytes(content)
    assert read_facts(tmp_path / "one.dcm", instance()) == (None,)
    assert read_facts(tmp_path / "missing.dcm", instance()) == (None,)


def test_an_instance_is_read_once_and_only_if_it_counts(tmp_path: Path) -> None:
    write_header(tmp_path / "one.dcm")
    reader = FactReader(tmp_path)
    first = reader.facts(1, [instance()])
    (tmp_path / "one.dcm").unlink()
    conflict = replace(instance(2), status=InstanceStatus.CONFLICT)
    assert reader.facts(1, [instance(), conflict]) == first
    reader.forget_except([])
    assert reader.facts(1, [instance()]) == (None,)


def facts_of(files: list[Path]) -> list[InstanceFacts | None]:
    return [
        fact
        for number, file in enumerate(files)
        for fact in read_facts(
            file,
            replace(
                instance(number),
                series_uid=str(dcmread(file, stop_before_pixels=True).SeriesInstanceUID),
            ),
        )
    ]


@pytest.mark.parametrize("declares_beats", [True, False])
def test_the_grid_of_a_scanned_exam(tmp_path: Path, declares_beats: bool) -> None:
    """Proven with the last image and not before, and only if the scanner says how many."""
    files = write_small_exam(tmp_path, declares_beats=declares_beats)
    facts = facts_of(files)
    assert is_grid_full(facts) is declares_beats
    assert not is_grid_full(facts[:-1])


def test_one_file_enhanced_series_are_a_full_grid(tmp_path: Path) -> None:
    """An object is whole when it is here; the arterial input is one of its own."""
    dialect = Dialect(vendor=Vendor.PHILIPS, form=Form.ENHANCED)
    files = write_exam(small_exam(), tmp_path, dialect=dialect)
    facts = facts_of(files)
    assert (len(files), len(facts)) == (2, 108)
    assert is_grid_full(facts)
    assert not is_grid_full(facts_of(files[:1]))
    assert not is_grid_full(facts_of(files[1:]))


def test_part_of_a_divided_object_proves_nothing(tmp_path: Path) -> None:
    dialect = Dialect(vendor=Vendor.PHILIPS, form=Form.ENHANCED)
    files = write_exam(small_exam(), tmp_path, dialect=dialect)
    edit(files[:1], lambda dataset: dataset.__setattr__("ConcatenationUID", "1.2.3"))
    assert not is_grid_full(facts_of(files))


@pytest.mark.parametrize("declared", [107, 109, 0])
def test_wrong_frame_counts_prove_nothing(tmp_path: Path, declared: int) -> None:
    dialect = Dialect(vendor=Vendor.UIH, form=Form.ENHANCED)
    files = write_exam(small_exam(), tmp_path, dialect=dialect)
    edit(files, lambda dataset: dataset.__setattr__("NumberOfFrames", declared))
    assert not is_grid_full(facts_of(files))
