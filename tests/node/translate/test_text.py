"""Names in any script come back as they came in."""

from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from node.scanner import VirtualPatient
from node.settings import DEFAULT_ACQUISITION, ResultsSettings
from node.translate import decode_study, encode_failure_page, find_reference, to_bytes
from tests.fakes.encoding import encode_plain
from tests.fakes.exams import PAGE, STAMP, edit, unmoved_analysis, write_small_exam

NAMES = [
    ("ISO_IR 100", "Müller^Jürgen"),
    ("ISO_IR 101", "Wałęsa^Łucja"),
    ("ISO_IR 126", "Διονυσιος^Αννα"),  # noqa: RUF001 - a name in Greek
    ("ISO_IR 144", "Люксембург^Роза"),
    ("ISO_IR 127", "قباني^لنزار"),
    ("ISO_IR 192", "Wang^XiaoDong=王^小东"),
    ("GB18030", "Wang^XiaoDong=王^小东"),
    ("\\ISO 2022 IR 87", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
    ("\\ISO 2022 IR 149", "Hong^Gildong=洪^吉洞=홍^길동"),
]


def patient(name: str, character_set: str) -> VirtualPatient:
    return VirtualPatient(
        name=name,
        patient_id="PHANTOM-TEXT",
        birth_date="19500505",
        sex="F",
        age_years=75,
        weight_kg=61.5,
        accession_number="TEXT1",
        character_set=character_set,
    )


@pytest.mark.parametrize(("character_set", "name"), NAMES)
def test_names_survive(character_set: str, name: str, tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, n_slices=1, patient=patient(name, character_set))
    assert str(dcmread(files[0]).PatientName) == name
    decoded = decode_study(files, rules=DEFAULT_ACQUISITION).exams[0]
    analysis = unmoved_analysis(decoded.exam)
    results = encode_plain(decoded, analysis)
    for result in (results[0], results[-3], results[-1]):
        again = dcmread(BytesIO(to_bytes(result)))
        assert str(again.PatientName) == name
        assert again.SpecificCharacterSet == dcmread(files[0]).SpecificCharacterSet


def test_names_that_do_not_fit_the_declared_set_are_written_in_utf_8(tmp_path: Path) -> None:
    (reference,) = [dcmread(write_small_exam(tmp_path, n_slices=1)[0], stop_before_pixels=True)]
    reference.PatientName = "Ünal^Şule"  # no S with cedilla in the declared Latin-1
    result = encode_failure_page(
        reference, PAGE, reason="P05 none", run=STAMP, settings=ResultsSettings()
    )
    again = dcmread(BytesIO(to_bytes(result)))
    assert again.SpecificCharacterSet == "ISO_IR 192"
    assert str(again.PatientName) == "Ünal^Şule"


def test_undeclared_latin_bytes_come_back_as_the_same_bytes(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, n_slices=1, patient=patient("Müller^Jörg", "ISO_IR 100"))

    def undeclare(dataset: Dataset) -> None:
        del dataset.SpecificCharacterSet

    edit(files[:1], undeclare)
    before = files[0].read_bytes()
    assert "Müller^Jörg".encode("latin-1") in before
    reference = find_reference(files[:1])
    assert reference is not None
    result = encode_failure_page(
        reference, PAGE, reason="P05 none", run=STAMP, settings=ResultsSettings()
    )
    after = to_bytes(result)
    assert (
        "Müller^Jörg".encode("latin-1") in after
        or str(dcmread(BytesIO(after)).PatientName) == "Müller^Jörg"
    )
