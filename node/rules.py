"""What a site knows of its protocols and the headers do not say; sections of config.yaml."""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from node.section import Positive, Section, checked_pattern

FlipAngle = Annotated[float, Field(gt=0, le=90)]


class AcquisitionRule(Section):
    """What the headers of one protocol do not say, or say wrongly.

    What is written here outweighs the header; None leaves it to the header. The shipped entries
    are different: the header outweighs them.
    """

    pattern: str
    role: Literal["perfusion", "arterial_input"]
    pulse_spacing_ms: Positive | None = None
    pulses_before_centre: Annotated[int, Field(ge=0)]
    inversion_time: Literal["to_centre", "to_first_pulse"]
    proton_density_flip_angle_deg: FlipAngle | None = None
    saturation_delay_ms: Positive | None = None
    """From the end of the saturation pulse to the first readout pulse, instead of the inversion
    time of the header."""
    echo_time_ms: Positive | None = None
    flip_angle_deg: FlipAngle | None = None
    field_strength_t: Positive | None = None
    readout: Literal["from_header", "spoiled", "echo_planar", "balanced"] = "from_header"
    balanced_preparation: Literal["half_alpha", "ramp"] = "ramp"
    ramp_pulses: Annotated[int, Field(ge=1)] = 3
    saturation_efficiency_percent: Annotated[float, Field(gt=0, lt=200)] = 100
    station: str = ""
    """Found in the station name; empty for all scanners."""

    _check_patterns = field_validator("pattern", "station")(checked_pattern)

    def matches(self, text: str, station: str) -> bool:
        """Whether the rule speaks about a series with these names from this scanner."""
        return _found(self.pattern, text) and _found(self.station, station)


DEFAULT_ACQUISITION = (
    AcquisitionRule(
        pattern="aif",
        role="arterial_input",
        pulse_spacing_ms=1.5,
        pulses_before_centre=12,
        inversion_time="to_centre",
        proton_density_flip_angle_deg=5,
    ),
    AcquisitionRule(
        pattern="perf|first.?pass|tfl_sr|sr_tfl",
        role="perfusion",
        pulse_spacing_ms=2.0,
        pulses_before_centre=24,
        inversion_time="to_centre",
        proton_density_flip_angle_deg=5,
    ),
)


class StateRule(Section):
    """What the names of one site mean: stress or rest."""

    pattern: str
    """Found in protocol name or series description."""
    state: Literal["stress", "rest"]
    station: str = ""
    """Found in the station name; empty for all scanners."""

    _check_patterns = field_validator("pattern", "station")(checked_pattern)

    def matches(self, text: str, station: str) -> bool:
        """Whether the rule speaks about a series with these names from this scanner."""
        return _found(self.pattern, text) and _found(self.station, station)


def _found(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None
