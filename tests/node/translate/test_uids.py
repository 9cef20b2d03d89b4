"""Identifiers: valid, stable, and different whenever anything differs."""

from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import UID

from node.translate.uids import input_key, make_uid
from node.version import IMPLEMENTATION_CLASS_UID

words = st.text(st.characters(codec="ascii", exclude_characters="\x1f\0"), max_size=20)


@given(st.lists(words, min_size=1, max_size=4), st.lists(words, min_size=1, max_size=4))
def test_equal_parts_give_equal_uids_and_other_parts_other_ones(
    first: list[str], second: list[str]
) -> None:
    uid = make_uid(*first)
    assert uid.is_valid
    assert uid.startswith("2.25.")
    assert len(uid) <= 64
    assert (make_uid(*second) == uid) == (first == second)


@given(st.lists(words, min_size=1, max_size=6, unique=True), st.randoms())
def test_the_order_and_repetition_of_inputs_do_not_matter(uids: list[str], random: object) -> None:
    shuffled = [*uids, uids[0]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a Random of hypothesis
    assert input_key(uids, "v1") == input_key(shuffled, "v1")
    assert input_key(uids, "v1") != input_key(uids, "v2")
    assert input_key(uids, "v1") != input_key([*uids, "one more uid than twenty letters"], "v1")


def test_uids_never_change_between_versions() -> None:
    assert make_uid("moco", "1.2.3") == UID("2.25.214500826582242751003071329347461328757")
    assert UID(IMPLEMENTATION_CLASS_UID).is_valid
