"""The heart is found where the network sees it, and where the bolus is when it sees nothing."""

import math

import pytest
import torch

from models.networks import shipped_networks
from models.networks.summary import SIZE
from models.phantom import make_exam, random_protocol
from pipeline.segment import find_heart, locate_heart, whereabouts
from pipeline.segment.network import HeartShares
from pipeline.segment.square import HeartSquare

SEED = 5021
"""Its brightest passage is not that of the left ventricle."""


@pytest.fixture(scope="module")
def moving() -> dict[str, object]:
    series = make_exam(SEED, state="stress", protocol=random_protocol(SEED)).slices[0]
    row, column = series.truth.epicardium_px.double().mean(dim=0).tolist()
    return {"series": series, "centre": (row, column)}


def distance_mm(found: object, moving: dict[str, object]) -> float:
    (row, column), series = moving["centre"], moving["series"]
    return math.hypot(
        (found.centre_row - row) * series.spacing_mm[0],
        (found.centre_column - column) * series.spacing_mm[1],
    )


def test_the_network_finds_the_left_ventricle_where_the_bolus_misleads(
    moving: dict[str, object],
) -> None:
    series = moving["series"]
    frames = torch.as_tensor(series.frames).float()
    arguments = {"spacing_mm": series.spacing_mm, "n_proton_density": series.n_proton_density}
    by_bolus = locate_heart(frames, **arguments)
    found = find_heart(frames, network=shipped_networks("cpu").segmentation, **arguments)
    assert distance_mm(found, moving) < 8.0
    assert distance_mm(by_bolus, moving) > 15.0
    assert found.radius_mm == by_bolus.radius_mm


@pytest.mark.parametrize("spoiled", ["noise", "no network"])
def test_the_place_of_the_bolus_is_taken_where_the_network_cannot_tell(
    spoiled: str, moving: dict[str, object]
) -> None:
    series, network = moving["series"], shipped_networks("cpu").segmentation
    frames = torch.as_tensor(series.frames).float()
    if spoiled == "noise":
        frames = torch.rand(frames.shape, generator=torch.Generator().manual_seed(1)) + frames[:1]
    arguments = {"spacing_mm": series.spacing_mm, "n_proton_density": series.n_proton_density}
    found = find_heart(frames, network=None if spoiled == "no network" else network, **arguments)
    assert found == locate_heart(frames, **arguments)


def test_the_network_finds_it_in_a_coarse_series_too() -> None:
    # The brightest passage of this one lies 93 mm beside the heart.
    seed = 5206
    exam = make_exam(seed, protocol=random_protocol(seed, beyond=True))
    series = exam.arterial_input
    moving = {
        "series": series,
        "centre": tuple(series.truth.epicardium_px.double().mean(dim=0).tolist()),
    }
    arguments = {"spacing_mm": series.spacing_mm, "n_proton_density": series.n_proton_density}
    frames = torch.as_tensor(series.frames).float()
    found = find_heart(frames, network=shipped_networks("cpu").segmentation, **arguments)
    assert found.agreement > 0.9
    assert distance_mm(found, moving) < 8.0
    assert distance_mm(locate_heart(frames, **arguments), moving) > 60.0


@pytest.mark.parametrize("inner_px", [0.0, 8.0])
def test_a_heart_without_a_cavity_is_taken_but_does_not_count_against_others(
    inner_px: float, moving: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    series = moving["series"]
    line = torch.arange(float(SIZE)) - (SIZE - 1) / 2
    radius = torch.hypot(line[:, None], line)
    left = (radius < inner_px).float()
    wall = (radius < 16).float() - left
    tissues = torch.stack([1 - left - wall, left, wall, torch.zeros_like(wall)])
    seen = HeartShares(
        square=HeartSquare(centre_row=30.0, centre_column=40.0, image_spacing_mm=series.spacing_mm),
        tissues=tissues.expand(8, -1, -1, -1),
    )
    monkeypatch.setattr(whereabouts, "look_at_heart", lambda *_, **__: seen)
    found = find_heart(
        torch.as_tensor(series.frames).float(),
        spacing_mm=series.spacing_mm,
        n_proton_density=series.n_proton_density,
        network=shipped_networks("cpu").segmentation,
    )
    assert (found.centre_row, found.centre_column) == (30.0, 40.0)
    assert found.agreement == (1.0 if inner_px else 0.0)
