"""Of free text nothing is told but words of a list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.translate.vocabulary import HIDDEN, Vocabulary, known_words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("STRESS_perf_tfl_sr", "stress perf tfl sr"),
        ("StressPerf", "stress perf"),
        ("PERF_TPAT3_PF3_192x111", "perf tpat3 pf3 192x111"),
        ("Ruhe Perfusion MUELLER", "ruhe perfusion *"),
        ("MUELLER, Hans *12.03.1950 stress", "* stress"),
        ("stress 19500312", "stress *"),
        ("Müller rest", "* rest"),
        ("Forrester", "*"),
        ("", ""),
    ],
)
def test_only_known_words_are_shown(text: str, shown: str) -> None:
    assert known_words(text) == shown


@pytest.mark.parametrize("name", ["Vida", "Max Long", "Dixon", "Bravo", "Vincent de Vries", "J M"])
def test_names_that_are_words_elsewhere_are_hidden(name: str) -> None:
    """`MAGNETOM Vida` is told of a scanner; a protocol may be named after Vida."""
    assert known_words(name) == HIDDEN
    assert known_words("MAGNETOM Vida", Vocabulary.EQUIPMENT) == "magnetom vida"


@given(st.text(), st.sampled_from(Vocabulary))
def test_no_text_gets_through(text: str, vocabulary: Vocabulary) -> None:
    """What is shown stays the same when it is read again: it holds nothing that is hidden."""
    shown = known_words(text, vocabulary)
    assert known_words(shown.replace(HIDDEN, "19500312"), vocabulary) == shown
    assert shown.isascii()


@given(st.text(alphabet="0123456789.-/: "))
def test_digits_are_never_shown(text: str) -> None:
    assert set(known_words(text)) <= {HIDDEN}
