"""`perfnode evaluate quantification` without exams: known results are shown, wrong ones refused."""

from pathlib import Path

from typer.testing import CliRunner

from node.cli.main import app

RUNNER = CliRunner()
NOTHING = [
    *("evaluate", "quantification", "--clinical", "0", "--random", "0"),
    *("--repeats", "0", "--curves", "0"),
]


def test_reading_stays_when_tables_are_made_anew(tmp_path: Path) -> None:
    document = tmp_path / "evidence.md"
    command = [*NOTHING, "--output", str(tmp_path), "--document", str(document)]
    assert RUNNER.invoke(app, command).exit_code == 0
    text = document.read_text(encoding="utf-8")
    document.write_text(text.replace("anew -->\n", "anew -->\nWhat I read.", 1), encoding="utf-8")
    assert RUNNER.invoke(app, command).exit_code == 0
    assert "What I read." in document.read_text(encoding="utf-8")


def test_unknown_fits_factors_and_foreign_files_are_refused(tmp_path: Path) -> None:
    for wrong in (["--models", "magic"], ["--factors", "moon"]):
        assert RUNNER.invoke(app, [*NOTHING, *wrong, "--output", str(tmp_path)]).exit_code == 1
    (tmp_path / "quantification.jsonl").write_text("{}\n", encoding="utf-8")
    assert RUNNER.invoke(app, [*NOTHING, "--output", str(tmp_path)]).exit_code == 1
