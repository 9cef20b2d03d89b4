from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.networks import (
    WEIGHTS,
    AffineNetwork,
    Card,
    DeformableNetwork,
    WeightsError,
    load_network,
    load_networks,
    save_network,
)
from models.networks.cards import read_card, write_card
from models.networks.matching import MatchingNetwork
from models.networks.refining import RefiningNetwork

SMALL = {"image_size": 16, "num_channel_initial": 2, "depth": 2}
CARD = Card(
    name="affine",
    architecture="AffineNetwork",
    arguments=SMALL,
    data="toy",
    recipe="none\nat all",
    seeds=(3,),
    date="2026-01-01",
    metrics={"error_mm": 0.5},
)


def small_network(seed: int = 0) -> AffineNetwork:
    torch.manual_seed(seed)
    network = AffineNetwork(**SMALL)
    torch.nn.init.normal_(network.net.output_block.fc.weight, std=0.1)
    return network


def test_what_was_saved_is_loaded_and_does_the_same(tmp_path: Path) -> None:
    network = small_network().eval()
    signed = save_network(network, CARD, tmp_path)
    loaded = load_network(AffineNetwork, "affine", folder=tmp_path)
    assert loaded is not None
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert all(value.dtype != torch.float16 for value in loaded.state_dict().values())
    images = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(loaded(*images), network(*images), atol=0.02, rtol=0.02)
    assert read_card(tmp_path / "affine.toml") == signed


def test_altered_weights_are_refused_by_hash(tmp_path: Path) -> None:
    save_network(small_network(), CARD, tmp_path)
    path = tmp_path / "affine.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(WeightsError, match=r"affine\.safetensors is altered: sha256 .* expected"):
        load_networks(folder=tmp_path)


@pytest.mark.parametrize("suffix", ["safetensors", "toml"])
def test_half_a_pair_is_refused_by_name(tmp_path: Path, suffix: str) -> None:
    save_network(small_network(), CARD, tmp_path)
    (tmp_path / f"affine.{suffix}").unlink()
    with pytest.raises(WeightsError, match=rf"affine\.{suffix} cannot be read.*install"):
        load_networks(folder=tmp_path)


def test_no_files_mean_no_network(tmp_path: Path) -> None:
    assert load_network(AffineNetwork, "affine", folder=tmp_path) is None
    assert load_networks(folder=tmp_path).published is None


def test_another_kind_of_network_is_refused(tmp_path: Path) -> None:
    save_network(small_network(), CARD, tmp_path)
    with pytest.raises(WeightsError, match="not a DeformableNetwork"):
        load_network(DeformableNetwork, "affine", folder=tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "Oracle"}, "unknown architecture 'Oracle'"),
        ({"arguments": {"depth": 2}}, "arguments that do not fit"),
        ({"arguments": SMALL | {"num_channel_initial": 4}}, "does not fit"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    signed = save_network(small_network(), CARD, tmp_path)
    write_card(replace(signed, **change), tmp_path / "affine.toml")
    with pytest.raises(WeightsError, match=message):
        load_networks(folder=tmp_path)


@pytest.mark.parametrize("text", ["name = ", "name = 'x'", "\x00", "arguments = 3\nseeds = []"])
def test_what_is_not_a_card_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "affine.toml"
    path.write_text(text)
    with pytest.raises(WeightsError, match=r"affine\.toml"):
        read_card(path)


@given(text=st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t")))
def test_any_text_survives_a_card(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("card") / "affine.toml"
    card = replace(CARD, recipe=text, data=text)
    write_card(card, path)
    assert read_card(path) == card


def test_a_network_beside_another_one_than_it_learned_beside_is_refused(tmp_path: Path) -> None:
    def save(name: str, module: torch.nn.Module, beside: dict[str, str]) -> Card:
        kind = type(module).__name__
        arguments = {"n_levels": 2}
        card = replace(CARD, name=name, architecture=kind, arguments=arguments, beside=beside)
        return save_network(module, card, tmp_path)

    matching = save("matching", MatchingNetwork(n_levels=2), {})
    refining = save("refining", RefiningNetwork(n_levels=2), {"matching": matching.sha256})
    assert read_card(tmp_path / "refining.toml") == refining
    assert load_networks(folder=tmp_path).refining is not None
    save("matching", MatchingNetwork(n_levels=2), {})
    with pytest.raises(WeightsError, match=r"refining\.toml was trained beside .* of matching"):
        load_networks(folder=tmp_path)


def test_shipped_weights_are_those_of_their_cards() -> None:
    assert load_networks(folder=WEIGHTS) is not None


def test_shipped_weights_are_small_and_each_has_its_card() -> None:
    files = sorted(WEIGHTS.glob("*.safetensors"))
    assert sum(file.stat().st_size for file in files) <= 40e6
    assert [file.stem for file in files] == [file.stem for file in sorted(WEIGHTS.glob("*.toml"))]
    for file in files:
        card = read_card(file.with_suffix(".toml"))
        assert card.name == file.stem
        assert card.metrics
        assert card.licence == "Apache-2.0"
