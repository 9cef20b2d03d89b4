"""Sequence parameters: the header's numbers joined with what config.yaml knows of the protocol."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset

from models.physics import (
    BalancedSteadyState,
    EchoPlanarGradientEcho,
    Preparation,
    Readout,
    SaturationRecovery,
    SpoiledGradientEcho,
)
from node.settings import AcquisitionRule
from node.translate.headers import FrameHeader
from node.translate.roles import Role, find_rule
from node.translate.values import number_of, text_of

_GAUSS_PER_TESLA = 1e4
_MAX_FIELD_T = 30.0
_PROTON_MHZ_PER_TESLA = 42.577478
_BALANCED = re.compile(r"\*?tfi", re.IGNORECASE)
_PREPARATIONS = {"half_alpha": Preparation.HALF_ALPHA, "ramp": Preparation.RAMP}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequences:
    """The two readouts of one series; None where header and configuration do not tell."""

    saturation_recovery: SaturationRecovery | None
    proton_density: Readout | None


def read_sequences(frame: FrameHeader, role: Role, rules: Sequence[AcquisitionRule]) -> Sequences:
    """Return the readouts of a series.

    Parameters
    ----------
    frame
        Any saturation-recovery frame of the series.
    role
        What the series was found to be.
    rules
        Acquisition rules of the configuration.

    """
    rule = find_rule(frame, role, rules)
    echo_s = (number_of(frame.dataset, "EchoTime") or 0.0) / 1e3
    flip_deg = number_of(frame.dataset, "FlipAngle") or 0.0
    if rule is None or echo_s <= 0 or flip_deg <= 0:
        return Sequences(saturation_recovery=None, proton_density=None)
    kind = _kind(rule, frame.dataset)
    readout = _readout(rule, kind, frame.dataset, flip_deg)
    # Proton-density frames of balanced series are spoiled.
    reference = "spoiled" if kind == "balanced" else kind
    if readout is None:
        return Sequences(saturation_recovery=None, proton_density=None)
    return Sequences(
        saturation_recovery=_saturation_recovery(rule, readout, frame.dataset),
        proton_density=_readout(rule, reference, frame.dataset, rule.proton_density_flip_angle_deg),
    )


def read_field_strength_t(dataset: Dataset) -> float | None:
    """Return the field strength, T. Some scanners write gauss, some only the frequency in MHz."""
    value = number_of(dataset, "MagneticFieldStrength") or 0.0
    if value <= 0:
        value = (number_of(dataset, "ImagingFrequency") or 0.0) / _PROTON_MHZ_PER_TESLA
    field_t = value / _GAUSS_PER_TESLA if value > _MAX_FIELD_T else value
    return field_t if field_t > 0 else None


def _kind(rule: AcquisitionRule, dataset: Dataset) -> str:
    """Return how the series is read: as the rule says, else as the header does (C.8.3.1.1).

    Sequence variant SS (steady state) without SP (spoiled) is a balanced readout. One vendor
    writes SP there too, and says it in the name of the sequence (tfi).
    """
    if rule.readout != "from_header":
        return rule.readout
    sequence = text_of(dataset, "ScanningSequence").split()
    variant = text_of(dataset, "SequenceVariant").split()
    if "EP" in sequence:
        return "echo_planar"
    is_named = _BALANCED.match(text_of(dataset, "SequenceName")) is not None
    is_balanced = is_named or ("SS" in variant and "SP" not in variant)
    return "balanced" if is_balanced else "spoiled"


def _readout(rule: AcquisitionRule, kind: str, dataset: Dataset, flip_deg: float) -> Readout | None:
    """Return the readout train, or None when its times cannot be."""
    echo_s = (number_of(dataset, "EchoTime") or 0.0) / 1e3
    spacing_s, flip_rad = rule.pulse_spacing_ms / 1e3, math.radians(flip_deg)
    if kind == "balanced":
        return BalancedSteadyState(
            repetition_time_s=spacing_s,
            flip_angle_rad=flip_rad,
            pulses_before_centre=rule.pulses_before_centre,
            preparation=_PREPARATIONS[rule.balanced_preparation],
            n_ramp=rule.ramp_pulses,
        )
    if kind == "echo_planar":
        return _echo_planar(rule, dataset, echo_s, flip_rad)
    return SpoiledGradientEcho(
        repetition_time_s=spacing_s,
        echo_time_s=echo_s,
        flip_angle_rad=flip_rad,
        pulses_before_centre=rule.pulses_before_centre,
    )


def _echo_planar(
    rule: AcquisitionRule, dataset: Dataset, echo_s: float, flip_rad: float
) -> EchoPlanarGradientEcho | None:
    """Return the train of shots; None when the echo comes after the next shot.

    Headers do not give the spacing of the echoes, and the signal of the centre does not depend on
    it: they are spread over the time that is left.
    """
    shot_s = rule.pulse_spacing_ms / 1e3
    if echo_s >= shot_s:
        return None
    n_echoes = max(int(number_of(dataset, "EchoTrainLength") or 1), 1)
    return EchoPlanarGradientEcho(
        repetition_time_s=shot_s,
        echo_time_s=echo_s,
        flip_angle_rad=flip_rad,
        pulses_before_centre=rule.pulses_before_centre,
        echo_train_length=n_echoes,
        echo_spacing_s=(shot_s - echo_s) / n_echoes,
    )


def _saturation_recovery(
    rule: AcquisitionRule, readout: Readout, dataset: Dataset
) -> SaturationRecovery | None:
    """Return preparation and readout, or None when the delay before the readout is not positive.

    Repetition time in the header is the duration of the whole shot, so the spacing of the
    readout pulses comes from the rule.
    """
    delay_s = (number_of(dataset, "InversionTime") or 0.0) / 1e3
    if rule.inversion_time == "to_centre":
        delay_s -= readout.time_to_centre_s
    if delay_s <= 0:
        return None
    return SaturationRecovery(
        saturation_delay_s=delay_s,
        residual_fraction=1.0 - rule.saturation_efficiency_percent / 100,
        readout=readout,
    )
