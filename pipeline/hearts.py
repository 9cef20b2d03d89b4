"""Where the heart is in every series of an exam: there is one heart, so the series must agree.

A slice near the apex may show no cavity, and vessels or spleen then look more like a heart. The
other slices and the arterial-input series say where its axis crosses that slice.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from models.networks.segmentation import SegmentationNetwork
from pipeline.motion.series import usable_frames
from pipeline.place import normal_of, pixel_of, point_mm
from pipeline.segment import HeartRegion, find_heart
from pipeline.types import ImageSeries

NEAR_MM = 40.0
"""Two series that put the heart no farther than this from the same axis mean the same heart."""
SURE = 0.95
"""Agreement from which on one series alone is believed."""
PARALLEL = 0.98
"""Cosine between two normals from which on planes have their axis in common."""


def find_hearts(
    series: Sequence[ImageSeries], network: SegmentationNetwork | None, *, n_parallel: int = 1
) -> tuple[HeartRegion, ...]:
    """Find the heart in each series, and set right those that the others contradict.

    Parameters
    ----------
    series
        Slices and arterial-input series of one exam, moving.
    network
        Trained segmentation network; without it the bolus alone decides in each series.
    n_parallel
        Series that are looked at side by side; the result does not depend on it.

    """

    def look(each: ImageSeries) -> HeartRegion:
        # The mode belongs to the thread, not to the caller.
        with torch.inference_mode():
            is_usable, usable = usable_frames(each.frames)
            return find_heart(
                usable,
                spacing_mm=each.geometry.spacing_mm,
                n_proton_density=int(is_usable[: each.n_proton_density].sum()),
                network=network,
            )

    with ThreadPoolExecutor(n_parallel) as threads:
        return one_heart(list(threads.map(look, series)), series)


def one_heart(
    regions: Sequence[HeartRegion], series: Sequence[ImageSeries]
) -> tuple[HeartRegion, ...]:
    """Put hearts that are doubtful, or that others contradict, where the axis of those crosses.

    Two series that agree are believed, or one that is sure; without them nothing changes. Only
    planes that are parallel to the first sure one take part.

    Parameters
    ----------
    regions
        What was found in each series.
    series
        The series, in the same order.

    """
    if not any(region.agreement > 0 for region in regions):
        return tuple(regions)
    first = max(range(len(regions)), key=lambda place: regions[place].agreement)
    normal = normal_of(series[first].geometry)
    seen = [
        place
        for place, region in enumerate(regions)
        if region.agreement > 0 and _is_parallel(series[place], normal)
    ]
    if not seen:
        return tuple(regions)
    points = {place: _on_axis(regions[place], series[place], normal) for place in seen}
    agreeing = max((_near(points, place) for place in seen), key=lambda near: _trust(regions, near))
    if len(agreeing) < 2 and regions[first].agreement < SURE:
        return tuple(regions)
    axis = torch.stack([points[place] for place in agreeing]).mean(dim=0)
    is_shared = len(agreeing) > 1

    def settle(place: int, region: HeartRegion) -> HeartRegion:
        if place in agreeing:
            return replace(region, is_shared=is_shared)
        if not _is_parallel(series[place], normal):
            return region
        return _moved(region, series[place], axis, is_shared=is_shared)

    return tuple(settle(place, region) for place, region in enumerate(regions))


def _on_axis(
    region: HeartRegion, series: ImageSeries, normal: Float[Tensor, " xyz"]
) -> Float[Tensor, " xyz"]:
    """Return the middle of the heart in the patient, mm, without its place along the normal."""
    point = point_mm(region.centre_row, region.centre_column, series.geometry)
    return point - (point @ normal) * normal


def _near(points: dict[int, Float[Tensor, " xyz"]], place: int) -> list[int]:
    """Return the series that put the heart near where one of them does."""
    return [
        other
        for other, point in points.items()
        if other == place or float((point - points[place]).norm()) <= NEAR_MM
    ]


def _trust(regions: Sequence[HeartRegion], places: list[int]) -> float:
    return sum(regions[place].agreement for place in places)


def _is_parallel(series: ImageSeries, normal: Float[Tensor, " xyz"]) -> bool:
    return abs(float(normal_of(series.geometry) @ normal)) >= PARALLEL


def _moved(
    region: HeartRegion, series: ImageSeries, axis: Float[Tensor, " xyz"], *, is_shared: bool
) -> HeartRegion:
    """Return the region where the axis crosses; where it misses the image, nothing changes."""
    row, column = pixel_of(axis, series.geometry)
    n_rows, n_columns = series.frames.shape[1:]
    if not (0 <= row <= n_rows - 1 and 0 <= column <= n_columns - 1):
        return region
    return replace(region, centre_row=row, centre_column=column, agreement=0.0, is_shared=is_shared)
