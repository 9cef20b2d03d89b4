"""`perfnode evaluate delivery` without exams: known results are shown, wrong ones refused."""

from pathlib import Path

from typer.testing import CliRunner

from node.cli.main import app
from pipeline.evaluation.delivery.records import DeliveryRecord, to_line

RUNNER = CliRunner()
NOTHING = ["evaluate", "delivery", "--exams", "0", "--beyond", "0"]


def test_known_results_are_shown(tmp_path: Path) -> None:
    record = DeliveryRecord(
        split="held-out",
        seed=9400,
        breathing="held",
        series="slice 1",
        way="sharpened",
        chosen="learned",
        n_frames=60,
        dice=0.96,
        dice_before=0.9,
        error_mm=0.5,
        error_before_mm=1.5,
        off_mm=2.0,
    )
    results = tmp_path / "delivery.jsonl"
    results.write_text(to_line(record) + "\n", encoding="utf-8")
    document = tmp_path / "evidence.md"
    command = [*NOTHING, "--output", str(tmp_path), "--document", str(document)]
    result = RUNNER.invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "| sharpened | 1 | 0.900 | 0.960 (0.960) |" in document.read_text(encoding="utf-8")


def test_foreign_results_are_refused(tmp_path: Path) -> None:
    (tmp_path / "delivery.jsonl").write_text("{}\n", encoding="utf-8")
    assert RUNNER.invoke(app, [*NOTHING, "--output", str(tmp_path)]).exit_code == 1
