import torch

from pipeline.motion.affine import affine_field
from pipeline.motion.compose import pixel_grid, warp_maps
from pipeline.motion.map_registration import (
    affine_to_mean,
    bend_to_mean,
    centroid_shifts,
    heart_places,
)

SIZE = 64


def _maps(shifts, *, squeeze=0.0):
    """Draw a ring, its cavity and a neighbour, each frame shifted (row, column)."""
    grid = pixel_grid(torch.zeros(SIZE, SIZE)) - (SIZE - 1) / 2
    drawn = []
    for row, column in shifts:
        place = grid - torch.tensor([row, column])[:, None, None]
        radius = torch.hypot(place[0], place[1] * (1 + squeeze))
        inner = torch.sigmoid(2 * (5.0 - radius))
        outer = torch.sigmoid(2 * (9.0 - radius))
        right = torch.sigmoid(2 * (8.0 - torch.hypot(place[0] + 3, place[1] + 13))) * (1 - outer)
        drawn.append(torch.stack([inner, outer - inner, right]))
    return torch.stack(drawn)


SHIFTS = torch.tensor([[0.0, 0.0], [4.0, -3.0], [-5.5, 1.2], [0.0, 2.0], [1.0, 0.0]])


def test_centroids_find_shifts():
    shifts = centroid_shifts(_maps(SHIFTS))
    assert torch.allclose(shifts, SHIFTS - SHIFTS.median(dim=0).values, atol=0.05)


def test_a_frame_without_a_heart_is_told_and_left():
    maps = _maps(SHIFTS)
    maps[2] = 0
    _, is_seen = heart_places(maps)
    assert is_seen.tolist() == [True, True, False, True, True]
    assert not bool(centroid_shifts(maps)[2].any())


def test_affine_registration_lays_maps_on_each_other():
    maps = _maps(SHIFTS)
    affine = affine_to_mean(maps, torch.zeros(5, 2))
    found = affine[:, :, 2]
    relative = found - found.mean(dim=0)
    assert torch.allclose(relative, SHIFTS - SHIFTS.mean(dim=0), atol=0.1)
    moved = warp_maps(maps, affine_field(affine, maps))
    assert float((moved - moved.mean(dim=0)).abs().max()) < 0.12


def test_bending_brings_shapes_together():
    maps = torch.cat([_maps(torch.zeros(3, 2)), _maps(torch.zeros(1, 2), squeeze=0.15)])
    field = bend_to_mean(maps)
    before = (maps - maps.mean(dim=0)).square().mean()
    moved = warp_maps(maps, field)
    after = (moved - moved.mean(dim=0)).square().mean()
    assert float(after) < 0.35 * float(before)
