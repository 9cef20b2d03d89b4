"""A rim that goes dark with the peak of blood is noted; a defect, which stays dark, is not."""

import pytest
import torch
from torch import Tensor

from pipeline.findings import Code, Grade
from pipeline.quality.dark_rim import check_dark_rim, dark_sectors
from tests.pipeline.quality.hearts import masks, recovery, toy


def peak() -> int:
    return int(recovery()[:, toy().left_ventricle].mean(dim=1).argmax())


def inner_wall() -> Tensor:
    """Return the side of the inner wall that the septum is."""
    row, column = toy().left_ventricle.nonzero().float().mean(dim=0)
    grid = torch.meshgrid(torch.arange(72.0), torch.arange(72.0), indexing="ij")
    distance = torch.hypot(grid[0] - row, grid[1] - column) * 2.5
    return toy().myocardium & (distance < 25) & (grid[1] < column)


def darkened(depth: float, beats: slice) -> Tensor:
    frames = recovery()
    native = frames[:4].mean(dim=0)
    frames[beats] = torch.where(inner_wall(), (1 - depth) * native, frames[beats])
    return frames


def rim(depth: float) -> Tensor:
    return darkened(depth, slice(peak() - 1, peak() + 2))


@pytest.mark.parametrize("depth", [0.15, 0.3])
def test_a_dip_below_native_at_the_peak_of_blood_is_noted(depth: float) -> None:
    found = check_dark_rim(rim(depth), masks=masks(), index=2)
    assert [(entry.code, entry.grade) for entry in found] == [(Code.IMAGE_PITFALL, Grade.NOTE)]
    assert 3 <= int(dark_sectors(rim(depth), masks()).sum()) <= 5


@pytest.mark.parametrize(
    "frames",
    [
        recovery(),
        rim(0.03),
        darkened(0.0, slice(0, None)),  # no perfusion at all
        darkened(0.2, slice(peak() - 1, None)),  # stays dark
        darkened(0.3, slice(peak() + 8, peak() + 11)),  # another time
        recovery()[: peak() + 2],
        recovery()[peak() - 2 :],
    ],
    ids=["clean", "shallow", "defect", "stays", "late", "cut off", "no baseline"],
)
def test_all_else_is_not(frames: Tensor) -> None:
    assert check_dark_rim(frames, masks=masks(), index=2) == ()
