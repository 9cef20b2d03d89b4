"""The configuration as frozen values, one class per section of config.yaml.

Names mirror the file exactly; units are part of the names. Reading the file, with the line of
every mistake, is in `node.configuration`.
"""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

_AE_TITLE = re.compile(r"[\x21-\x5b\x5d-\x7e](?:[\x20-\x5b\x5d-\x7e]{0,14}[\x21-\x5b\x5d-\x7e])?")
_UID = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")

Port = Annotated[int, Field(ge=1, le=65535)]
Positive = Annotated[float, Field(gt=0)]


def _checked_ae_title(value: str) -> str:
    """Return the title, or raise ValueError with the rule of PS3.5 (VR AE)."""
    if not _AE_TITLE.fullmatch(value):
        raise ValueError(
            "an AE title has 1 to 16 printable ASCII characters, no backslash, "
            "no leading or trailing space"
        )
    return value


class _Section(BaseModel):
    """A part of the file: unknown keys are errors, values never change after reading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=False, allow_inf_nan=False, validate_default=True
    )


class NodeSettings(_Section):
    """Who this node is and where it keeps its data."""

    ae_title: str = "PERFNODE"
    data: Path = Path("data")
    log_level: Literal["debug", "info", "warning"] = "info"

    _check_title = field_validator("ae_title")(_checked_ae_title)


class AllowedPeer(_Section):
    """A caller that may send: AE title and address must both match."""

    ae_title: str
    address: str

    _check_title = field_validator("ae_title")(_checked_ae_title)

    @field_validator("address")
    @classmethod
    def _check_address(cls, value: str) -> str:
        try:
            ipaddress.ip_network(value, strict=False)
        except ValueError:
            raise ValueError(
                "give an IP address (10.1.2.3) or a network (10.1.2.0/24), not a host name"
            ) from None
        return value


class ReceiveSettings(_Section):
    """The listening side."""

    address: str = "0.0.0.0"  # noqa: S104 - who may call is decided by `allow`, closed by default
    port: Port = 11112
    allow: tuple[AllowedPeer, ...] = ()
    max_associations: Annotated[int, Field(ge=1, le=500)] = 20
    timeout_s: Positive = 120
    max_pdu_mb: Positive = 1
    max_object_mb: Positive = 1024
    also_store: tuple[str, ...] = ()

    @field_validator("address")
    @classmethod
    def _check_address(cls, value: str) -> str:
        try:
            ipaddress.ip_address(value)
        except ValueError:
            raise ValueError(
                "give the IP address of a network interface, or 0.0.0.0 for all"
            ) from None
        return value

    @field_validator("also_store")
    @classmethod
    def _check_uids(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for uid in value:
            if not _UID.fullmatch(uid) or len(uid) > 64:
                raise ValueError(f"{uid!r} is not a SOP class UID (like 1.2.840.10008.5.1.4.1.1.2)")
        return value


class CompleteSettings(_Section):
    """When a study counts as complete."""

    quiet_s: Annotated[float, Field(ge=0)] = 5
    idle_s: Positive = 60
    check_every_s: Positive = 1

    @model_validator(mode="after")
    def _check_order(self) -> "CompleteSettings":
        if self.idle_s < self.quiet_s:
            raise ValueError("idle_s must not be shorter than quiet_s")
        return self


class ComputeSettings(_Section):
    """Where and how often studies are computed."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: Annotated[int, Field(ge=0, le=256)] = 0
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    max_attempts: Annotated[int, Field(ge=1, le=20)] = 3


class MotionSettings(_Section):
    """How motion is corrected."""

    method: Literal["auto", "learned", "published", "iterative", "none"] = "auto"
    weights: Path | None = None


class QuantificationSettings(_Section):
    """Constants of agent, tissue and fit."""

    agent: Literal[
        "gadobutrol",
        "gadoterate",
        "gadobenate",
        "gadopentetate",
        "gadoteridol",
        "gadodiamide",
        "gadopiclenol",
    ] = "gadobutrol"
    relaxivity_in: Literal["plasma", "whole_blood"] = "plasma"
    relaxivity_l_mmol_s: Positive | None = None
    transverse_relaxivity_l_mmol_s: Positive | None = None
    native_t1_blood_ms: Positive | None = None
    native_t1_myocardium_ms: Positive | None = None
    native_t2_blood_ms: Positive | None = None
    native_t2_myocardium_ms: Positive | None = None
    native_t2_star_blood_ms: Positive | None = None
    native_t2_star_myocardium_ms: Positive | None = None
    hematocrit_percent: Annotated[float, Field(ge=0, lt=100)] = 42
    tissue_density_g_ml: Positive = 1.05
    flow_model: Literal["btex", "fermi", "tikhonov"] = "btex"
    spatial_prior: bool = False
    model_spread: bool = False
    max_flow_ml_min_g: Positive = 8
    max_delay_s: Positive = 3


class AcquisitionRule(_Section):
    """What the headers of one protocol do not say."""

    pattern: str
    role: Literal["perfusion", "arterial_input"]
    pulse_spacing_ms: Positive
    pulses_before_centre: Annotated[int, Field(ge=0)]
    inversion_time: Literal["to_centre", "to_first_pulse"]
    proton_density_flip_angle_deg: Annotated[float, Field(gt=0, le=90)]
    readout: Literal["from_header", "spoiled", "echo_planar", "balanced"] = "from_header"
    balanced_preparation: Literal["half_alpha", "ramp"] = "ramp"
    ramp_pulses: Annotated[int, Field(ge=1)] = 3
    saturation_efficiency_percent: Annotated[float, Field(gt=0, lt=200)] = 100

    @field_validator("pattern")
    @classmethod
    def _check_pattern(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return value

    def matches(self, text: str) -> bool:
        """Whether the pattern is found in a protocol name or series description."""
        return re.search(self.pattern, text, re.IGNORECASE) is not None


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


class ResultsSettings(_Section):
    """How result objects are labelled."""

    series_number_factor: Annotated[int, Field(ge=1, le=10000)] = 100
    research_label: str = "RESEARCH ONLY - NOT FOR DIAGNOSTIC USE"
    institution: str = ""

    @field_validator("research_label", "institution")
    @classmethod
    def _check_text(cls, value: str) -> str:
        if len(value) > 64 or not value.isascii() or "\\" in value:
            raise ValueError("at most 64 ASCII characters, no backslash")
        return value


class Destination(_Section):
    """Where results go."""

    name: str
    ae_title: str
    address: str
    port: Port

    _check_title = field_validator("ae_title")(_checked_ae_title)


class SendSettings(_Section):
    """How results are sent."""

    timeout_s: Positive = 30
    retry_after_s: Annotated[tuple[Positive, ...], Field(min_length=1)] = (
        5,
        30,
        120,
        600,
        1800,
        3600,
    )


class Settings(_Section):
    """The whole file."""

    node: NodeSettings = NodeSettings()
    receive: ReceiveSettings = ReceiveSettings()
    complete: CompleteSettings = CompleteSettings()
    compute: ComputeSettings = ComputeSettings()
    motion: MotionSettings = MotionSettings()
    quantification: QuantificationSettings = QuantificationSettings()
    acquisition: tuple[AcquisitionRule, ...] = DEFAULT_ACQUISITION
    results: ResultsSettings = ResultsSettings()
    destinations: tuple[Destination, ...] = ()
    send: SendSettings = SendSettings()

    @field_validator("destinations")
    @classmethod
    def _check_names(cls, value: tuple[Destination, ...]) -> tuple[Destination, ...]:
        names = [destination.name for destination in value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two destinations are named {name!r}; names must differ")
        return value
