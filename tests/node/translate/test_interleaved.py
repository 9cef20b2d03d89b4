"""Arterial input and slices in one series: told apart by echo, saturation time or trigger delay."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import torch
from pydicom.dataset import Dataset

from node.settings import DEFAULT_ACQUISITION
from node.translate import DecodedStudy, decode_study
from node.translate.account import Origin, SeriesRole
from pipeline.findings import Code, Grade
from tests.fakes.decoded import noticed
from tests.fakes.exams import edit, series, small_exam, values, write_small_exam

_EARLIER = timedelta(milliseconds=90)


def decode(files: list[Path]) -> DecodedStudy:
    return decode_study(files, rules=DEFAULT_ACQUISITION)


def as_input(dataset: Dataset) -> None:
    """Turn an image of the first slice into one read 90 ms earlier in the same beat."""
    taken = datetime.strptime(dataset.AcquisitionTime, "%H%M%S.%f") - _EARLIER
    dataset.AcquisitionTime = taken.strftime("%H%M%S.%f")
    dataset.SOPInstanceUID = f"{dataset.SOPInstanceUID[:60]}.7"
    dataset.TriggerTime = f"{float(dataset.TriggerTime) - 90:g}"


def by_echo(dataset: Dataset) -> None:
    dataset.EchoTime = "0.7"


def by_saturation(dataset: Dataset) -> None:
    dataset.InversionTime = "24"
    dataset.TriggerTime = ""


def by_trigger(dataset: Dataset) -> None:
    """Change nothing: the trigger delay alone differs."""


def interleaved(
    folder: Path, change: Callable[[Dataset], None], n_slices: int = 3
) -> tuple[list[Path], list[Path]]:
    """Return the slices of an exam, and its first slice once more as arterial input."""
    slices = series(write_small_exam(folder / "slices", n_slices=n_slices), 12)
    again = series(write_small_exam(folder / "again", n_slices=n_slices), 12)[::n_slices]
    edit(again, as_input)
    edit(again, change)
    return slices, again


@pytest.mark.parametrize("change", [by_echo, by_saturation, by_trigger])
def test_one_matrix_in_one_series_is_told_apart(
    change: Callable[[Dataset], None], tmp_path: Path
) -> None:
    slices, again = interleaved(tmp_path, change)
    study = decode([*again, *slices])
    (item,) = study.exams
    assert len(item.exam.slices) == 3
    assert item.exam.arterial_input is not None
    assert {source.SOPInstanceUID[-2:] for source in item.sources.arterial_input} == {".7"}
    assert len(item.sources.arterial_input) == 27
    expected = small_exam().slices[0].frames.round().clamp(0, 4095)
    assert torch.equal(item.exam.slices[0].frames, expected)
    (account,) = study.account.series
    assert account.role is SeriesRole.PERFUSION_WITH_INPUT
    assert noticed(study) == ()


def test_a_single_slice_and_its_input_are_told_by_saturation_time(tmp_path: Path) -> None:
    slices, again = interleaved(tmp_path, by_saturation, n_slices=1)
    (item,) = decode([*slices, *again]).exams
    assert len(item.exam.slices) == 1
    assert item.exam.arterial_input is not None
    assert item.sources.arterial_input[0].InversionTime == 24


def test_an_interleaved_input_uses_the_shipped_entry_as_an_assumption(tmp_path: Path) -> None:
    slices, again = interleaved(tmp_path, by_saturation)
    (item,) = decode([*slices, *again]).exams
    assert item.exam.arterial_input is not None
    assert item.exam.arterial_input.sequence is not None
    facts = {fact.name: fact for fact in item.account.facts}
    assert facts["arterial input: pulse spacing"].origin is Origin.ASSUMED
    assert facts["arterial input: inversion time"].value == "24"


def test_two_echoes_of_an_interleaved_input_are_kept_apart(tmp_path: Path) -> None:
    slices, first = interleaved(tmp_path / "first", by_saturation)
    _, second = interleaved(tmp_path / "second", by_saturation)

    def later(dataset: Dataset) -> None:
        dataset.EchoTime = "2.1"
        dataset.SOPInstanceUID = f"{dataset.SOPInstanceUID[:60]}.8"

    edit(second, later)
    (item,) = decode([*slices, *second, *first]).exams
    assert len(item.exam.slices) == 3
    assert [float(source.EchoTime) for source in item.sources.arterial_input] == [1.0] * 27
    assert [float(source.EchoTime) for source in item.sources.second_echo] == [2.1] * 27


def test_slices_after_one_saturation_pulse_are_no_arterial_input(tmp_path: Path) -> None:
    """Some protocols read all slices of a beat after one pulse: each has a time of its own."""
    files = series(write_small_exam(tmp_path), 12)
    for position, time_ms in enumerate(("60", "130", "200")):
        edit(
            files[position::3],
            values(InversionTime=time_ms),
        )
    (item,) = decode(files).exams
    assert len(item.exam.slices) == 3
    assert item.exam.arterial_input is None


def test_a_few_odd_trigger_delays_tear_no_slice_apart(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, n_slices=1)
    edit(series(files, 12)[5:15], values(TriggerTime="400"))
    (item,) = decode(files).exams
    assert [len(sources) for sources in item.sources.slices] == [27]


def test_frames_that_say_their_own_flip_angle_are_counted_by_it(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, n_slices=1)
    for number in (11, 12):
        edit(series(files, number)[:4], values(FlipAngle="6"))
    (item,) = decode(files).exams
    assert [images.n_proton_density for images in item.exam.slices] == [4]
    facts = {fact.name: fact for fact in item.account.facts}
    assert facts["perfusion: proton-density frames"].origin is Origin.HEADER
    assert facts["perfusion: proton-density flip angle"].value == "6"
    assert facts["perfusion: proton-density flip angle"].origin is Origin.HEADER
    assert facts["perfusion: flip angle"].value == "12"


def test_the_assumptions_of_shipped_settings_are_one_note(tmp_path: Path) -> None:
    files = [
        *write_small_exam(tmp_path, n_slices=1),
        *write_small_exam(tmp_path, "rest", n_slices=1),
    ]
    study = decode(files)
    (note,) = study.findings
    assert (note.code, note.grade) == (Code.UNSUPPORTED_SEQUENCE, Grade.NOTE)
    assert "pulse spacing" in note.text
    assert len(study.exams) == 2


def test_what_a_site_wrote_is_no_assumption(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, n_slices=1)
    site = [
        rule.model_copy(
            update={"pattern": f"{rule.pattern}|site", "saturation_efficiency_percent": 99.0}
        )
        for rule in DEFAULT_ACQUISITION
    ]
    study = decode_study(files, rules=site)
    assert study.findings == ()
    assert study.exams[0].account.assumptions == ()
