"""Methods on a small exam: ceilings are ceilings, and results survive the file and the table."""

import dataclasses
import math

import pytest

from models.phantom import Breathing, Protocol
from pipeline.evaluation.cases import Split, Subject, slice_indices, subjects
from pipeline.evaluation.contenders import Contender
from pipeline.evaluation.exam import evaluate_exam
from pipeline.evaluation.goals import harm, verdicts
from pipeline.evaluation.records import Record, from_line, to_line
from pipeline.evaluation.summary import READING_BEGINS, document, reading_of

CONTENDERS = (
    Contender.NONE,
    Contender.PHASE_CORRELATION,
    Contender.ORACLE_TRANSLATION,
    Contender.ORACLE_FIELD,
    Contender.MOTION_FREE,
)


@pytest.fixture(scope="module")
def records() -> tuple[Record, ...]:
    protocol = Protocol(
        n_slices=1,
        matrix=(96, 96),
        arterial_matrix=(32, 32),
        n_saturation_recovery=30,
        breathing=Breathing.FREE,
    )
    subject = Subject(split=Split.HELD_OUT, seed=5, protocol=protocol)
    return tuple(
        evaluate_exam(
            subject, CONTENDERS, networks=None, weights="", every_slice=False, done=frozenset()
        )
    )


def of(records: tuple[Record, ...], contender: Contender) -> Record:
    return next(row for row in records if row.method == contender and not row.is_arterial)


def test_every_method_answers_for_every_series(records: tuple[Record, ...]) -> None:
    assert len({row.key for row in records}) == 2 * len(CONTENDERS)


def test_the_true_field_leaves_no_error(records: tuple[Record, ...]) -> None:
    found = of(records, Contender.ORACLE_FIELD)
    assert found.error_mm < 0.05
    assert found.dice_worst > 0.99
    assert found.folded_fraction == 0


def test_the_best_shift_lies_between_nothing_and_the_true_field(
    records: tuple[Record, ...],
) -> None:
    errors = [
        of(records, contender).consensus_error_mm
        for contender in (Contender.ORACLE_FIELD, Contender.ORACLE_TRANSLATION, Contender.NONE)
    ]
    assert errors == sorted(errors)
    assert of(records, Contender.PHASE_CORRELATION).consensus_error_mm < errors[-1]


def test_without_motion_nothing_is_wrong(records: tuple[Record, ...]) -> None:
    found = of(records, Contender.MOTION_FREE)
    assert (found.error_mm, found.dice, found.dice_pixels) == (0.0, 1.0, 1.0)
    assert found.flow_error_ml_min_g < of(records, Contender.NONE).flow_error_ml_min_g


def test_results_survive_the_file(records: tuple[Record, ...]) -> None:
    for row in records:
        again = from_line(to_line(row))
        assert again.key == row.key
        assert again.dice == pytest.approx(row.dice, abs=1e-6)
        assert to_line(again) == to_line(row)


def test_a_line_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version"):
        from_line('{"split": "held-out"}')


def test_the_document_renders_and_keeps_the_reading(records: tuple[Record, ...]) -> None:
    ours = [dataclasses.replace(row, method=Contender.AUTO.value) for row in records[:2]]
    text = document([*records, *ours], reading="What it means.", pictures=("![a](b.png)",))
    assert READING_BEGINS in text
    assert reading_of(text) == "What it means."
    assert "| oracle-field |" in text
    assert "nan" not in text


def test_goals_are_met_by_the_truth_and_missed_by_nothing(records: tuple[Record, ...]) -> None:
    true = verdicts(records, Contender.ORACLE_FIELD)
    none = verdicts(records, Contender.NONE)
    assert true[0].is_met
    assert true[2].is_met
    assert not none[0].is_met
    assert verdicts([], Contender.AUTO)[0].is_met is None
    assert all(loss < 0 for loss in harm(records, Contender.ORACLE_FIELD).values())
    assert all(math.isclose(loss, 0) for loss in harm(records, Contender.NONE).values())


def test_what_is_done_is_not_done_again_nor_drawn(
    records: tuple[Record, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Subject, "draw")
    subject = Subject(split=Split.HELD_OUT, seed=5, protocol=Protocol(n_slices=1))
    keys = frozenset(row.key for row in records)
    again = evaluate_exam(
        subject, CONTENDERS, networks=None, weights="", every_slice=False, done=keys
    )
    assert list(again) == []


def test_subjects_take_turns_and_slices_depend_on_the_seed() -> None:
    chosen = subjects(Split.DEVELOPMENT, 5)
    modes = [subject.protocol.breathing for subject in chosen]
    assert modes[:4] == list(Breathing)
    assert modes[4] == modes[0]
    assert slice_indices(7, 3, every=True) == (0, 1, 2)
    assert slice_indices(7, 3, every=False) == slice_indices(7, 3, every=False)
