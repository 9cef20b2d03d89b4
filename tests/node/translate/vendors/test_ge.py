"""Magnitude and phase differ in one private number."""

import pytest
from pydicom.dataset import Dataset

from node.translate.vendors import complete_header


def image(component: int) -> Dataset:
    dataset = Dataset()
    dataset.Manufacturer = "GE MEDICAL SYSTEMS"
    block = dataset.private_block(0x0043, "GEMS_PARM_01", create=True)
    block.add_new(0x2F, "SS", component)
    return dataset


@pytest.mark.parametrize(
    ("number", "word"), [(0, "MAGNITUDE"), (1, "PHASE"), (2, "REAL"), (3, "IMAGINARY")]
)
def test_the_component_is_said_in_words(number: int, word: str) -> None:
    header = image(number)
    complete_header(header)
    assert header.ComplexImageComponent == word


def test_what_is_written_already_stays() -> None:
    header = image(1)
    header.ComplexImageComponent = "MAGNITUDE"
    complete_header(header)
    assert header.ComplexImageComponent == "MAGNITUDE"


def test_an_unknown_number_says_nothing() -> None:
    header = image(9)
    complete_header(header)
    assert "ComplexImageComponent" not in header
