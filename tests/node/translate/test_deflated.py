"""A deflated file is read whole or refused; it cannot fill the memory."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from node.errors import NotDicomError
from node.scanner.dialect import Dialect, Form, Syntax, Vendor
from node.translate import deflated
from node.translate.headers import read_headers
from node.translate.pixels import read_pixels
from tests.fakes.exams import write_small_exam


@pytest.mark.parametrize("form", [Form.CLASSIC, Form.ENHANCED])
def test_a_deflated_file_is_the_same_image(form: Form, tmp_path: Path) -> None:
    planes = []
    for syntax in (Syntax.EXPLICIT, Syntax.DEFLATED):
        dialect = Dialect(vendor=Vendor.UIH, form=form, syntax=syntax)
        path = write_small_exam(tmp_path / syntax, n_slices=1, dialect=dialect)[-1]
        planes.append(read_pixels(read_headers(path)))
    for plain, inflated in zip(*planes, strict=True):
        assert plain is not None
        assert inflated is not None
        assert np.array_equal(plain, inflated)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    dialect = Dialect(syntax=Syntax.DEFLATED)
    return write_small_exam(tmp_path, n_slices=1, dialect=dialect)[0]


def test_a_file_that_grows_beyond_bounds_is_refused(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deflated, "MAX_BYTES", 1000)
    with pytest.raises(NotDicomError, match="too large"):
        read_headers(file)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-20],
        lambda data: data[:400],
        lambda data: data[:500] + b"\xff" * (len(data) - 500),
    ],
)
def test_damaged_files_are_refused(damage: Callable[[bytes], bytes], file: Path) -> None:
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(NotDicomError):
        read_headers(file)
