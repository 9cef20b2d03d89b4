"""Where the arterial input of an exam comes from, and what that is worth.

A series of its own comes first, with T2* from its second echo where there is one. Without such a
series, or where it has neither proton density nor signal before contrast to scale it by, the cavity
of a slice has to do, if its signal stays below saturation; it is labelled so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch

from models.physics import Relaxation
from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code, Finding, Grade, series_finding
from pipeline.parameters import AnalysisParameters
from pipeline.perfusion import find_arterial_input
from pipeline.quality import check_arterial_input, check_frames, check_motion
from pipeline.registered import registered, registered_echoes
from pipeline.types import (
    ArterialInput,
    ArterialInputSource,
    Exam,
    ImageSeries,
    MotionCorrection,
)

_RESIDUAL = 0.01
"""Magnetisation that good saturation pulses may leave, fraction of M0."""
_TELL = 0.1
_REFUSE = 1.0
"""Change of the scale by that residual from which on it is told, and refused."""
_CUT_LEVEL = 0.999
"""Signal over the largest of the series from which on it may be cut off."""
_CUT_FRACTION = 0.3
"""Share of the blood at that level in one frame that noise never brings there."""
_SAME_TIME_S = 0.05
"""Echoes of one beat differ by milliseconds."""


def quantify_arterial_input(
    exam: Exam, motions: Sequence[MotionCorrection], parameters: AnalysisParameters
) -> tuple[ArterialInput | None, list[Finding]]:
    """Return the arterial input, or None and why.

    Parameters
    ----------
    exam
        All series.
    motions
        Registered slices, then the arterial-input series if there is one.
    parameters
        Constants of blood and agent.

    """
    if exam.arterial_input is None:
        return _from_slices(exam, motions, parameters, lacking="is missing")
    series, motion = exam.arterial_input, motions[-1]
    findings = [
        *check_frames(series),
        *check_motion(motion, spacing_mm=series.geometry.spacing_mm),
        *_check_second_echo(exam),
    ]
    if series.sequence is None:
        return None, findings
    try:
        found = _from_series(exam, series, motion, parameters.blood)
    except CannotQuantifyError as error:
        if _scale_error(series, parameters.blood) == 0.0:
            return None, [*findings, _failure(error)]
        lacking = f"cannot be used ({error.text})"
        instead, said = _from_slices(exam, motions, parameters, lacking=lacking)
        return instead, [*findings, *said]
    remarks = check_arterial_input(found, sequence=series.sequence)
    return found, [*findings, *_check_scale(series, parameters.blood), *remarks]


def _from_series(
    exam: Exam, series: ImageSeries, motion: MotionCorrection, blood: Relaxation
) -> ArterialInput:
    _require_scale(series, blood)
    second = exam.arterial_second_echo
    if second is not None and _belongs(second, series):
        first, second = registered_echoes(series, second, motion)
    else:
        first, second = registered(series, motion), None
    found = find_arterial_input(
        first, relaxation=blood, second_echo=second, heart_px=motion.heart_px
    )
    _require_whole(first, found)
    return found


def _require_whole(series: ImageSeries, found: ArterialInput) -> None:
    """Refuse blood whose signal was cut off at the largest value that can be stored."""
    pixels = series.frames[:, found.mask]
    cut = (pixels >= _CUT_LEVEL * float(series.frames.amax())).double().mean(dim=1)
    if bool((cut > _CUT_FRACTION).any()):
        raise CannotQuantifyError(
            Code.ARTERIAL_INPUT_SATURATED, "the signal of blood is cut off at the largest value"
        )


def _from_slices(
    exam: Exam,
    motions: Sequence[MotionCorrection],
    parameters: AnalysisParameters,
    *,
    lacking: str,
) -> tuple[ArterialInput | None, list[Finding]]:
    """Read the cavity of the first slice from the base whose signal is not saturated."""
    errors: list[CannotQuantifyError] = []
    for index, (series, motion) in enumerate(zip(exam.slices, motions, strict=False)):
        if series.sequence is None:
            continue
        try:
            _require_scale(series, parameters.blood)
            found = find_arterial_input(
                registered(series, motion),
                relaxation=parameters.blood,
                source=ArterialInputSource.SINGLE_SEQUENCE,
                heart_px=motion.heart_px,
            )
        except CannotQuantifyError as error:
            errors.append(error)
            continue
        found = replace(found, slice_index=index)
        remarks = check_arterial_input(found, sequence=series.sequence)
        scale = _check_scale(series, parameters.blood, index)
        return found, [_single(index, lacking), *scale, *remarks]
    why = f" ({errors[0].text})" if errors else ""
    text = f"The arterial input series {lacking}, and no slice can take its place{why}."
    return None, [Finding(code=Code.NO_ARTERIAL_INPUT, grade=Grade.FAIL, text=text)]


def _single(index: int, lacking: str) -> Finding:
    return Finding(
        code=Code.ARTERIAL_INPUT_SATURATED,
        grade=Grade.REVIEW,
        text=f"The arterial input series {lacking}: the cavity of slice {index + 1} was used. Its "
        "peak is cut by saturation and T2*, so flow is overestimated.",
    )


def _belongs(second: ImageSeries, first: ImageSeries) -> bool:
    """Whether a second echo shows the same beats in the same pixels, later."""
    if second.frames.shape != first.frames.shape or second.sequence is None:
        return False
    if first.sequence is None or second.n_proton_density != first.n_proton_density:
        return False
    is_later = second.sequence.readout.echo_time_s > first.sequence.readout.echo_time_s
    return is_later and bool((second.time_s - first.time_s).abs().max() <= _SAME_TIME_S)


def _check_second_echo(exam: Exam) -> Iterator[Finding]:
    first, second = exam.arterial_input, exam.arterial_second_echo
    if first is not None and second is not None and not _belongs(second, first):
        text = "the second echo does not show the same beats; T2* was not measured."
        yield series_finding(Code.INCOMPLETE_TRANSFER, Grade.REVIEW, text, None)


def _check_scale(
    series: ImageSeries, blood: Relaxation, index: int | None = None
) -> Iterator[Finding]:
    change = _scale_error(series, blood)
    if change > _TELL:
        text = (
            "no proton-density frames; if the saturation pulse left 1 % of the magnetisation, "
            f"flow is {change:.0%} off."
        )
        yield series_finding(Code.UNSUPPORTED_SEQUENCE, Grade.REVIEW, text, index)


def _require_scale(series: ImageSeries, blood: Relaxation) -> None:
    if _scale_error(series, blood) > _REFUSE:
        raise CannotQuantifyError(
            Code.NO_ARTERIAL_INPUT,
            "without proton-density frames, blood before contrast must be the scale, and after so "
            "short a saturation time it has hardly any signal",
        )


def _scale_error(series: ImageSeries, blood: Relaxation) -> float:
    """Return how much a little magnetisation left by the saturation pulse changes the scale.

    Proton-density frames are hardly touched by it; a scale from blood before contrast is.
    """
    if series.sequence is None or (series.n_proton_density and series.proton_density is not None):
        return 0.0
    none = torch.zeros(1, dtype=torch.float64)
    sequence = series.sequence
    left = replace(sequence, residual_fraction=sequence.residual_fraction + _RESIDUAL)
    rates = (
        blood.longitudinal_1_s(none),
        blood.transverse_1_s(none, sequence.readout.decay),
    )
    assumed, true = (float(played.signal(*rates)) for played in (sequence, left))
    return abs(true / assumed - 1.0) if assumed > 0 else torch.inf


def _failure(error: CannotQuantifyError) -> Finding:
    return series_finding(error.code, Grade.FAIL, f"{error.text}.", None)
