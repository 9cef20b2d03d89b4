"""What a colour means: the same on every picture, also at and beyond the ends."""

import numpy as np
import pytest

from pipeline.picture.scale import FLOW_SCALE, RESERVE_SCALE, ColourScale, ColourTable, colours_of


@pytest.mark.parametrize("scale", [FLOW_SCALE, RESERVE_SCALE])
def test_the_ends_stand_for_all_beyond(scale: ColourScale) -> None:
    values = np.array([scale.low - 1, scale.low, scale.high, scale.high + 9, np.inf])
    assert scale.entry(values).tolist() == [0, 0, 255, 255, 255]


@pytest.mark.parametrize("scale", [FLOW_SCALE, RESERVE_SCALE])
def test_entries_are_in_proportion(scale: ColourScale) -> None:
    values = np.linspace(scale.low, scale.high, 256)
    assert scale.entry(values).tolist() == list(range(256))


def test_ranges_are_those_of_the_text() -> None:
    assert (FLOW_SCALE.title, FLOW_SCALE.ticks) == ("MBF [ml/min/g]", (0, 1, 2, 3, 4, 5, 6))
    assert (RESERVE_SCALE.title, RESERVE_SCALE.ticks) == ("MPR", (0, 1, 2, 3, 4, 5))


@pytest.mark.parametrize("table", list(ColourTable))
def test_brighter_is_more(table: ColourTable) -> None:
    """Order survives in a grey print."""
    luminance = colours_of(table) @ np.array([0.299, 0.587, 0.114])
    assert (np.diff(luminance[::4]) > 0).all()
