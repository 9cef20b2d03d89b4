"""Header and rule together describe a readout; one of them alone does not."""

import math
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from models.physics import (
    BalancedSteadyState,
    EchoPlanarGradientEcho,
    Preparation,
    SpoiledGradientEcho,
)
from node.settings import DEFAULT_ACQUISITION, AcquisitionRule
from node.translate.account import Origin
from node.translate.acquisition import read_acquisition, read_field_strength
from node.translate.headers import FrameHeader, read_headers
from node.translate.roles import Role
from node.translate.sequences import Sequences, build_sequences
from tests.fakes.exams import series, write_small_exam


@pytest.fixture
def frame(tmp_path: Path) -> FrameHeader:
    return read_headers(series(write_small_exam(tmp_path, n_slices=1), 12)[5])[0]


def read_sequences(frame: FrameHeader, role: Role, rules: Sequence[AcquisitionRule]) -> Sequences:
    return build_sequences(read_acquisition(frame, role, rules))


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
    changed = deepcopy(frame.dataset)
    setattr(changed, keyword, value)
    sequences = read_sequences(replace(frame, dataset=changed), "perfusion", [rule("to_centre")])
    assert sequences.saturation_recovery is None
    assert sequences.proton_density is not None


@pytest.mark.parametrize("keyword", ["EchoTime", "FlipAngle"])
def test_missing_numbers_give_no_sequence(keyword: str, frame: FrameHeader) -> None:
    changed = deepcopy(frame.dataset)
    delattr(changed, keyword)
    sequences = read_sequences(replace(frame, dataset=changed), "perfusion", [rule("to_centre")])
    assert sequences.saturation_recovery is None
    assert sequences.proton_density is None
    told = rule("to_centre").model_copy(update={"echo_time_ms": 1.0, "flip_angle_deg": 12.0})
    again = read_sequences(replace(frame, dataset=changed), "perfusion", [told])
    assert again == read_sequences(frame, "perfusion", [rule("to_centre")])


def edited(frame: FrameHeader, **values: object) -> FrameHeader:
    changed = deepcopy(frame.dataset)
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
    field: str, frequency: str | None, expected: float, frame: FrameHeader
) -> None:
    known = read_field_strength(
        edited(frame, MagneticFieldStrength=field, ImagingFrequency=frequency), ()
    )
    assert known.value == pytest.approx(expected)
    assert known.origin is Origin.HEADER
    assert ("gauss" in known.detail) == (len(field) > 3)


def test_field_strength_follows_from_the_frequency(frame: FrameHeader) -> None:
    known = read_field_strength(
        edited(frame, MagneticFieldStrength=None, ImagingFrequency="63.866217"), ()
    )
    assert known.value == pytest.approx(1.5, rel=1e-3)
    silent = edited(frame, MagneticFieldStrength=None, ImagingFrequency=None)
    assert read_field_strength(silent, ()).origin is Origin.MISSING
    told = rule("to_centre").model_copy(update={"field_strength_t": 0.55})
    assert read_field_strength(silent, [told]).value == pytest.approx(0.55)
    assert read_field_strength(silent, [told]).origin is Origin.CONFIGURATION


def test_what_the_site_wrote_outweighs_the_header_and_that_outweighs_what_is_shipped(
    frame: FrameHeader,
) -> None:
    short = edited(frame, RepetitionTime="2.2")
    by_site = read_acquisition(short, "perfusion", [rule("to_centre")])
    assert (by_site.pulse_spacing_ms.value, by_site.pulse_spacing_ms.origin) == (
        2.5,
        Origin.CONFIGURATION,
    )
    by_header = read_acquisition(short, "perfusion", DEFAULT_ACQUISITION)
    assert (by_header.pulse_spacing_ms.value, by_header.pulse_spacing_ms.origin) == (
        2.2,
        Origin.HEADER,
    )
    shipped = read_acquisition(frame, "perfusion", DEFAULT_ACQUISITION)
    assert (shipped.pulse_spacing_ms.value, shipped.pulse_spacing_ms.origin) == (
        2.0,
        Origin.ASSUMED,
    )
    silent = rule("to_centre").model_copy(update={"pulse_spacing_ms": None})
    assert read_acquisition(short, "perfusion", [silent]).pulse_spacing_ms.origin is Origin.HEADER
    assert read_acquisition(frame, "perfusion", [silent]).pulse_spacing_ms.value is None
    assert read_sequences(frame, "perfusion", [silent]).saturation_recovery is None


def test_a_delay_of_the_site_stands_for_the_inversion_time(frame: FrameHeader) -> None:
    told = rule("to_centre").model_copy(update={"saturation_delay_ms": 70.0})
    sequences = read_sequences(edited(frame, InversionTime=None), "perfusion", [told])
    assert sequences.saturation_recovery is not None
    assert sequences.saturation_recovery.saturation_delay_s == pytest.approx(0.07)


def test_the_shipped_entry_read_from_a_file_is_still_the_shipped_one(frame: FrameHeader) -> None:
    again = [AcquisitionRule.model_validate(item.model_dump()) for item in DEFAULT_ACQUISITION]
    known = read_acquisition(frame, "perfusion", again)
    assert known.pulses_before_centre.origin is Origin.ASSUMED
