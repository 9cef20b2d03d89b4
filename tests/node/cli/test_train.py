import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from models.networks import (
    WEIGHTS,
    AffineNetwork,
    Card,
    MatchingNetwork,
    SegmentationNetwork,
    load_network,
    save_network,
)
from models.networks.cards import read_card
from models.phantom import Protocol, make_exam
from models.training.refining import RefiningRecipe
from models.training.segmentation import SegmentationRecipe
from node.cli.main import app
from node.scanner import write_exam
from node.training import Data, Target, beginnings, data, scene_seeds, targets

SMALL = {"image_size": 128, "num_channel_initial": 1, "depth": 5}


def run(*arguments: str) -> tuple[int, str]:
    # A wide terminal: long messages must not be broken into lines.
    result = CliRunner().invoke(app, ["train", *arguments], env={"COLUMNS": "500"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks and data that are drawn and trained in no time."""
    monkeypatch.setattr(targets, "AFFINE", SMALL)
    monkeypatch.setattr(targets, "DEFORMABLE", {"num_channel_initial": 1, "n_levels": 2})
    monkeypatch.setattr(data, "N_FRAMES", 10)


def test_the_three_steps_are_trained_one_after_the_other(tmp_path: Path, small: None) -> None:
    for target in ("affine", "affine-refine", "deformable"):
        code, text = run(target, "-o", str(tmp_path), "--steps", "1", "--scenes", "1")
        assert code == 0, text
        card = read_card(tmp_path / f"{target.replace('-', '_')}.toml")
        assert card.seeds == (1,)
        assert "1 slices of virtual patients (seeds 200000-200000)" in card.data
        assert "1 steps" in card.recipe
    entries = (tmp_path / "affine_refine.jsonl").read_text().splitlines()
    assert json.loads(entries[-1])["number"] == 1


def test_a_run_is_resumed_and_a_finished_one_says_so(tmp_path: Path, small: None) -> None:
    options = ("affine", "-o", str(tmp_path), "--scenes", "1")
    assert run(*options, "--steps", "1")[0] == 0
    code, text = run(*options, "--steps", "2", "--resume")
    assert code == 0, text
    entries = (tmp_path / "affine.jsonl").read_text().splitlines()
    numbers = [json.loads(entry)["number"] for entry in entries]
    assert numbers == [1, 2]
    code, text = run(*options, "--steps", "2", "--resume")
    assert code == 1
    assert "trained already" in text


def test_received_exams_fine_tune_a_network(
    tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "shipped"
    torch.manual_seed(0)
    card = Card(
        name="affine",
        architecture="AffineNetwork",
        arguments=SMALL,
        data="toy",
        recipe="none",
        seeds=(0,),
        date="2026-01-01",
    )
    save_network(AffineNetwork(**SMALL), card, shipped)
    monkeypatch.setattr(beginnings, "WEIGHTS", shipped)
    protocol = Protocol(n_slices=1, n_saturation_recovery=24)
    write_exam(make_exam(3, protocol=protocol), tmp_path / "studies")
    output = tmp_path / "tuned"
    code, text = run(
        "affine", "-o", str(output), "--steps", "1", "--from-studies", str(tmp_path / "studies")
    )
    assert code == 0, text
    assert "received exams, without labels" in read_card(output / "affine.toml").data
    before, after = (load_network(AffineNetwork, "affine", folder=f) for f in (shipped, output))
    assert before is not None
    assert after is not None
    changed = [
        bool((new != old).any())
        for new, old in zip(after.parameters(), before.parameters(), strict=True)
    ]
    assert any(changed)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("affine", "--steps", "3", "--minutes", "2"), "either --minutes or --steps"),
        (("affine", "--from-studies", "/nowhere"), "/nowhere is not a folder"),
        (("affine", "--device", "abacus"), "'abacus' is not a device"),
    ],
)
def test_wrong_wishes_are_answered(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    code, text = run(*arguments, "-o", str(tmp_path))
    assert code == 1
    assert message in text


def test_a_step_without_the_one_before_says_what_to_run(
    tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beginnings, "WEIGHTS", tmp_path / "nothing")
    code, text = run("affine-refine", "-o", str(tmp_path), "--steps", "1", "--scenes", "1")
    assert code == 1
    unbroken = "".join(text.split())  # a long path may be broken into lines
    assert "".join(f"perfnode train affine --output {tmp_path}".split()) in unbroken


def test_exams_do_not_tell_where_the_heart_is(tmp_path: Path) -> None:
    protocol = Protocol(n_slices=1, n_saturation_recovery=24)
    studies = tmp_path / "studies"
    write_exam(make_exam(3, protocol=protocol), studies)
    for target in ("anatomy", "matching", "refining", "segmentation"):
        code, text = run(
            target, "-o", str(tmp_path), "--steps", "1", "--from-studies", str(studies)
        )
        assert code == 1
        assert "where the heart is" in text


def test_scenes_are_painted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = SegmentationRecipe(width=8, n_levels=1, n_series=1)
    monkeypatch.setattr(targets, "SegmentationRecipe", lambda: small)
    command = ("segmentation", "-o", str(tmp_path), "--scenes", "1", "--steps")
    assert run(*command, "1")[0] == 0
    monkeypatch.delattr(targets, "draw_pool")
    code, text = run(*command, "2", "--resume")
    assert code == 0, text
    card = read_card(tmp_path / "segmentation.toml")
    assert "2 steps" in card.recipe
    network = load_network(SegmentationNetwork, "segmentation", folder=tmp_path)
    assert network is not None
    assert network.multiple == 2


def test_training_goes_on_from_the_shipped_weights(tmp_path: Path) -> None:
    step = ("--scenes", "1", "--steps", "1", "--rate", "1e-6")
    code, text = run("matching", "-o", str(tmp_path), "--from-shipped", *step)
    assert code == 0, text
    shipped, card = (read_card(each / "matching.toml") for each in (WEIGHTS, tmp_path))
    assert f"the shipped weights ({shipped.sha256[:12]})" in card.recipe
    assert card.arguments == shipped.arguments
    before, after = (
        load_network(MatchingNetwork, "matching", folder=each) for each in (WEIGHTS, tmp_path)
    )
    assert before is not None
    assert after is not None
    for name, weight in before.named_parameters():
        assert torch.allclose(weight, after.get_parameter(name), atol=1e-5), name


def test_the_card_names_the_network_beside_which_another_one_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = RefiningRecipe(width=8, n_levels=2, n_frames=14, size=48, spacing_mm=3.5)
    monkeypatch.setattr(targets, "RefiningRecipe", lambda: small)
    code, text = run("refining", "-o", str(tmp_path), "--scenes", "1", "--steps", "1")
    assert code == 0, text
    shipped = read_card(WEIGHTS / "matching.toml").sha256
    assert read_card(tmp_path / "refining.toml").beside == {"matching": shipped}


def test_training_patients_are_none_of_those_that_judge() -> None:
    assert scene_seeds(0, 5) == range(100_000, 100_005)
    assert not set(scene_seeds(1, 1000)) & set(scene_seeds(0, 1000))


def test_data_say_where_they_come_from() -> None:
    assert Data(series=(), origin="here").origin == "here"
    assert set(targets.TARGETS) == set(Target)
