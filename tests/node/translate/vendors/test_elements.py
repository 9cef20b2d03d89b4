"""Private elements are found by creator, in any block and of any kind, and nowhere else."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom._private_dict import private_dictionaries
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from node.translate.vendors import VENDORS, Meaning, private_number, private_text, vendor_of
from node.translate.vendors.elements import PrivateElement, find_blocks, read_private

ELEMENTS = [element for vendor in VENDORS for element in vendor.elements]
NUMBERS = [element for element in ELEMENTS if element.kind in {"DS", "FL", "SS"}]


def holding(element: PrivateElement, value: object, kind: str, block: int = 0x10) -> Dataset:
    dataset = Dataset()
    dataset.add_new((element.group, block), "LO", element.creator)
    dataset.add_new((element.group, block << 8 | element.element), kind, value)
    return dataset


def as_bytes(element: PrivateElement, number: int) -> bytes:
    formats = {"FL": "<f", "SS": "<h"}
    if element.kind in formats:
        return struct.pack(formats[element.kind], number)
    text = str(number).encode()
    return text + b" " * (len(text) % 2)


@given(st.sampled_from(NUMBERS), st.integers(0x10, 0xFF), st.integers(0, 3), st.booleans())
def test_found_in_any_block_as_a_number_or_as_bytes(
    element: PrivateElement, block: int, number: int, has_lost_its_kind: bool
) -> None:
    dataset = (
        holding(element, as_bytes(element, number), "UN", block)
        if has_lost_its_kind
        else holding(element, number, element.kind, block)
    )
    assert private_number(dataset, element.meaning) == number


@pytest.mark.parametrize("element", ELEMENTS, ids=lambda element: element.meaning.name)
def test_the_same_number_under_another_creator_is_another_element(element: PrivateElement) -> None:
    dataset = holding(element, b"1 ", "UN")
    dataset[element.group, 0x0010].value = "SOMEBODY ELSE"
    assert private_number(dataset, element.meaning) is None
    assert private_text(dataset, element.meaning) == ""


@pytest.mark.parametrize("value", [b"", b"\xff", b"\xff\xfe\xfd", b"one "])
@pytest.mark.parametrize("element", NUMBERS, ids=lambda element: element.meaning.name)
def test_bytes_that_are_no_number_are_none(element: PrivateElement, value: bytes) -> None:
    number = private_number(holding(element, value, "UN"), element.meaning)
    assert number is None or value not in {b"", b"\xff"}


def test_the_first_reservation_of_a_creator_counts() -> None:
    (element,) = (item for item in ELEMENTS if item.meaning is Meaning.TIMER)
    dataset = holding(element, "7", "DS", 0x11)
    dataset.update(holding(element, "9", "DS", 0x13))
    assert find_blocks(dataset) == {(0x0021, "GEMS_RELA_01"): 0x11}
    assert read_private(dataset, find_blocks(dataset), element) == 7


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("element", NUMBERS, ids=lambda element: element.meaning.name)
def test_found_after_a_round_trip_through_a_file(
    element: PrivateElement, syntax: str, tmp_path: Path
) -> None:
    dataset = holding(element, 2, element.kind)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset.save_as(tmp_path / "file", enforce_file_format=True)
    assert private_number(dcmread(tmp_path / "file"), element.meaning) == 2


@pytest.mark.parametrize("element", ELEMENTS, ids=lambda element: element.meaning.name)
def test_tables_agree_with_the_private_dictionary(element: PrivateElement) -> None:
    """Where pydicom knows an element it has the kind of the table, and a source is given."""
    known = private_dictionaries.get(element.creator, {})
    entries = [
        known[key]
        for key in (
            f"{element.group:04X}xx{element.element:02X}",
            f"{element.group:04X}00{element.element:02X}",
        )
        if key in known
    ]
    assert element.source
    assert all(entry[0] in {element.kind, "SH"} for entry in entries)
    assert entries or "pydicom" not in element.source


@pytest.mark.parametrize(
    ("manufacturer", "name"),
    [
        ("SIEMENS", "Siemens"),
        ("Siemens Healthineers", "Siemens"),
        ("Philips Medical Systems", "Philips"),
        ("GE MEDICAL SYSTEMS", "GE"),
        ("GE HealthCare", "GE"),
        ("UIH", "United Imaging"),
        ("CANON_MEC", "Canon"),
        ("TOSHIBA_MEC", "Canon"),
        ("Esaote", None),
        ("", None),
    ],
)
def test_makers_are_told_by_name(manufacturer: str, name: str | None) -> None:
    dataset = Dataset()
    dataset.Manufacturer = manufacturer
    vendor = vendor_of(dataset)
    assert (None if vendor is None else vendor.name) == name


def test_a_maker_whose_name_was_removed_is_told_by_its_elements() -> None:
    (element,) = (item for item in ELEMENTS if item.meaning is Meaning.SCALE_SLOPE)
    vendor = vendor_of(holding(element, 2.0, "FL"))
    assert vendor is not None
    assert vendor.name == "Philips"
