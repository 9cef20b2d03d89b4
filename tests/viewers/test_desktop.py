"""A desktop viewer opens corrected series, map and page."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.viewers.desktop import open_in_aeskulap, photograph, virtual_screen
from tests.viewers.processed import Processed
from tests.viewers.series_numbers import COLOUR, FLOW, MOCO, PAGE, REST, STRESS

pytestmark = pytest.mark.viewers
PANE = (8, 130, 560, 680)
"""Left, upper, right and lower edge of what shows the first series, without its borders."""


@pytest.fixture(scope="module")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with virtual_screen(tmp_path_factory.mktemp("screen")) as display:
        yield display


def show(files: Sequence[Path], display: str, folder: Path) -> Image.Image:
    with open_in_aeskulap(files, display, folder):
        picture = photograph(display)
    log = (folder / "aeskulap.log").read_text(errors="replace")
    assert log.count("opened file:") == len(files)
    return picture


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("aeskulap_moco", (STRESS + MOCO, REST + MOCO)),
        ("aeskulap_page", (STRESS + PAGE, REST + PAGE)),
        # In steps of a whole ml/min/g, as docs/viewers.md warns; the colour map has all of them.
        ("aeskulap_map", (STRESS + FLOW, REST + FLOW)),
        ("aeskulap_colour", (STRESS + COLOUR, REST + COLOUR)),
    ],
)
def test_shows(
    name: str,
    numbers: tuple[int, ...],
    processed: Processed,
    display: str,
    tmp_path: Path,
    keep: Callable[[str, Image.Image], None],
) -> None:
    picture = show([path for one in numbers for path in processed.series[one]], display, tmp_path)
    levels = np.unique(np.asarray(picture.crop(PANE).convert("L")))
    assert len(levels) > 100
    keep(name, picture)
