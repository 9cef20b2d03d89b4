"""`perfnode evaluate segmentation` without exams: known results are shown, wrong ones refused."""

from pathlib import Path

from typer.testing import CliRunner

from models.networks import WEIGHTS
from models.networks.cards import read_card
from node.cli.main import app
from pipeline.evaluation.segmentation.records import OutlineRecord, to_line

RUNNER = CliRunner()
NOTHING = ["evaluate", "segmentation", "--exams", "0", "--beyond", "0"]


def record(weights: str) -> OutlineRecord:
    return OutlineRecord(
        split="held-out",
        seed=9100,
        index=1,
        breathing="held",
        motion="learned",
        way="segment",
        weights=weights,
        method="network",
        spacing_mm=2.0,
        wall_mm=9.0,
        expected=0.9,
        dice_myocardium=0.875,
        dice_left_ventricle=0.97,
        dice_right_ventricle=0.9,
        contour_mm=0.6,
        insertion_deg=4.0,
        has_septum=True,
        cpu_s=0.5,
    )


def test_only_results_of_these_weights_are_shown(tmp_path: Path) -> None:
    label = read_card(WEIGHTS / "segmentation.toml").sha256[:8]
    lines = [to_line(record(label)), to_line(record("00000000"))]
    results = tmp_path / "segmentation.jsonl"
    results.write_text("\n".join(lines) + "\n" + lines[0][:30], encoding="utf-8")
    document = tmp_path / "evidence.md"
    command = [*NOTHING, "--output", str(tmp_path), "--document", str(document)]
    result = RUNNER.invoke(app, command)
    assert result.exit_code == 0, result.output
    text = document.read_text(encoding="utf-8")
    assert "| segment | 1 | 0 | 0.875 / 0.875 / 0.875 |" in text
    assert "| 0 of 0 | nothing to tell |" in text
    assert results.read_text(encoding="utf-8") == "\n".join(lines) + "\n"


def test_foreign_results_are_refused(tmp_path: Path) -> None:
    (tmp_path / "segmentation.jsonl").write_text("{}\n", encoding="utf-8")
    assert RUNNER.invoke(app, [*NOTHING, "--output", str(tmp_path)]).exit_code == 1
