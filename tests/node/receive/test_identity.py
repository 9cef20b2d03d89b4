"""Identifiers are read from the bytes as pydicom reads them, and nothing a peer sends breaks it."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from node.receive.identity import read_identity
from node.receive.status import COMMENT_LENGTH, StoreRefusedError, StoreStatus
from tests.fakes.images import encoded, image

EXPLICIT, IMPLICIT, BIG_ENDIAN = (
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.2",
)
UIDS = st.lists(st.integers(0, 10**8), min_size=2, max_size=6).map(
    lambda parts: ".".join(map(str, parts))
)


def items(depth: int) -> st.SearchStrategy[Dataset]:
    """Return items with private text, and sequences in them, of either kind of length."""

    def build(text: str, children: list[Dataset], is_open: bool, item_is_open: bool) -> Dataset:
        item = Dataset()
        item.CodeMeaning = text
        item.is_undefined_length_sequence_item = item_is_open
        if children:
            item.ReferencedImageSequence = Sequence(children)
            item["ReferencedImageSequence"].is_undefined_length = is_open
        return item

    children = st.lists(items(depth - 1), max_size=2) if depth else st.just([])
    text = st.text("ABC", max_size=5)
    return st.builds(build, text, children, st.booleans(), st.booleans())


@settings(deadline=None)
@given(
    uids=st.tuples(UIDS, UIDS, UIDS),
    nested=st.lists(items(3), max_size=3),
    is_open=st.booleans(),
    syntax=st.sampled_from([EXPLICIT, IMPLICIT, BIG_ENDIAN]),
)
def test_identity_is_what_was_written_behind_any_nesting(
    uids: tuple[str, str, str], nested: list[Dataset], is_open: bool, syntax: str
) -> None:
    written = image()
    written.StudyInstanceUID, written.SeriesInstanceUID, written.SOPInstanceUID = uids
    written.ReferencedImageSequence = Sequence(nested)
    written["ReferencedImageSequence"].is_undefined_length = is_open
    data = encoded(written, is_implicit=syntax == IMPLICIT, is_little_endian=syntax != BIG_ENDIAN)
    found = read_identity(data, syntax)
    assert (found.study_uid, found.series_uid, found.sop_uid) == uids
    assert found.sop_class_uid == written.SOPClassUID


@given(data=st.binary(max_size=300), syntax=st.sampled_from([EXPLICIT, IMPLICIT, BIG_ENDIAN]))
def test_any_bytes_are_refused_in_words(data: bytes, syntax: str) -> None:
    with pytest.raises(StoreRefusedError) as caught:
        read_identity(data, syntax)
    assert caught.value.status in (StoreStatus.CANNOT_UNDERSTAND, StoreStatus.DATASET_MISMATCH)
    assert len(caught.value.comment) <= COMMENT_LENGTH


@settings(deadline=None)
@given(end=st.integers(min_value=0), at=st.integers(min_value=0), value=st.integers(0, 255))
def test_a_cut_or_damaged_header_is_refused_or_read_but_never_breaks(
    end: int, at: int, value: int
) -> None:
    data = bytearray(encoded(image()))
    data[at % len(data)] = value
    del data[end % len(data) :]
    with suppress(StoreRefusedError):
        read_identity(bytes(data), EXPLICIT)


def test_an_image_cut_in_its_pixels_still_has_an_identity() -> None:
    data = encoded(image())
    assert read_identity(data[:-50], EXPLICIT) == read_identity(data, EXPLICIT)


@pytest.mark.parametrize(
    "keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"]
)
def test_a_missing_or_empty_identifier_is_named(keyword: str) -> None:
    for change in ("delete", "empty"):
        broken = image()
        if change == "delete":
            delattr(broken, keyword)
        else:
            setattr(broken, keyword, "")
        with pytest.raises(StoreRefusedError, match="is missing") as caught:
            read_identity(encoded(broken), EXPLICIT)
        assert caught.value.status is StoreStatus.DATASET_MISMATCH


@pytest.mark.parametrize(
    "uid",
    ["..", "../../x", "C:\\x", "1.2\x003", "%2e%2e", "1" * 65, "1.2.", ".1", "1..2", "٣.٤", "1.a"],
)
def test_what_is_no_uid_is_refused_without_repeating_it(uid: str) -> None:
    data = encoded(image())
    value = uid.encode()
    padded = value + b"\0" * (len(value) % 2)
    old = b"\x08\0\x18\0UI" + len(b"1.2.3.1.1.1\0").to_bytes(2, "little") + b"1.2.3.1.1.1\0"
    new = b"\x08\0\x18\0UI" + len(padded).to_bytes(2, "little") + padded
    assert old in data
    with pytest.raises(StoreRefusedError, match="not a legal UID") as caught:
        read_identity(data.replace(old, new), EXPLICIT)
    assert uid not in caught.value.comment


@pytest.mark.parametrize("uid", ["1.02.3", "1.2.3 ", "1.2.3"])
def test_harmless_deviations_are_taken(uid: str) -> None:
    padded = image()
    padded.add_new("SOPInstanceUID", "LO", uid)  # space padding, no check on writing
    assert read_identity(encoded(padded), EXPLICIT).sop_uid == uid.strip()


def test_private_sequence_of_unknown_representation_is_skipped() -> None:
    """Inside UN of undefined length the encoding is implicit, whatever it is outside."""
    inner = Dataset()
    inner.PatientName = "x" * 60
    item = encoded(inner, is_implicit=True)
    unknown = (
        b"\x09\0\x01\x10UN\0\0\xff\xff\xff\xff"
        b"\xfe\xff\0\xe0\xff\xff\xff\xff"
        + item
        + b"\xfe\xff\x0d\xe0\0\0\0\0"
        + b"\xfe\xff\xdd\xe0\0\0\0\0"
    )
    data = encoded(image())
    at = data.index(b"\x10\0\x10\0PN")
    assert read_identity(data[:at] + unknown + data[at:], EXPLICIT) == read_identity(data, EXPLICIT)


def test_deep_nesting_and_floods_of_items_are_bounded() -> None:
    opened = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\xff\xff\xff\xff"
    deep = b"\x08\0\x05\0CS\0\0" + opened * 40_000
    flood = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\0\0\0\0" * 200_000
    for data in (deep, flood):
        with pytest.raises(StoreRefusedError) as caught:
            read_identity(data, EXPLICIT)
        assert caught.value.status in (
            StoreStatus.CANNOT_UNDERSTAND,
            StoreStatus.DATASET_MISMATCH,
        )


def test_two_patients_differ_and_two_spellings_do_not() -> None:
    def digest(name: str) -> str:
        return read_identity(encoded(image(patient=name)), EXPLICIT).patient_digest

    assert digest("DOE^JANE") != digest("DOE^JOHN")
    assert digest("DOE^JANE") == digest("Doe^Jane^^") == digest("DOE^JANE ")
    unnamed = image()
    del unnamed.PatientName, unnamed.PatientID, unnamed.PatientBirthDate
    assert read_identity(encoded(unnamed), EXPLICIT).patient_digest != digest("DOE^JANE")
