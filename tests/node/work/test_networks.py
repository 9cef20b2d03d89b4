"""Networks of a process: checked when they are loaded, named in what comes out."""

from datetime import datetime
from pathlib import Path

import pytest
import torch
from torch import nn

from models.networks import Card, save_network
from node.errors import StartupError
from node.settings import MotionSettings, NodeSettings, Settings
from node.translate import NetworkStamp
from node.work.networks import WITHOUT, TrainedNetworks, load_trained
from node.work.stamp import make_stamp

CPU = torch.device("cpu")
CREATED = datetime(2026, 3, 2, 11, 30)


def settings(folder: Path, method: str = "auto") -> Settings:
    return Settings(motion=MotionSettings(method=method, weights=folder))


def trained(sha256: str) -> TrainedNetworks:
    stamp = NetworkStamp(method="learned", name="anatomy", sha256=sha256)
    return TrainedNetworks(networks=WITHOUT.networks, stamps=(stamp,))


def damaged(folder: Path) -> Path:
    """Write a network of which a byte was changed afterwards."""
    card = Card(
        name="affine",
        architecture="AffineNetwork",
        arguments={},
        data="none",
        recipe="none",
        seeds=(0,),
        date="2026-01-01",
    )
    save_network(nn.Linear(2, 2), card, folder)
    path = folder / "affine.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("method", ["iterative", "none"])
def test_methods_without_networks_load_none(tmp_path: Path, method: str) -> None:
    damaged(tmp_path)
    found = load_trained(settings(tmp_path, method), CPU)
    assert found.networks.anatomy is found.networks.published is None
    assert found.stamps == ()


def test_altered_weights_are_refused_by_name(tmp_path: Path) -> None:
    path = damaged(tmp_path)
    with pytest.raises(StartupError, match=str(path)):
        load_trained(settings(tmp_path), CPU)


@pytest.mark.parametrize("method", ["learned", "published"])
def test_a_method_without_its_networks_is_refused_with_a_remedy(
    tmp_path: Path, method: str
) -> None:
    with pytest.raises(StartupError, match="method to auto"):
        load_trained(settings(tmp_path, method), CPU)


def test_without_any_network_the_automatic_choice_still_runs(tmp_path: Path) -> None:
    assert load_trained(settings(tmp_path), CPU).stamps == ()


def test_other_weights_or_another_method_make_other_results(tmp_path: Path) -> None:
    digests = {
        make_stamp(settings(tmp_path, method), CREATED, trained(sha256)).configuration_digest
        for method in ("auto", "learned")
        for sha256 in ("a" * 64, "b" * 64)
    }
    assert len(digests) == 4


def test_the_place_of_weights_and_data_makes_no_new_result(tmp_path: Path) -> None:
    moved = Settings(
        motion=MotionSettings(weights=tmp_path / "copy"), node=NodeSettings(data=tmp_path)
    )
    first = make_stamp(settings(tmp_path), CREATED, trained("a" * 64))
    second = make_stamp(moved, CREATED, trained("a" * 64))
    assert first.configuration_digest == second.configuration_digest


def test_a_result_names_the_networks_of_its_method_only(tmp_path: Path) -> None:
    stamp = make_stamp(settings(tmp_path), CREATED, trained("1a2b" * 16))
    assert stamp.describe_motion("learned", n_digits=8) == "learned: anatomy sha256 1a2b1a2b"
    assert stamp.describe_motion("iterative") == "iterative"
