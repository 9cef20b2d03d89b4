"""What the account of a study says of its series, and that it says nothing about a person."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage

from node.settings import DEFAULT_ACQUISITION
from node.translate import decode_study
from node.translate.account import Encoding, Origin, SeriesAccount, SeriesRole, StudyAccount
from tests.fakes.exams import edit, series, values, write_small_exam


def account(files: list[Path]) -> StudyAccount:
    return decode_study(files, rules=DEFAULT_ACQUISITION).account


def of(files: list[Path], number: int) -> SeriesAccount:
    return next(item for item in account(files).series if item.number == number)


def test_every_series_has_a_role(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, with_localizer=True)
    scout, arterial, perfusion = account(files).series
    assert (scout.role, arterial.role, perfusion.role) == (
        SeriesRole.SCOUT,
        SeriesRole.ARTERIAL_INPUT,
        SeriesRole.PERFUSION,
    )
    assert (perfusion.n_files, perfusion.n_images, perfusion.n_positions) == (81, 81, 3)
    assert perfusion.shape == (48, 40)
    assert perfusion.vendor == "Siemens"
    assert perfusion.encoding is Encoding.CLASSIC
    assert perfusion.transfer_syntax == "Explicit VR Little Endian"
    assert "27 images at each of 3 positions" in perfusion.reason
    assert "half the matrix" in arterial.reason


def as_copy(dataset: Dataset) -> None:
    dataset.ImageType = ["DERIVED", "PRIMARY", "M", "ND", "MOCO"]


def as_phase(dataset: Dataset) -> None:
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "P", "ND"]


def as_map(dataset: Dataset) -> None:
    dataset.ImageType = ["DERIVED", "PRIMARY", "PERFUSION", "TTP"]
    if int(dataset.InstanceNumber) > 3:
        dataset.ImagePositionPatient = [int(dataset.InstanceNumber) * 20, 0, 0]


def as_computed_tomography(dataset: Dataset) -> None:
    dataset.SOPClassUID = CTImageStorage


def as_own_result(dataset: Dataset) -> None:
    dataset.Manufacturer = "perfnode"


@pytest.mark.parametrize(
    ("change", "role"),
    [
        (as_copy, SeriesRole.COPY),
        (as_phase, SeriesRole.NOT_MAGNITUDE),
        (as_map, SeriesRole.MAP),
        (as_computed_tomography, SeriesRole.OTHER),
        (as_own_result, SeriesRole.OWN_RESULT),
    ],
)
def test_what_is_not_used_is_named(
    change: Callable[[Dataset], None], role: SeriesRole, tmp_path: Path
) -> None:
    files = write_small_exam(tmp_path, n_slices=1)
    more = series(write_small_exam(tmp_path / "more", n_slices=1), 12)

    def move(dataset: Dataset) -> None:
        dataset.SeriesInstanceUID = f"{dataset.SeriesInstanceUID[:60]}.5"
        dataset.SOPInstanceUID = f"{dataset.SOPInstanceUID[:60]}.5"
        dataset.SeriesNumber = 40

    edit(more, move)
    edit(more, change)
    assert of([*files, *more], 40).role is role


def test_phase_images_among_the_others_are_counted(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, n_slices=1)
    more = series(write_small_exam(tmp_path / "more", n_slices=1), 12)
    edit(more, as_phase)
    for number, path in enumerate(more):
        edit([path], values(SOPInstanceUID=f"1.2.3.{number + 1}"))
    found = of([*files, *more], 12)
    assert found.role is SeriesRole.PERFUSION
    assert found.n_images == 54
    assert "27 phase, real or imaginary images left out" in found.reason


def test_a_second_echo_is_named(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, n_slices=1)
    more = series(write_small_exam(tmp_path / "more", n_slices=1), 11)

    def later(dataset: Dataset) -> None:
        dataset.EchoTime, dataset.SeriesNumber = "1.7", 40
        dataset.SeriesInstanceUID = f"{dataset.SeriesInstanceUID[:60]}.5"
        dataset.SOPInstanceUID = f"{dataset.SOPInstanceUID[:60]}.5"

    edit(more, later)
    assert of([*files, *more], 40).role is SeriesRole.SECOND_ECHO


def test_every_parameter_has_an_origin(tmp_path: Path) -> None:
    (exam,) = account(write_small_exam(tmp_path)).exams
    facts = {fact.name: fact for fact in exam.facts}
    assert str(facts["field strength"]) == "field strength 3 T (header: Magnetic Field Strength)"
    for role in ("perfusion", "arterial input"):
        for name in (
            "readout",
            "echo time",
            "flip angle",
            "pulse spacing",
            "pulses before the centre of k-space",
            "inversion time",
            "saturation delay",
            "saturation efficiency",
            "proton-density frames",
            "proton-density flip angle",
        ):
            fact = facts[f"{role}: {name}"]
            assert fact.value
            assert fact.detail
            assert fact.origin is not Origin.MISSING
    assert facts["perfusion: saturation delay"].value == "62"
    assert facts["perfusion: saturation delay"].origin is Origin.ASSUMED
    assert facts["perfusion: proton-density frames"].origin is Origin.SIGNAL
    assert [stack.name for stack in exam.stacks] == [
        "slice 1",
        "slice 2",
        "slice 3",
        "arterial input",
    ]
    assert [round(stack.position_mm) for stack in exam.stacks[:3]] == [0, 20, 40]


def test_missing_beats_are_counted(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path)
    third = [path for path in series(files, 12) if int(path.stem[4:]) % 3 == 0]
    (exam,) = account([path for path in files if path not in third[12:14]]).exams
    assert [stack.n_missing for stack in exam.stacks] == [0, 0, 2, 0]


def test_an_account_holds_no_identity(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, with_localizer=True)
    edit(
        files,
        values(
            PatientName="Canary^Yellow",
            PatientID="CANARY1",
            InstitutionName="Canary Hospital",
            StationName="CANARYMR",
            OperatorsName="Canary^Red",
            StudyDescription="Canary study",
            ImageComments="stress of Mr Canary",
        ),
    )
    text = str(asdict(account(files)))
    assert "anary" not in text
    assert "CANARY" not in text
    assert "1.2." not in text
    assert "2026" not in text
