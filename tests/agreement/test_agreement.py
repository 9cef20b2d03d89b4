"""Every row of docs/evidence/agreement.md holds, and the document says what was found."""

from collections.abc import Callable
from pathlib import Path

import pytest

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


def test_document_is_up_to_date(reference_data: Path) -> None:
    expected = render(reference_data)
    assert TARGET.read_text(encoding="utf-8") == expected, "python -m tests.agreement.document"
