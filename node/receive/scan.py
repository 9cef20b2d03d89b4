"""Walking over the elements of an encoded data set without decoding values (PS3.5 7.1).

A loop instead of a recursion and no copies: what a hostile sender can cost is bounded by the
number of elements, not by nesting or by the lengths that they claim.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct, error

MAX_ELEMENTS = 100_000
UNDEFINED_LENGTH = 0xFFFFFFFF
ITEM = 0xFFFEE000
ITEM_END = 0xFFFEE00D
SEQUENCE_END = 0xFFFEE0DD
_SHORT_LENGTH_VRS = frozenset(
    b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split()
)


class UnreadableDataError(ValueError):
    """The bytes are not a data set in this encoding, or stop too early."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How elements are written under a transfer syntax."""

    is_explicit: bool
    is_little_endian: bool = True

    @classmethod
    def of(cls, transfer_syntax_uid: str) -> "Encoding":
        """Return the encoding of a transfer syntax; all but three are explicit little endian."""
        return cls(
            is_explicit=transfer_syntax_uid != "1.2.840.10008.1.2",
            is_little_endian=transfer_syntax_uid != "1.2.840.10008.1.2.2",
        )


@dataclass(frozen=True, slots=True)
class Element:
    """Where the value of a top-level element lies."""

    tag: int
    """Group and element as one number, 0x00100020."""
    start: int
    end: int


_IMPLICIT = Encoding(is_explicit=False)
_STRUCTS = {
    True: (Struct("<HHL"), Struct("<H"), Struct("<L")),
    False: (Struct(">HHL"), Struct(">H"), Struct(">L")),
}


def top_level_elements(data: bytes, encoding: Encoding, start: int = 0) -> Iterator[Element]:
    """Yield the elements of the outermost level that have a defined length, in file order.

    Parameters
    ----------
    data
        Encoded data set.
    start
        Where its first element begins.

    Raises
    ------
    UnreadableDataError
        On reaching bytes that are no element, a value beyond the end, or too many elements.
    """
    position = start
    inside: list[Encoding] = []  # one entry per open sequence or item of undefined length
    for _ in range(MAX_ELEMENTS):
        if position >= len(data):
            return
        present = inside[-1] if inside else encoding
        tag, value_at, length, content = _read_header(data, position, present)
        if tag in (ITEM_END, SEQUENCE_END):
            _close(inside)
            position = value_at
        elif length == UNDEFINED_LENGTH:
            inside.append(content)
            position = value_at
        else:
            position = value_at + length
            if position > len(data):
                raise UnreadableDataError("a value lies beyond the end")
            if not inside:
                yield Element(tag, value_at, position)
    raise UnreadableDataError("too many elements")


def _close(inside: list[Encoding]) -> None:
    if not inside:
        raise UnreadableDataError("a delimiter without a beginning")
    inside.pop()


def _read_header(data: bytes, at: int, encoding: Encoding) -> tuple[int, int, int, Encoding]:
    """Return tag, position and length of the value, and how its content is encoded."""
    tag_and_length, short_length, long_length = _STRUCTS[encoding.is_little_endian]
    try:
        group, number, length = tag_and_length.unpack_from(data, at)
        tag = group << 16 | number
        if not encoding.is_explicit or group == ITEM >> 16:
            return tag, at + 8, length, encoding
        representation = data[at + 4 : at + 6]
        if representation in _SHORT_LENGTH_VRS:
            return tag, at + 8, short_length.unpack_from(data, at + 6)[0], encoding
        if not (representation.isalpha() and representation.isupper()):
            raise UnreadableDataError("no value representation where one must be")
        # A value of unknown representation and length is implicit inside (PS3.5 6.2.2 note 4).
        content = _IMPLICIT if representation == b"UN" else encoding
        return tag, at + 12, long_length.unpack_from(data, at + 8)[0], content
    except error:
        raise UnreadableDataError("the data set stops inside an element") from None
