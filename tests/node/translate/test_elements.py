"""Bytes that are joined are those that pydicom writes."""

from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from node.scanner import Dialect
from node.scanner.dialect import Form
from node.settings import DEFAULT_ACQUISITION
from node.translate import decode_study, to_bytes
from node.translate.elements import is_plain, make_element, make_sequence, tag_of
from tests.fakes.encoding import encode_plain
from tests.fakes.exams import unmoved_analysis, write_small_exam


@pytest.mark.parametrize("form", Form)
def test_a_result_is_what_pydicom_writes_of_it(form: Form, tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, n_slices=1, dialect=Dialect(form=form))
    decoded = decode_study(files, rules=DEFAULT_ACQUISITION).exams[0]
    for result in encode_plain(decoded, unmoved_analysis(decoded.exam)):
        written = to_bytes(result)
        read = dcmread(BytesIO(written))
        assert all(element is not None for element in read.iterall())  # none stays as it was read
        again = BytesIO()
        read.save_as(again, enforce_file_format=True)
        assert again.getvalue() == written


def test_text_that_hangs_on_the_character_set_is_left_to_pydicom() -> None:
    assert is_plain(make_element("PatientName", "Muller^Jurgen"))
    name = make_element("PatientName", "Müller^Jürgen")
    assert isinstance(name, DataElement)
    sequence = make_sequence("ContributingEquipmentSequence", [{tag_of("PatientName"): name}])
    assert isinstance(sequence, DataElement)


def test_what_is_assigned_to_one_leaves_the_other_alone() -> None:
    first, second = (
        Dataset({tag_of("Modality"): make_element("Modality", "MR")}) for _ in range(2)
    )
    first.Modality = "SR"
    assert second.Modality == "MR"
