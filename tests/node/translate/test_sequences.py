"""Header and rule together describe a readout; one of them alone does not."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from pydicom.dataset import Dataset

from models.physics import (
    BalancedSteadyState,
    EchoPlanarGradientEcho,
    Preparation,
    SpoiledGradientEcho,
)
from node.settings import DEFAULT_ACQUISITION, AcquisitionRule
from node.translate.headers import FrameHeader, read_headers
from node.translate.sequences import read_field_strength_t, read_sequences
from tests.fakes.exams import series, write_small_exam


@pytest.fixture
def frame(tmp_path: Path) -> FrameHeader:
    return read_headers(series(write_small_exam(tmp_path, n_slices=1), 12)[5])[0]


def rule(meaning: Literal["to_centre", "to_first_pulse"]) -> AcquisitionRule:
    return AcquisitionRule(
        pattern="PERF",
        role="perfusion",
        pulse_spacing_ms=2.5,
        pulses_before_centre=20,
        inversion_time=meaning,
        proton_density_flip_angle_deg=6,
    )


@pytest.mark.parametrize(
    ("meaning", "delay_s", "time_s"), [("to_centre", 0.06, 0.11), ("to_first_pulse", 0.11, 0.16)]
)
def test_inversion_time_means_what_the_rule_says(
    meaning: Literal["to_centre", "to_first_pulse"],
    delay_s: float,
    time_s: float,
    frame: FrameHeader,
) -> None:
    sequences = read_sequences(frame, "perfusion", [rule(meaning)])
    assert sequences.saturation_recovery is not None
    assert sequences.proton_density is not None
    assert sequences.saturation_recovery.saturation_delay_s == pytest.approx(delay_s)
    assert sequences.saturation_recovery.saturation_time_s == pytest.approx(time_s)
    readout = sequences.saturation_recovery.readout
    assert readout.repetition_time_s == pytest.approx(0.0025)
    assert readout.echo_time_s == pytest.approx(0.001)
    assert math.degrees(readout.flip_angle_rad) == pytest.approx(12)
    assert math.degrees(sequences.proton_density.flip_angle_rad) == pytest.approx(6)


def test_a_rule_for_another_role_is_not_used(frame: FrameHeader) -> None:
    sequences = read_sequences(frame, "arterial_input", [rule("to_centre")])
    assert sequences.saturation_recovery is None
    assert sequences.proton_density is None


def test_the_first_matching_rule_wins(frame: FrameHeader) -> None:
    other = rule("to_first_pulse")
    sequences = read_sequences(frame, "perfusion", [other, *DEFAULT_ACQUISITION])
    assert sequences.saturation_recovery is not None
    assert sequences.saturation_recovery.readout.pulses_before_centre == 20


@pytest.mark.parametrize(("keyword", "value"), [("InversionTime", "40"), ("InversionTime", None)])
def test_an_impossible_delay_gives_no_sequence(
    keyword: str, value: str | None, frame: FrameHeader
) -> None:
    changed = Dataset(frame.dataset)
    setattr(changed, keyword, value)
    sequences = read_sequences(replace(frame, dataset=changed), "perfusion", [rule("to_centre")])
    assert sequences.saturation_recovery is None
    assert sequences.proton_density is not None


@pytest.mark.parametrize("keyword", ["EchoTime", "FlipAngle"])
def test_missing_numbers_give_no_sequence(keyword: str, frame: FrameHeader) -> None:
    changed = Dataset(frame.dataset)
    delattr(changed, keyword)
    sequences = read_sequences(replace(frame, dataset=changed), "perfusion", [rule("to_centre")])
    assert sequences.saturation_recovery is None
    assert sequences.proton_density is None


def edited(frame: FrameHeader, **values: object) -> FrameHeader:
    changed = Dataset(frame.dataset)
    for keyword, value in values.items():
        setattr(changed, keyword, value)
    return replace(frame, dataset=changed)


@pytest.mark.parametrize(
    "values",
    [
        {"SequenceVariant": ["SS", "MP"], "SequenceName": "*x"},
        {"SequenceVariant": ["SK", "SP"], "SequenceName": "*tfi2d1_48"},
    ],
    ids=["variant", "name"],
)
def test_a_balanced_readout_is_read_with_spoiled_proton_density(
    values: dict[str, object], frame: FrameHeader
) -> None:
    wanted = rule("to_centre").model_copy(update={"ramp_pulses": 5})
    sequences = read_sequences(edited(frame, **values), "perfusion", [wanted])
    assert sequences.saturation_recovery is not None
    readout = sequences.saturation_recovery.readout
    assert isinstance(readout, BalancedSteadyState)
    assert readout.preparation is Preparation.RAMP
    assert readout.n_ramp == 5
    assert isinstance(sequences.proton_density, SpoiledGradientEcho)
    # The ramp is part of the time to the centre, which the header's inversion time counts.
    assert sequences.saturation_recovery.saturation_time_s == pytest.approx(0.11)
    assert sequences.saturation_recovery.saturation_delay_s == pytest.approx(0.11 - 25 * 0.0025)


def test_an_echo_planar_readout_is_read(frame: FrameHeader) -> None:
    wanted = rule("to_centre").model_copy(
        update={"pulse_spacing_ms": 6.5, "pulses_before_centre": 8}
    )
    planar = edited(frame, ScanningSequence=["GR", "EP"], EchoTrainLength="4", EchoTime="3.1")
    sequences = read_sequences(planar, "perfusion", [wanted])
    assert sequences.saturation_recovery is not None
    for readout in (sequences.saturation_recovery.readout, sequences.proton_density):
        assert isinstance(readout, EchoPlanarGradientEcho)
        assert readout.echo_train_length == 4
        assert readout.echo_time_s == pytest.approx(0.0031)
        assert readout.repetition_time_s == pytest.approx(0.0065)


def test_an_echo_after_the_next_shot_gives_no_sequence(frame: FrameHeader) -> None:
    planar = edited(frame, ScanningSequence=["GR", "EP"], EchoTime="3.1")
    sequences = read_sequences(planar, "perfusion", [rule("to_centre")])
    assert sequences.saturation_recovery is None
    assert sequences.proton_density is None


def test_a_rule_overrules_the_header(frame: FrameHeader) -> None:
    wanted = rule("to_centre").model_copy(
        update={"readout": "balanced", "balanced_preparation": "half_alpha"}
    )
    sequences = read_sequences(frame, "perfusion", [wanted])
    assert sequences.saturation_recovery is not None
    readout = sequences.saturation_recovery.readout
    assert isinstance(readout, BalancedSteadyState)
    assert readout.preparation is Preparation.HALF_ALPHA


def test_saturation_that_leaves_something_is_read(frame: FrameHeader) -> None:
    wanted = rule("to_centre").model_copy(update={"saturation_efficiency_percent": 97.0})
    sequences = read_sequences(frame, "perfusion", [wanted])
    assert sequences.saturation_recovery is not None
    assert sequences.saturation_recovery.residual_fraction == pytest.approx(0.03)


@pytest.mark.parametrize(
    ("field", "frequency", "expected"),
    [("1.5", None, 1.5), ("15000", None, 1.5), ("30000", None, 3.0), ("3", "123.2", 3.0)],
)
def test_field_strength_is_read_in_tesla_and_gauss(
    field: str, frequency: str | None, expected: float
) -> None:
    header = Dataset()
    header.MagneticFieldStrength, header.ImagingFrequency = field, frequency
    assert read_field_strength_t(header) == pytest.approx(expected)


def test_field_strength_follows_from_the_frequency() -> None:
    header = Dataset()
    header.ImagingFrequency = "63.866217"
    assert read_field_strength_t(header) == pytest.approx(1.5, rel=1e-3)
    assert read_field_strength_t(Dataset()) is None
