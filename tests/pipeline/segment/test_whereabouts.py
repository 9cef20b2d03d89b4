"""The heart is found where the network sees it, and where the bolus is when it sees nothing."""

import math

import pytest
import torch

from models.networks import shipped_networks
from models.phantom import make_exam, random_protocol
from pipeline.segment import find_heart, locate_heart

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
