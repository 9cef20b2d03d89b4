"""Sequence parameters: the header's numbers joined with what config.yaml knows of the protocol."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset

from models.physics import SaturationRecovery, SpoiledGradientEcho
from node.settings import AcquisitionRule
from node.translate.headers import FrameHeader
from node.translate.roles import Role, find_rule
from node.translate.values import number_of

_GAUSS_PER_TESLA = 1e4
_MAX_FIELD_T = 30.0
_PROTON_MHZ_PER_TESLA = 42.577478


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequences:
    """The two readouts of one series; None where header and configuration do not tell."""

    saturation_recovery: SaturationRecovery | None
    proton_density: SpoiledGradientEcho | None


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
    readout = _readout(rule, echo_s, flip_deg)
    return Sequences(
        saturation_recovery=_saturation_recovery(rule, readout, frame.dataset),
        proton_density=_readout(rule, echo_s, rule.proton_density_flip_angle_deg),
    )


def read_field_strength_t(dataset: Dataset) -> float | None:
    """Return the field strength, T. Some scanners write gauss, some only the frequency in MHz."""
    value = number_of(dataset, "MagneticFieldStrength") or 0.0
    if value <= 0:
        value = (number_of(dataset, "ImagingFrequency") or 0.0) / _PROTON_MHZ_PER_TESLA
    field_t = value / _GAUSS_PER_TESLA if value > _MAX_FIELD_T else value
    return field_t if field_t > 0 else None


def _readout(rule: AcquisitionRule, echo_s: float, flip_deg: float) -> SpoiledGradientEcho:
    return SpoiledGradientEcho(
        repetition_time_s=rule.pulse_spacing_ms / 1e3,
        echo_time_s=echo_s,
        flip_angle_rad=math.radians(flip_deg),
        pulses_before_centre=rule.pulses_before_centre,
    )


def _saturation_recovery(
    rule: AcquisitionRule, readout: SpoiledGradientEcho, dataset: Dataset
) -> SaturationRecovery | None:
    """Return preparation and readout, or None when the delay before the readout is not positive.

    Repetition time in the header is the duration of the whole shot, so the spacing of the
    readout pulses comes from the rule.
    """
    delay_s = (number_of(dataset, "InversionTime") or 0.0) / 1e3
    if rule.inversion_time == "to_centre":
        delay_s -= rule.pulses_before_centre * readout.repetition_time_s
    if delay_s <= 0:
        return None
    return SaturationRecovery(saturation_delay_s=delay_s, residual_fraction=0.0, readout=readout)
