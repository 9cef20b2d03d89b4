"""The numbers of one sequence, each with its origin: header, config.yaml, or assumption.

What a site has written for its protocol goes first, since it is written where the header lies. The
header is next, and the entries that this software is shipped with come last: they are assumptions.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydicom.dataset import Dataset

from node.rules import DEFAULT_ACQUISITION
from node.settings import AcquisitionRule
from node.translate.account import Origin
from node.translate.headers import FrameHeader
from node.translate.roles import Role, find_rule
from node.translate.values import number_of, text_of
from node.translate.vendors import Meaning, private_number

T = TypeVar("T")

_LONGEST_PULSE_SPACING_MS = 20.0
"""Longer repetition times are those of the whole shot, with saturation and delay."""
_GAUSS_PER_TESLA = 1e4
_MAX_FIELD_T = 30.0
_PROTON_MHZ_PER_TESLA = 42.577478
_BALANCED = re.compile(r"\*?tfi", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sourced(Generic[T]):
    """A value, or None where nothing tells it, and where it came from."""

    value: T | None
    origin: Origin
    detail: str


def missing(detail: str) -> Sourced[T]:
    """Return that nothing tells a value, and where it was looked for."""
    return Sourced(None, Origin.MISSING, detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquisition:
    """What is known of the sequence of one series."""

    readout: Sourced[str]
    """spoiled, echo_planar or balanced."""
    echo_time_ms: Sourced[float]
    flip_angle_deg: Sourced[float]
    pulse_spacing_ms: Sourced[float]
    pulses_before_centre: Sourced[int]
    inversion_time_ms: Sourced[float]
    inversion_time_meaning: Sourced[str]
    """to_centre or to_first_pulse."""
    saturation_delay_ms: Sourced[float]
    """As configured; follows from the inversion time where it is not."""
    saturation_efficiency_percent: Sourced[float]
    proton_density_flip_angle_deg: Sourced[float]
    balanced_preparation: Sourced[str]
    ramp_pulses: Sourced[int]
    echo_train_length: Sourced[int]
    partial_fourier: Sourced[str]
    """yes or no; the centre of k-space is not in the middle of a partial one."""


def read_acquisition(
    frame: FrameHeader,
    role: Role,
    rules: Sequence[AcquisitionRule],
    *,
    density: FrameHeader | None = None,
    is_interleaved: bool = False,
) -> Acquisition:
    """Return what header and configuration tell about the sequence of a series.

    Parameters
    ----------
    frame
        Any saturation-recovery frame of the series.
    role
        What the series was found to be.
    rules
        Acquisition rules of the configuration.
    density
        A proton-density frame whose header is known to speak of that frame; None where the header
        has one value for the whole series.
    is_interleaved
        Whether the series also holds slices, and so cannot have a name of its own.

    """
    rule = find_rule(frame, role, rules) or (_shipped(role, rules) if is_interleaved else None)
    table, header = _Table(rule), frame.dataset
    return Acquisition(
        readout=_readout(table, header),
        echo_time_ms=table.choose("echo_time_ms", _positive(header, "EchoTime", "Echo Time")),
        flip_angle_deg=table.choose("flip_angle_deg", _positive(header, "FlipAngle", "Flip Angle")),
        pulse_spacing_ms=table.choose("pulse_spacing_ms", _pulse_spacing(header)),
        pulses_before_centre=table.choose("pulses_before_centre", missing("no header says it")),
        inversion_time_ms=_inversion_time(header),
        inversion_time_meaning=table.choose("inversion_time", missing("no header says it")),
        saturation_delay_ms=table.choose("saturation_delay_ms", missing("not configured")),
        saturation_efficiency_percent=table.choose(
            "saturation_efficiency_percent", missing("no header says it")
        ),
        proton_density_flip_angle_deg=table.choose(
            "proton_density_flip_angle_deg", _density_flip_angle(density)
        ),
        balanced_preparation=table.choose("balanced_preparation", missing("no header says it")),
        ramp_pulses=table.choose("ramp_pulses", missing("no header says it")),
        echo_train_length=_echo_train(header),
        partial_fourier=_partial_fourier(header),
    )


def read_field_strength(frame: FrameHeader, rules: Sequence[AcquisitionRule]) -> Sourced[float]:
    """Return the field strength, T. Some scanners write gauss, some only the frequency in MHz."""
    configured: Sourced[float] | None = _Table(find_rule(frame, "perfusion", rules)).site(
        "field_strength_t"
    )
    if configured is not None:
        return configured
    value, detail = (
        number_of(frame.dataset, "MagneticFieldStrength") or 0.0,
        "Magnetic Field Strength",
    )
    if value <= 0:
        value = (number_of(frame.dataset, "ImagingFrequency") or 0.0) / _PROTON_MHZ_PER_TESLA
        detail = "from Imaging Frequency"
    if value > _MAX_FIELD_T:
        value, detail = value / _GAUSS_PER_TESLA, f"{detail}, written in gauss"
    if value <= 0:
        return missing("neither Magnetic Field Strength nor Imaging Frequency")
    return Sourced(value, Origin.HEADER, detail)


class _Table:
    """The entry of config.yaml for one series, if there is one."""

    def __init__(self, rule: AcquisitionRule | None) -> None:
        self._rule = rule
        self._is_shipped = rule in DEFAULT_ACQUISITION

    def choose(self, key: str, header: Sourced[T]) -> Sourced[T]:
        """Return what the site wrote, else what the header says, else what is assumed."""
        configured: Sourced[T] | None = self.site(key)
        if configured is not None:
            return configured
        value = getattr(self._rule, key, None)
        if header.value is not None or value is None:
            return header
        detail = f"shipped entry {self._rule.pattern!r}" if self._is_shipped and self._rule else ""
        return Sourced(value, Origin.ASSUMED, detail or "default of the entry in config.yaml")

    def site(self, key: str) -> Sourced[T] | None:
        """Return what the site wrote for its protocol."""
        rule = self._rule
        if rule is None or self._is_shipped or key not in rule.model_fields_set:
            return None
        value = getattr(rule, key)
        if value is None or value == "from_header":
            return None
        return Sourced(value, Origin.CONFIGURATION, f"acquisition, pattern {rule.pattern!r}")


def _shipped(role: Role, rules: Iterable[AcquisitionRule]) -> AcquisitionRule | None:
    """Return the shipped entry for a role, if the site has left it in its configuration."""
    return next((rule for rule in rules if rule.role == role and rule in DEFAULT_ACQUISITION), None)


def _positive(header: Dataset, keyword: str, words: str) -> Sourced[float]:
    value = number_of(header, keyword) or 0.0
    return Sourced(value, Origin.HEADER, words) if value > 0 else missing(f"no {words}")


def _pulse_spacing(header: Dataset) -> Sourced[float]:
    """Repetition time: of the readout pulses on some scanners, of the whole shot on others."""
    found = _positive(header, "RepetitionTime", "Repetition Time")
    echo_ms = number_of(header, "EchoTime") or 0.0
    if found.value is None or not echo_ms < found.value <= _LONGEST_PULSE_SPACING_MS:
        return missing("Repetition Time is that of the whole shot")
    return found


def _inversion_time(header: Dataset) -> Sourced[float]:
    found = _positive(header, "InversionTime", "Inversion Time")
    if found.value is not None:
        return found
    value = private_number(header, Meaning.SATURATION_DELAY) or 0.0
    if value <= 0:
        return missing("no Inversion Time")
    return Sourced(value, Origin.HEADER, "private prepulse delay")


def _density_flip_angle(density: FrameHeader | None) -> Sourced[float]:
    if density is None:
        return missing("the header has one flip angle for the whole series")
    return _positive(density.dataset, "FlipAngle", "Flip Angle of the proton-density frames")


def _readout(table: _Table, header: Dataset) -> Sourced[str]:
    """Return how the series is read: as the site says, else as the header does (C.8.3.1.1).

    Sequence variant SS (steady state) without SP (spoiled) is a balanced readout. One vendor
    writes SP there too, and says it in the name of the sequence (tfi).
    """
    configured: Sourced[str] | None = table.site("readout")
    if configured is not None:
        return configured
    sequence = text_of(header, "ScanningSequence").split()
    variant = text_of(header, "SequenceVariant").split()
    if "EP" in sequence:
        return Sourced("echo_planar", Origin.HEADER, "Scanning Sequence")
    if _BALANCED.match(text_of(header, "SequenceName")) is not None:
        return Sourced("balanced", Origin.HEADER, "Sequence Name")
    if "SS" in variant and "SP" not in variant:
        return Sourced("balanced", Origin.HEADER, "Sequence Variant")
    if not sequence and not variant:
        return Sourced("spoiled", Origin.ASSUMED, "neither Scanning Sequence nor Sequence Variant")
    return Sourced("spoiled", Origin.HEADER, "Scanning Sequence and Sequence Variant")


def _echo_train(header: Dataset) -> Sourced[int]:
    count = int(number_of(header, "EchoTrainLength") or 0)
    if count > 0:
        return Sourced(count, Origin.HEADER, "Echo Train Length")
    return Sourced(1, Origin.ASSUMED, "no Echo Train Length")


def _partial_fourier(header: Dataset) -> Sourced[str]:
    """Enhanced objects say it (0018,9081), classic images in their scan options (C.8.3.1)."""
    said = text_of(header, "PartialFourier")
    if said:
        return Sourced(said.lower(), Origin.HEADER, "Partial Fourier")
    if "PFP" in text_of(header, "ScanOptions").split():
        return Sourced("yes", Origin.HEADER, "Scan Options")
    return missing("neither Partial Fourier nor Scan Options")
