"""An arterial curve that is too low, too high, too wide, flat or lost is told from a usual one."""

import dataclasses
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from models.physics import SaturationRecovery, SpoiledGradientEcho
from pipeline.findings import Code, Grade
from pipeline.quality import check_arterial_input
from pipeline.quality.arterial_input import width_s
from pipeline.types import ArterialInput, ArterialInputSource
from tests.pipeline.perfusion.curves import arterial_input, beats


def bolus(*, peak: float = 4.0, width: float = 8.0, late: float = 0.15) -> ArterialInput:
    """Return a Gaussian bolus at 20 s with recirculation."""
    time_s = 0.8 * torch.arange(60, dtype=torch.float64)
    offset = (time_s - 20) / width
    curve = peak * torch.exp(-4 * math.log(2) * offset.square())
    curve = torch.maximum(curve, late * peak * (time_s > 20))
    return with_curve(curve, time_s)


def with_curve(curve: Tensor, time_s: Tensor) -> ArterialInput:
    place = int(curve.argmax())
    return dataclasses.replace(
        arterial_input(beats()),
        time_s=time_s,
        concentration_mmol_l=curve,
        foot=5,
        peak=place,
        valley=place + 1 + int(curve[place + 1 :].argmin()),
    )


def said(found: ArterialInput, **changes) -> list[tuple[Code, Grade]]:
    return [(entry.code, entry.grade) for entry in check_arterial_input(found, **changes)]


@given(peak=st.floats(1.5, 8.0), width=st.floats(4.0, 18.0), late=st.floats(0.05, 0.4))
def test_a_usual_bolus_is_silent(peak: float, width: float, late: float) -> None:
    assert said(bolus(peak=peak, width=width, late=late)) == []


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (bolus(peak=0.6), Code.NO_ARTERIAL_INPUT),
        (bolus(peak=15.0), Code.ARTERIAL_INPUT_SATURATED),
        (bolus(width=1.5), Code.NO_ARTERIAL_INPUT),
        (bolus(width=28.0, late=0.0), Code.NO_ARTERIAL_INPUT),
        (bolus(late=0.55), Code.ARTERIAL_INPUT_SATURATED),
    ],
    ids=["low", "high", "narrow", "wide", "no return"],
)
def test_an_unusual_bolus_is_said(found: ArterialInput, code: Code) -> None:
    assert (code, Grade.REVIEW) in said(found)


def test_a_cut_peak_is_flat() -> None:
    whole = bolus(peak=8.0, width=9.0, late=0.1)
    cut = with_curve(whole.concentration_mmol_l.clamp(max=5.0), whole.time_s)
    texts = [entry.text for entry in check_arterial_input(cut)]
    assert any("flat" in text for text in texts)


@pytest.mark.parametrize(
    ("source", "echo_ms", "n_notes"),
    [
        (ArterialInputSource.DUAL_SEQUENCE, 0.7, 0),
        (ArterialInputSource.DUAL_SEQUENCE, 2.0, 1),
        (ArterialInputSource.DUAL_ECHO, 2.0, 0),
        (ArterialInputSource.SINGLE_SEQUENCE, 2.0, 0),
    ],
)
def test_a_late_single_echo_is_noted(
    source: ArterialInputSource, echo_ms: float, n_notes: int
) -> None:
    readout = SpoiledGradientEcho(
        repetition_time_s=0.005,
        echo_time_s=echo_ms / 1000,
        flip_angle_rad=0.2,
        pulses_before_centre=10,
    )
    sequence = SaturationRecovery(saturation_delay_s=0.006, residual_fraction=0.0, readout=readout)
    found = check_arterial_input(dataclasses.replace(bolus(), source=source), sequence=sequence)
    assert [(entry.code, entry.grade) for entry in found] == n_notes * [
        (Code.ARTERIAL_INPUT_SATURATED, Grade.NOTE)
    ]
    if found:  # exp(-25 / (s mmol/l) * 4 mmol/l * 2 ms) = 0.82
        assert "18%" in found[0].text


@given(width=st.floats(4.0, 20.0))
def test_the_width_of_a_gaussian_is_its_own(width: float) -> None:
    found = bolus(width=width, late=0.0)
    measured = width_s(found.concentration_mmol_l, found.time_s, found.peak, 0.5)
    assert measured == pytest.approx(width, rel=0.06)


def test_a_curve_that_stays_has_no_width() -> None:
    curve = torch.linspace(0, 1, 30, dtype=torch.float64)
    assert math.isnan(width_s(curve, torch.arange(30.0, dtype=torch.float64), 29, 0.5))
