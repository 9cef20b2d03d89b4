"""Stress and rest: told by the site, by names and by codes; a pair without labels is proposed."""

from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from node.settings import DEFAULT_ACQUISITION, StateRule
from node.translate import DecodedStudy, decode_study
from node.translate.account import Origin
from pipeline.findings import Code, Finding, Grade
from pipeline.types import PatientState
from tests.fakes.exams import edit, values, write_small_exam

NAME = "perf_tfl_sr_sax"


def decode(files: list[Path], *states: StateRule) -> DecodedStudy:
    return decode_study(files, rules=DEFAULT_ACQUISITION, states=states)


def unlabel(dataset: Dataset) -> None:
    dataset.SeriesDescription = dataset.ProtocolName = NAME
    dataset.ImageComments = ""


def both(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the files of an unlabelled stress run and of an unlabelled rest run."""
    runs = tuple(
        write_small_exam(folder / state, state, n_slices=1) for state in ("stress", "rest")
    )
    for files in runs:
        edit(files, unlabel)
    return runs[0], runs[1]


def doubts(study: DecodedStudy) -> list[Finding]:
    return [finding for finding in study.findings if finding.code is Code.STATE_MISSING]


def code_item(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def test_an_unlabelled_pair_is_proposed_and_not_labelled(tmp_path: Path) -> None:
    stress, rest = both(tmp_path)
    study = decode([*rest, *stress])
    assert [item.exam.state for item in study.exams] == [PatientState.UNKNOWN] * 2
    first, second = doubts(study)
    assert {first.grade, second.grade} == {Grade.REVIEW}
    assert "proposed: stress" in first.text
    assert "proposed: rest" in second.text
    origins = [item.account.state_origin for item in study.exams]
    assert [origin.origin for origin in origins] == [Origin.MISSING] * 2
    assert ["proposed" in origin.detail for origin in origins] == [True, True]


def test_a_single_unlabelled_run_is_not_guessed(tmp_path: Path) -> None:
    stress, _ = both(tmp_path)
    (finding,) = doubts(decode(stress))
    assert "proposed" not in finding.text


def test_beside_a_named_run_the_other_is_proposed(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path / "named", "stress", n_slices=1)
    _, rest = both(tmp_path)
    study = decode([*files, *rest])
    assert [item.exam.state for item in study.exams] == [PatientState.STRESS, PatientState.UNKNOWN]
    (finding,) = doubts(study)
    assert "proposed: rest, as the other run is stress" in finding.text


def test_a_rule_of_the_site_settles_an_unlabelled_pair(tmp_path: Path) -> None:
    stress, rest = both(tmp_path)
    for files, suffix in ((stress, "run1"), (rest, "run2")):
        edit(
            files,
            values(SeriesDescription=f"{NAME}_{suffix}"),
        )
    rules = (StateRule(pattern="run1", state="stress"), StateRule(pattern="run2", state="rest"))
    study = decode([*rest, *stress], *rules)
    assert [item.exam.state for item in study.exams] == [PatientState.STRESS, PatientState.REST]
    assert study.exams[0].account.state_origin.origin is Origin.CONFIGURATION
    assert doubts(study) == []


def test_the_first_rule_that_matches_counts_and_only_on_its_scanner(tmp_path: Path) -> None:
    stress, _ = both(tmp_path)
    edit(stress, values(StationName="MR2"))
    elsewhere = StateRule(pattern="perf", state="rest", station="MR1")
    here = StateRule(pattern="perf", state="stress", station="MR2")
    later = StateRule(pattern="perf_tfl", state="rest")
    assert decode(stress, elsewhere, here, later).exams[0].exam.state is PatientState.STRESS
    assert decode(stress, elsewhere).exams[0].exam.state is PatientState.UNKNOWN


def test_a_rule_outweighs_a_name(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, "stress", n_slices=1)
    study = decode(files, StateRule(pattern="stress_perf", state="rest"))
    assert study.exams[0].exam.state is PatientState.REST


@pytest.mark.parametrize(
    ("value", "scheme", "meaning", "state"),
    [
        ("432655005", "SCT", "", PatientState.STRESS),
        ("109091", "DCM", "", PatientState.STRESS),
        ("128975004", "SCT", "", PatientState.REST),
        ("X1", "99LOCAL", "Regadenoson perfusion", PatientState.STRESS),
        ("X2", "99LOCAL", "Perfusion", PatientState.UNKNOWN),
    ],
)
def test_codes_tell_where_names_do_not(
    value: str, scheme: str, meaning: str, state: PatientState, tmp_path: Path
) -> None:
    stress, _ = both(tmp_path)
    outer = Dataset()
    outer.PatientPhysiologicalStateCodeSequence = Sequence([code_item(value, scheme, meaning)])
    edit(stress, values(PatientPhysiologicalStateSequence=Sequence([outer])))
    (item,) = decode(stress).exams
    assert item.exam.state is state
    is_known = state is not PatientState.UNKNOWN
    assert (item.account.state_origin.origin is Origin.HEADER) == is_known


def add_protocol(files: list[Path], value: str) -> None:
    item = code_item(value, "SCT", "")
    edit(files, values(PerformedProtocolCodeSequence=Sequence([item])))


def test_a_protocol_code_counts_unless_it_is_that_of_the_whole_study(tmp_path: Path) -> None:
    stress, rest = both(tmp_path)
    add_protocol(stress, "431609005")
    assert [item.exam.state for item in decode(stress).exams] == [PatientState.STRESS]
    study = decode([*stress, *rest])
    assert [item.exam.state for item in study.exams] == [PatientState.STRESS, PatientState.UNKNOWN]
    add_protocol(rest, "431609005")
    study = decode([*stress, *rest])
    assert [item.exam.state for item in study.exams] == [PatientState.UNKNOWN] * 2


@pytest.mark.parametrize(("word", "state"), [("STRESS", "stress"), ("REST", "rest")])
def test_image_type_tells(word: str, state: str, tmp_path: Path) -> None:
    stress, _ = both(tmp_path)
    edit(stress, values(ImageType=["ORIGINAL", "PRIMARY", word, "NONE"]))
    assert str(decode(stress).exams[0].exam.state) == state


def test_an_origin_names_no_free_text(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, "stress", n_slices=1)
    edit(files, values(SeriesDescription="stress_perf Smith John"))
    fact = decode(files).exams[0].account.state_origin
    assert "Smith" not in str(fact)
    assert "'stress' in the series description" in fact.detail
