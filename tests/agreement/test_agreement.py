"""Every row of docs/evidence/agreement.md holds, and the document says what was found."""

from pathlib import Path

import pytest

from tests.agreement.document import CHECKS, TARGET, render, row


@pytest.mark.parametrize("place", range(len(CHECKS)))
def test_agrees_with_what_others_computed(reference_data: Path, place: int) -> None:
    found = row(place, reference_data)
    assert found.n_cases > 0
    assert found.agrees, found


def test_document_is_up_to_date(reference_data: Path) -> None:
    expected = render(reference_data)
    assert TARGET.read_text(encoding="utf-8") == expected, "python -m tests.agreement.document"
