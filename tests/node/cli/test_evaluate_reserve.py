"""`perfnode evaluate reserve` without exams: known results are shown, wrong ones refused."""

from pathlib import Path

from typer.testing import CliRunner

from node.cli.main import app
from pipeline.evaluation.reserve.pair import FIRST_SEED
from pipeline.evaluation.reserve.records import ReserveRecord, Way, to_line

RUNNER = CliRunner()
COMMAND = ["evaluate", "reserve", "--pairs", "1"]


def record(way: Way) -> ReserveRecord:
    return ReserveRecord(
        seed=FIRST_SEED,
        way=way.value,
        n_maps=3,
        overlap_dice=(0.95, 0.96, 0.97),
        place_error_mm=(0.5, 1.25),
        segment_true=(1.5, 3.0),
        segment_found=(1.65, 3.3),
        segment_standard_error=(0.1, 0.2),
        pixel_median_error=0.02,
        pixel_median_bias=0.01,
        pixel_known=0.99,
        wrong_dice=(0.85, 0.9),
        n_wrong_refused=4,
    )


def test_known_results_are_shown_and_the_reading_is_kept(tmp_path: Path) -> None:
    lines = [to_line(record(way)) for way in Way]
    results = tmp_path / "reserve.jsonl"
    results.write_text("\n".join(lines) + "\n" + lines[0][:30], encoding="utf-8")
    document = tmp_path / "evidence.md"
    command = [*COMMAND, "--output", str(tmp_path), "--document", str(document)]
    assert RUNNER.invoke(app, command).exit_code == 0
    first = document.read_text(encoding="utf-8")
    assert "| as analysed | 1 | 3 of 3 | 0.5 | 1.2 | 2 | 10.0 | 10.0 | 0 | 100 | 1.000 |" in first
    assert "| true walls, true flow | 0.95 | 0.96 | 6 | 4 | 0.90 |" in first
    marked = first.replace("<!-- end of reading -->", "By hand.\n<!-- end of reading -->")
    document.write_text(marked, encoding="utf-8")
    result = RUNNER.invoke(app, command)
    assert result.exit_code == 0, result.output
    assert document.read_text(encoding="utf-8").count("By hand.") == 1
    assert results.read_text(encoding="utf-8") == "\n".join(lines) + "\n"


def test_foreign_results_are_refused(tmp_path: Path) -> None:
    (tmp_path / "reserve.jsonl").write_text("{}\n", encoding="utf-8")
    assert RUNNER.invoke(app, [*COMMAND, "--output", str(tmp_path)]).exit_code == 1
