"""The true wall in the geometry of a map: flow, defect, segments, narrow sectors.

The truth is brought to the beat that the map shows, not the map to the truth: resampling the map
would quieten its noise.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import max_pool2d

from models.phantom import PhantomSeries
from pipeline.motion import warp
from pipeline.types import HeartMasks

_MIN_WEIGHT = 0.3
_N_SEGMENTS = 6
_N_APICAL = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrueWall:
    """What is true of the pixels of one map."""

    wall: Bool[Tensor, "row column"]
    flow_ml_min_g: Float[Tensor, "row column"]
    """NaN outside the wall."""
    delay_s: Float[Tensor, "row column"]
    defect_share: Float[Tensor, "row column"]
    """0-1; 0 outside the wall."""
    cavity: Bool[Tensor, "row column"]
    right_ventricle: Bool[Tensor, "row column"]

    @property
    def core(self) -> Bool[Tensor, "row column"]:
        """The wall without its outermost pixels, which hold blood, fat or lung as well."""
        outside = max_pool2d((~self.wall).float()[None, None], 3, stride=1, padding=1)[0, 0] > 0
        return self.wall & ~outside

    @property
    def masks(self) -> HeartMasks:
        """A perfect segmentation."""
        right = self.right_ventricle if bool(self.right_ventricle.any()) else None
        return HeartMasks(myocardium=self.wall, left_ventricle=self.cavity, right_ventricle=right)


def true_wall(series: PhantomSeries, reference: int | None) -> TrueWall:
    """Return the truth as a frame shows it; None is the position without motion."""
    truth = series.truth
    if reference is None:
        return TrueWall(
            wall=truth.reference_myocardium,
            flow_ml_min_g=truth.flow_ml_min_g,
            delay_s=truth.delay_s,
            defect_share=truth.defect.to(torch.float32),
            cavity=truth.reference_left_ventricle,
            right_ventricle=truth.reference_right_ventricle,
        )
    back = truth.inverse_displacement[reference].float()
    still = truth.reference_myocardium
    planes = [truth.flow_ml_min_g, truth.delay_s, truth.defect]
    stack = torch.stack([still.float(), *(plane.float().nan_to_num() for plane in planes)])
    weight, *moved = warp(stack, back.expand(len(stack), -1, -1, -1))
    wall = truth.myocardium[reference] & (weight > _MIN_WEIGHT)
    flow, delay, defect = (plane / weight.clamp_min(_MIN_WEIGHT) for plane in moved)
    return TrueWall(
        wall=wall,
        flow_ml_min_g=torch.where(wall, flow, torch.nan),
        delay_s=torch.where(wall, delay, torch.nan),
        defect_share=torch.where(wall, defect, 0.0),
        cavity=truth.left_ventricle[reference],
        right_ventricle=truth.right_ventricle[reference],
    )


def segments(true: TrueWall, *, is_apical: bool) -> Int[Tensor, "row column"]:
    """Number equal sectors from the right ventricle on, 1-6 or 1-4; 0 outside the wall.

    The middle of the septum is the border of the first and the last, as in the AHA model, or the
    middle of the first in the apex.
    """
    count = _N_APICAL if is_apical else _N_SEGMENTS
    start = _septum_rad(true) - (math.pi / count if is_apical else 0.0)
    place = ((_angle(true) - start) % math.tau) * (count / math.tau)
    return torch.where(true.wall, place.floor().long().clamp(max=count - 1) + 1, 0)


def narrow_sectors(true: TrueWall) -> Int[Tensor, "row column"]:
    """Number sectors as wide as the defect, the first of them on it; 0 without a defect."""
    inside = true.wall & (true.defect_share > 0.5)
    share = float(inside.sum()) / max(float(true.wall.sum()), 1.0)
    if not 0.0 < share < 0.5:
        return torch.zeros_like(true.wall, dtype=torch.int64)
    count = round(1.0 / share)
    angle = _angle(true)
    middle = math.atan2(
        float(torch.sin(angle)[inside].mean()), float(torch.cos(angle)[inside].mean())
    )
    start = middle - math.pi / count
    place = ((angle - start) % math.tau) * (count / math.tau)
    return torch.where(true.wall, place.floor().long().clamp(max=count - 1) + 1, 0)


def _angle(true: TrueWall) -> Float[Tensor, "row column"]:
    """Return the angle of each pixel around the ventricle, rad."""
    row, column = _middle(true.wall | true.cavity)
    rows, columns = (torch.arange(size, dtype=torch.float32) for size in true.wall.shape)
    return torch.atan2(rows[:, None] - row, columns[None, :] - column)


def _septum_rad(true: TrueWall) -> float:
    """Return the direction of the right ventricle; of the first column where none is seen."""
    if not bool(true.right_ventricle.any()):
        return math.pi
    left, right = _middle(true.wall | true.cavity), _middle(true.right_ventricle)
    return math.atan2(right[0] - left[0], right[1] - left[1])


def _middle(mask: Bool[Tensor, "row column"]) -> tuple[float, float]:
    row, column = torch.nonzero(mask).double().mean(dim=0).tolist()
    return row, column
