"""The configuration as frozen values, one class per section of config.yaml.

Names mirror the file exactly; units are part of the names. Reading the file, with the line of
every mistake, is in `node.configuration`.
"""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from node.descriptions import Description, SeriesName
from node.rules import DEFAULT_ACQUISITION, AcquisitionRule, StateRule
from node.section import Port, Positive, Section, checked_ae_title

__all__ = [
    "DEFAULT_ACQUISITION",
    "DEFAULT_OBJECTS",
    "AcquisitionRule",
    "AllowedPeer",
    "CompleteSettings",
    "ComputeSettings",
    "Destination",
    "MotionSettings",
    "NodeSettings",
    "ObjectKind",
    "QuantificationSettings",
    "ReceiveSettings",
    "ResultsSettings",
    "SendSettings",
    "Settings",
    "StateRule",
]

_UID = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")


class NodeSettings(Section):
    """Who this node is and where it keeps its data."""

    ae_title: str = "PERFNODE"
    data: Path = Path("data")
    log_level: Literal["debug", "info", "warning"] = "info"

    _check_title = field_validator("ae_title")(checked_ae_title)


class AllowedPeer(Section):
    """A caller that may send: AE title and address must both match."""

    ae_title: str
    address: str

    _check_title = field_validator("ae_title")(checked_ae_title)

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


class ReceiveSettings(Section):
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


class CompleteSettings(Section):
    """When a study counts as complete."""

    quiet_s: Annotated[float, Field(ge=0)] = 5
    idle_s: Positive = 60
    check_every_s: Positive = 1

    @model_validator(mode="after")
    def _check_order(self) -> "CompleteSettings":
        if self.idle_s < self.quiet_s:
            raise ValueError("idle_s must not be shorter than quiet_s")
        return self


class ComputeSettings(Section):
    """Where and how often studies are computed."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: Annotated[int, Field(ge=0, le=256)] = 0
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    max_attempts: Annotated[int, Field(ge=1, le=20)] = 3


class MotionSettings(Section):
    """How motion is corrected."""

    method: Literal["auto", "learned", "published", "iterative", "none"] = "auto"
    weights: Path | None = None


class QuantificationSettings(Section):
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


ObjectKind = Literal[
    "moco",
    "flow",
    "quality",
    "reserve",
    "colour",
    "page",
    "movie",
    "parametric",
    "segmentation",
    "report",
    "document",
]
"""Kinds of result objects that can be chosen; what each is stands in config.yaml."""

DEFAULT_OBJECTS: tuple[ObjectKind, ...] = (
    "moco",
    "flow",
    "quality",
    "reserve",
    "colour",
    "page",
    "movie",
    "parametric",
    "segmentation",
    "report",
)


class ResultsSettings(Section):
    """Which result objects are made and how they are labelled."""

    objects: tuple[ObjectKind, ...] = DEFAULT_OBJECTS
    colour_table: Literal["perfusion", "uniform"] = "perfusion"
    series_number_factor: Annotated[int, Field(ge=1, le=10000)] = 100
    research_label: str = "RESEARCH ONLY - NOT FOR DIAGNOSTIC USE"
    descriptions: dict[SeriesName, Description] = Field(default_factory=dict)
    institution: str = ""
    device_serial_number: str = "1"

    @field_validator("research_label", "institution", "device_serial_number")
    @classmethod
    def _check_text(cls, value: str) -> str:
        if len(value) > 64 or not value.isascii() or "\\" in value:
            raise ValueError("at most 64 ASCII characters, no backslash")
        return value

    @field_validator("device_serial_number")
    @classmethod
    def _check_serial_number(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("maps and reports must name the device that made them")
        return value


class Destination(Section):
    """Where results go."""

    name: str
    ae_title: str
    address: str
    port: Port
    objects: tuple[ObjectKind, ...] | None = None
    """Kinds of result objects it gets; None for all that are made."""

    _check_title = field_validator("ae_title")(checked_ae_title)


class SendSettings(Section):
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


class Settings(Section):
    """The whole file."""

    node: NodeSettings = NodeSettings()
    receive: ReceiveSettings = ReceiveSettings()
    complete: CompleteSettings = CompleteSettings()
    compute: ComputeSettings = ComputeSettings()
    motion: MotionSettings = MotionSettings()
    quantification: QuantificationSettings = QuantificationSettings()
    acquisition: tuple[AcquisitionRule, ...] = DEFAULT_ACQUISITION
    states: tuple[StateRule, ...] = ()
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

    @field_validator("destinations")
    @classmethod
    def _check_objects(
        cls, value: tuple[Destination, ...], info: ValidationInfo
    ) -> tuple[Destination, ...]:
        """Refuse a destination that waits for what nobody makes."""
        results = info.data.get("results", ResultsSettings())
        for destination in value:
            for kind in destination.objects or ():
                if kind not in results.objects:
                    raise ValueError(
                        f"{destination.name} is to get {kind!r}, which results.objects does not "
                        "make: add it there, or remove it here"
                    )
        return value
