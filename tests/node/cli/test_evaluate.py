"""`perfnode evaluate motion` without exams: known results are shown, wrong ones refused."""

import dataclasses
from pathlib import Path

from typer.testing import CliRunner

from node.cli.main import app
from pipeline.evaluation.cases import Split
from pipeline.evaluation.contenders import Contender
from pipeline.evaluation.records import Record, to_line

RUNNER = CliRunner()
NOTHING = ["evaluate", "motion", "--exams", "0", "--beyond", "0"]


def record() -> Record:
    numbers = {
        field.name: 0.5 for field in dataclasses.fields(Record) if field.type in (float, "float")
    }
    words = {
        "split": Split.HELD_OUT.value,
        "breathing": "held",
        "series": "slice 1",
        "method": Contender.ITERATIVE.value,
        "weights": "",
        "chosen": "identity",
    }
    counts = dict.fromkeys(
        ("seed", "reference", "n_frames", "n_through_plane", "n_marked", "n_marked_rightly"), 3
    )
    phases = dict.fromkeys(("phase_error_mm", "phase_consensus_error_mm"), (0.5,) * 4)
    return Record(**numbers, **words, **counts, **phases)


def test_tables_are_made_again_from_what_is_there_and_the_reading_stays(tmp_path: Path) -> None:
    line = to_line(record())
    (tmp_path / "motion.jsonl").write_text(f"{line}\n{line[:40]}", encoding="utf-8")
    document = tmp_path / "evidence.md"
    command = [*NOTHING, "--output", str(tmp_path), "--document", str(document)]
    assert RUNNER.invoke(app, command).exit_code == 0
    text = document.read_text(encoding="utf-8")
    first = text.replace("anew -->\n", "anew -->\nWhat I read in it.", 1)
    document.write_text(first, encoding="utf-8")
    assert RUNNER.invoke(app, command).exit_code == 0
    again = document.read_text(encoding="utf-8")
    assert "What I read in it." in again
    assert "| iterative | 1 | 0.500 |" in again
    assert (tmp_path / "motion.jsonl").read_text(encoding="utf-8") == f"{line}\n"


def test_unknown_methods_and_foreign_files_are_refused(tmp_path: Path) -> None:
    wrong = RUNNER.invoke(app, [*NOTHING, "--methods", "magic", "--output", str(tmp_path)])
    assert wrong.exit_code == 1
    (tmp_path / "motion.jsonl").write_text("{}\n", encoding="utf-8")
    assert RUNNER.invoke(app, [*NOTHING, "--output", str(tmp_path)]).exit_code == 1
