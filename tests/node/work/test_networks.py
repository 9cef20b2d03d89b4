"""Networks of a process: checked when they are loaded, named in what comes out."""

from datetime import datetime
from pathlib import Path

import pytest
import torch
from torch import nn

from models.networks import WEIGHTS, Card, save_network
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
def test_methods_without_networks_still_find_and_outline_the_heart_with_one(
    tmp_path: Path, method: str
) -> None:
    damaged(tmp_path)
    found = load_trained(settings(tmp_path, method), CPU)
    assert found.networks.anatomy is found.networks.published is None
    assert found.networks.segmentation is not None
    assert [(stamp.method, stamp.name) for stamp in found.stamps] == [(method, "segmentation")]


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


def test_without_its_networks_the_automatic_choice_is_the_iterative_method(tmp_path: Path) -> None:
    found = load_trained(settings(tmp_path), CPU)
    assert found.networks.anatomy is None
    assert found.networks.segmentation is not None
    assert [(stamp.method, stamp.name) for stamp in found.stamps] == [("iterative", "segmentation")]


def test_the_shipped_networks_of_a_method_are_all_named() -> None:
    found = load_trained(Settings(), CPU)
    assert [(stamp.method, stamp.name) for stamp in found.stamps] == [
        ("learned", name) for name in ("anatomy", "matching", "refining", "segmentation")
    ]


def test_a_folder_of_tuned_networks_leaves_the_outlines_to_the_shipped_one(tmp_path: Path) -> None:
    for name in ("affine", "affine_refine", "deformable"):
        for suffix in ("toml", "safetensors"):
            (tmp_path / f"{name}.{suffix}").write_bytes((WEIGHTS / f"{name}.{suffix}").read_bytes())
    found = load_trained(settings(tmp_path, "published"), CPU)
    assert found.networks.published is not None
    assert found.networks.segmentation is not None
    assert {stamp.name for stamp in found.stamps} == {
        *("affine", "affine_refine", "deformable", "segmentation")
    }


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
