"""Outline a corrected slice and compare with the truth."""

import math
import time
from enum import StrEnum

import torch
from jaxtyping import Bool
from torch import Tensor
from torch.nn import functional

from models.networks import Networks
from models.training.insertions import insertion_points
from pipeline.errors import CannotQuantifyError
from pipeline.evaluation.segmentation.cases import OutlineCase
from pipeline.evaluation.segmentation.records import OutlineRecord
from pipeline.segment import segment
from pipeline.types import HeartMasks

Mask = Bool[Tensor, "row column"]


class Way(StrEnum):
    """Ways to outline."""

    SEGMENT = "segment"
    """What an analysis gets: the network, or the bolus where the network doubts itself."""
    BOLUS = "bolus"
    """The passage of contrast alone."""


def answer(case: OutlineCase, way: Way, networks: Networks) -> HeartMasks | None:
    """Return the masks of a slice; None when it is refused."""
    try:
        return segment(
            case.frames,
            spacing_mm=case.spacing_mm,
            n_proton_density=case.n_proton_density,
            networks=networks if way is Way.SEGMENT else None,
            heart_px=case.heart_px if way is Way.SEGMENT else None,
            reach_mm=case.reach_mm if way is Way.SEGMENT else None,
        )
    except CannotQuantifyError:
        return None


def measure(case: OutlineCase, way: Way, networks: Networks, *, weights: str) -> OutlineRecord:
    """Return the figures of one way on one slice.

    Parameters
    ----------
    case
        A corrected slice.
    way
        How it is outlined.
    networks
        Trained networks.
    weights
        Their label.

    """
    started = time.process_time()
    masks = answer(case, way, networks)
    cpu_s = time.process_time() - started
    left, muscle, right = case.masks
    points = insertion_points(case.shares[0] + case.shares[1], case.shares[2], case.spacing_mm)
    return OutlineRecord(
        split=case.split.value,
        seed=case.seed,
        index=case.index,
        breathing=case.breathing,
        motion=case.motion,
        way=way.value,
        weights=weights if way is Way.SEGMENT else "",
        method="" if masks is None else masks.method,
        spacing_mm=max(case.spacing_mm),
        wall_mm=_wall_mm(left, muscle, case.spacing_mm),
        expected=0.0 if masks is None else float(masks.expected_dice or 0.0),
        dice_myocardium=0.0 if masks is None else dice(masks.myocardium, muscle),
        dice_left_ventricle=_left_dice(masks, left),
        dice_right_ventricle=_right_dice(masks, right),
        contour_mm=math.nan if masks is None else _contour_mm(masks, case),
        insertion_deg=_insertion_deg(masks, points, case),
        has_septum=points is not None,
        cpu_s=cpu_s,
    )


def dice(first: Mask, second: Mask) -> float:
    """Return 2 |A and B| / (|A| + |B|); 1 when both are empty."""
    total = int(first.sum() + second.sum())
    return 2 * int((first & second).sum()) / total if total else 1.0


def outline_distance_mm(first: Mask, second: Mask, spacing_mm: tuple[float, float]) -> float:
    """Return the symmetric mean distance between the outlines of two masks; NaN if one is empty."""
    edges = [_edge(mask).nonzero().float() * torch.tensor(spacing_mm) for mask in (first, second)]
    if not all(len(edge) for edge in edges):
        return math.nan
    distance = torch.cdist(edges[0], edges[1])
    return 0.5 * float(distance.amin(dim=1).mean() + distance.amin(dim=0).mean())


def _edge(mask: Mask) -> Mask:
    inner = -functional.max_pool2d(-mask.float()[None, None], 3, stride=1, padding=1)[0, 0]
    return mask & (inner < 0.5)


def _left_dice(masks: HeartMasks | None, left: Mask) -> float:
    """Return NaN where the section has no cavity: one pixel would decide."""
    if not bool(left.any()):
        return math.nan
    return 0.0 if masks is None else dice(masks.left_ventricle, left)


def _right_dice(masks: HeartMasks | None, right: Mask) -> float:
    if not bool(right.any()):
        return math.nan
    if masks is None or masks.right_ventricle is None:
        return 0.0
    return dice(masks.right_ventricle, right)


def _contour_mm(masks: HeartMasks, case: OutlineCase) -> float:
    left, muscle, _ = case.masks
    pairs = (
        (masks.left_ventricle, left),
        (masks.left_ventricle | masks.myocardium, left | muscle),
    )
    each = [outline_distance_mm(first, second, case.spacing_mm) for first, second in pairs]
    known = [value for value in each if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def _wall_mm(left: Mask, muscle: Mask, spacing_mm: tuple[float, float]) -> float:
    """Return the thickness of a ring of the same areas."""
    pixel_mm2 = spacing_mm[0] * spacing_mm[1]
    inner, outer = (
        math.sqrt(int(mask.sum()) * pixel_mm2 / math.pi) for mask in (left, left | muscle)
    )
    return outer - inner


def _insertion_deg(masks: HeartMasks | None, points: Tensor | None, case: OutlineCase) -> float:
    """Return the larger error of both angles around the true left ventricle."""
    if masks is None or masks.insertions_px is None or points is None:
        return math.nan
    centre = (case.masks[0] | case.masks[1]).nonzero().double().mean(dim=0).tolist()
    found, true = (
        [
            math.atan2(
                (float(row) - centre[0]) * case.spacing_mm[0],
                (float(column) - centre[1]) * case.spacing_mm[1],
            )
            for row, column in pair
        ]
        for pair in (masks.insertions_px, points)
    )
    errors = [abs(math.remainder(a - b, math.tau)) for a, b in zip(found, true, strict=True)]
    return math.degrees(max(errors))
