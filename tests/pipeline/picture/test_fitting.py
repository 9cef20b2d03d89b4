"""Lines are as long as their place, whatever letters they have."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.picture.canvas import new_page, to_rgb, write
from pipeline.picture.fitting import shorten, width_px, wrap

WORDS = st.lists(st.text("imWl.%é", min_size=1, max_size=8), min_size=1, max_size=30)


@pytest.mark.parametrize("text", ["iiii llll", "WWWW mmmm", "P09 Slices 1, 2: it moves."])
def test_a_line_is_as_wide_as_it_is_drawn(text: str) -> None:
    figure = new_page()
    write(figure, 20, 20, text, size=10.0)
    to_rgb(figure)
    drawn = figure.texts[0].get_window_extent().width
    assert width_px(text, 10.0) == pytest.approx(drawn, abs=0.04 * drawn)


@settings(max_examples=20, deadline=None)
@given(words=WORDS)
def test_lines_fit_and_lose_no_word(words: list[str]) -> None:
    lines = wrap(" ".join(words), most_px=200, size=10.0)
    assert " ".join(lines).split() == " ".join(words).split()
    assert all(width_px(line, 10.0) <= 200 or len(line.split()) == 1 for line in lines)


@settings(max_examples=20, deadline=None)
@given(words=WORDS)
def test_what_is_cut_fits_and_is_marked(words: list[str]) -> None:
    text = " ".join(words)
    short = shorten(text, most_px=150, size=10.0)
    assert width_px(short, 10.0) <= 150
    assert short == text or (short.endswith(" ...") and text.startswith(short[:-4]))
