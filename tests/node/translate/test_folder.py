"""A folder from elsewhere is sorted into studies; what is not an image is named with a reason."""

from pathlib import Path

from node.scanner import VirtualPatient
from node.translate import find_studies
from tests.fakes.exams import write_small_exam


def test_studies_are_told_apart_and_junk_is_named(tmp_path: Path) -> None:
    first = write_small_exam(tmp_path / "a", n_slices=1)
    other = write_small_exam(tmp_path / "b" / "c", n_slices=1, patient=VirtualPatient.from_seed(8))
    junk = tmp_path / "notes.txt"
    junk.write_text("nothing")
    (tmp_path / "link.dcm").symlink_to(first[0])
    found = find_studies(tmp_path)
    assert sorted(map(sorted, found.studies)) == sorted([sorted(first), sorted(other)])
    reasons = dict(found.rejected)
    assert set(reasons) == {junk, tmp_path / "link.dcm"}
    assert reasons[tmp_path / "link.dcm"] == "not a plain file"
    assert "not DICOM" in reasons[junk]


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    found = find_studies(tmp_path)
    assert found.studies == found.rejected == ()
