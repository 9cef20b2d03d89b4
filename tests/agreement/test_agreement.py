"""Every row of docs/evidence/agreement.md holds, and the document says what was found."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.agreement import myo_pinn
from tests.agreement.document import DCMRI, MYO_PINN, OSIPI, TARGET, render, row
from tests.agreement.row import Row

Check = Callable[[Path], Row]


@pytest.mark.parametrize("check", DCMRI)
def test_agrees_with_dcmri(check: Check) -> None:
    found = row(check, Path())
    assert found.n_cases > 0
    assert found.agrees, found


@pytest.mark.parametrize("check", [*OSIPI, *MYO_PINN])
def test_agrees_with_published_numbers(reference_data: Path, check: Check) -> None:
    found = row(check, reference_data)
    assert found.n_cases > 0
    assert found.agrees, found


def told(text: str) -> tuple[str, list[float]]:
    """Return a document without the values that are told only, and those values."""
    pattern = r"(?<= \| )(-?[\d.e-]+)(?= \| told only \|)"
    return re.sub(pattern, "", text), [float(value) for value in re.findall(pattern, text)]


def test_document_is_up_to_date(reference_data: Path) -> None:
    """Values that are told only may move by a twentieth: fits improve without a new document."""
    text, values = told(TARGET.read_text(encoding="utf-8"))
    expected_text, expected = told(render(reference_data))
    assert text == expected_text, "python -m tests.agreement.document"
    assert len(expected) == 1 + len(myo_pinn.FLOW_ROWS)
    assert values == pytest.approx(expected, abs=0.05), "python -m tests.agreement.document"
