"""Whether the arterial input was read in the left ventricle: its place, time and evenness."""

from collections.abc import Iterator, Sequence
from statistics import median

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.findings import Code, Finding, Grade
from pipeline.place import Point, centre_mm, normal_of
from pipeline.types import ArterialInput, Exam, Geometry, HeartMasks, ImageSeries, MotionCorrection

_FARTHEST_MM = 25.0
"""Half the width of a normal left ventricle; farther away lies another cavity or the aorta, and at
twice that no left ventricle can be."""
_SHORTEST_LAG_S = 2.0
"""Time from right to left ventricle from which on the two can be told apart at one sample a beat;
the passage of the lungs takes 4-8 s."""
_UNEVEN = 0.35
"""Standard deviation of the area under the curves of the pixels over their mean. Blood is one
liquid: what differs is noise, coil and wall."""


def check_blood_place(
    exam: Exam,
    arterial_input: ArterialInput,
    arterial_motion: MotionCorrection,
    slices: Sequence[tuple[MotionCorrection, HeartMasks | None]],
) -> tuple[Finding, ...]:
    """Return findings when the arterial input seems to be that of another place.

    Parameters
    ----------
    exam
        The exam.
    arterial_input
        What was found.
    arterial_motion
        The registered series it was found in.
    slices
        Registered slices and their hearts.

    """
    series = exam.arterial_input
    if series is None or arterial_input.mask.shape != series.frames.shape[1:]:
        return ()  # read in a slice, whose own mask it is
    known = [
        (item, motion, masks)
        for item, (motion, masks) in zip(exam.slices, slices, strict=True)
        if masks is not None and bool(masks.left_ventricle.any())
    ]
    remarks = (
        *_place(arterial_input, series.geometry, [(s.geometry, m) for s, _, m in known]),
        *_time(arterial_input, known),
        *_evenness(arterial_motion.frames[series.n_proton_density :], arterial_input),
    )
    return tuple(
        Finding(code=Code.NO_ARTERIAL_INPUT, grade=grade, text=text) for grade, text in remarks
    )


def _place(
    arterial_input: ArterialInput,
    geometry: Geometry,
    hearts: Sequence[tuple[Geometry, HeartMasks]],
) -> Iterator[tuple[Grade, str]]:
    if not hearts or not bool(arterial_input.mask.any()):
        return
    centre = centre_mm(arterial_input.mask, geometry)
    # The median: a slice that was outlined at a wrong place must not decide.
    beside_mm = median(
        _beside_mm(centre - centre_mm(masks.left_ventricle, other), normal_of(other))
        for other, masks in hearts
    )
    if beside_mm > _FARTHEST_MM:
        grade = Grade.FAIL if beside_mm > 2 * _FARTHEST_MM else Grade.REVIEW
        yield grade, f"The arterial input was read {beside_mm:.0f} mm beside the left ventricle."


def _beside_mm(way: Point, normal: Point) -> float:
    """Return the length of a way within the plane with this normal."""
    return float((way - (way @ normal) * normal).norm())


def _time(
    arterial_input: ArterialInput,
    slices: Sequence[tuple[ImageSeries, MotionCorrection, HeartMasks]],
) -> Iterator[tuple[Grade, str]]:
    """Compare with the arrival in both ventricles of the slices, which saw the same bolus."""
    arrival_s = half_rise_s(arterial_input.concentration_mmol_l, arterial_input.time_s)
    nearer_right = []
    for series, motion, masks in slices:
        if masks.right_ventricle is None or not bool(masks.right_ventricle.any()):
            continue
        left_s, right_s = (
            _arrival_s(series, motion, place)
            for place in (masks.left_ventricle, masks.right_ventricle)
        )
        if left_s - right_s >= _SHORTEST_LAG_S:
            nearer_right.append(abs(arrival_s - right_s) < abs(arrival_s - left_s))
    if nearer_right and 2 * sum(nearer_right) > len(nearer_right):
        yield Grade.FAIL, "The arterial input rises with the right ventricle, not with the left."


def _arrival_s(
    series: ImageSeries, motion: MotionCorrection, place: Bool[Tensor, "row column"]
) -> float:
    n_before = series.n_proton_density
    curve = motion.frames[n_before:, place].nanmean(dim=1)
    known = curve.isfinite()
    return half_rise_s(curve[known], series.time_s[n_before:][known])


def half_rise_s(curve: Float[Tensor, " time"], time_s: Float[Tensor, " time"]) -> float:
    """Return when a curve first passes the middle of its range, s; NaN where it is too short."""
    if len(curve) < 3:
        return torch.nan
    calm = torch.cat([curve[:1], curve, curve[-1:]]).unfold(0, 3, 1).median(dim=1).values
    peak = int(calm.argmax())
    floor = float(calm[: peak + 1].min())
    half = 0.5 * (floor + float(calm[peak]))
    after = int(torch.nonzero(calm >= half)[0])
    if after == 0:
        return float(time_s[0])
    low, high = float(calm[after - 1]), float(calm[after])
    share = (half - low) / max(high - low, 1e-12)
    return float(time_s[after - 1] + share * (time_s[after] - time_s[after - 1]))


def _evenness(
    frames: Float[Tensor, "time row column"], arterial_input: ArterialInput
) -> Iterator[tuple[Grade, str]]:
    pixels = frames[:, arterial_input.mask].double()
    foot, valley = arterial_input.foot, arterial_input.valley
    if pixels.shape[1] < 2 or len(pixels) != len(arterial_input.time_s):
        return
    area = (pixels[foot : valley + 1] - pixels[: foot + 1].mean(dim=0)).sum(dim=0)
    scatter = float(area.std() / area.mean().abs().clamp_min(1e-12))
    if scatter > _UNEVEN:
        text = f"Pixels of the arterial input differ by {scatter:.0%}: not all of them are blood."
        yield Grade.REVIEW, text
