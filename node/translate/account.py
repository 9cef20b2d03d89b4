"""How a study was read: what each series is, and where every number came from.

Everything here may be shown outside the hospital: there is no field for an identity, a date or a
UID. `perfnode study explain` prints it; results carry what was not in a header.
"""

from dataclasses import dataclass
from enum import StrEnum

from pipeline.types import PatientState


class Origin(StrEnum):
    """Where a fact was found."""

    HEADER = "header"
    CONFIGURATION = "config.yaml"
    NAME = "name"
    GEOMETRY = "geometry"
    SIGNAL = "signal"
    ASSUMED = "assumed"
    MISSING = "missing"


class Encoding(StrEnum):
    """In which kind of object an image came."""

    CLASSIC = "classic"
    ENHANCED = "enhanced"
    LEGACY_CONVERTED = "legacy converted"
    OTHER = "other"


class SeriesRole(StrEnum):
    """What a series was taken for."""

    PERFUSION = "perfusion"
    ARTERIAL_INPUT = "arterial input"
    SECOND_ECHO = "second echo of the arterial input"
    PROTON_DENSITY = "proton density"
    PERFUSION_WITH_INPUT = "perfusion and arterial input"
    COPY = "copy of another series"
    MAP = "map of a vendor"
    NOT_MAGNITUDE = "phase, real or imaginary images"
    SCOUT = "scout or baseline"
    OWN_RESULT = "result of this software"
    OTHER = "not a perfusion series"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One value that the analysis rests on."""

    name: str
    """In words: `saturation delay`."""
    value: str
    """As shown, without unit; empty where it is missing."""
    unit: str
    origin: Origin
    detail: str
    """Attribute, rule or assumption, in words."""

    @property
    def brief(self) -> str:
        """Name, value and unit."""
        return f"{self.name} {self.value} {self.unit}".rstrip()

    def __str__(self) -> str:
        value = f"{self.value} {self.unit}".strip() or "unknown"
        return f"{self.name} {value} ({self.origin}: {self.detail})"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesAccount:
    """One received series."""

    number: int
    role: SeriesRole
    reason: str
    """What the role was told by, in words."""
    vendor: str
    encoding: Encoding
    transfer_syntax: str
    """Name of the transfer syntax; several are joined by commas."""
    n_files: int
    n_images: int
    shape: tuple[int, int]
    """Rows, columns of the first image."""
    n_positions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StackAccount:
    """The beats of one slice, or of the arterial input."""

    name: str
    """`slice 1`, `arterial input`, `second echo`."""
    series_number: int
    shape: tuple[int, int]
    spacing_mm: tuple[float, float]
    position_mm: float
    """Along the normal of the slices from base to apex, from the first one."""
    time_s: tuple[float, ...]
    """Of every frame on the clock of the exam."""
    n_proton_density: int
    n_missing: int
    """Beats that other stacks have and this one lacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamAccount:
    """One bolus run."""

    state: PatientState
    state_origin: Fact
    clock: str
    """The field that times were read from."""
    stacks: tuple[StackAccount, ...]
    """Slices from base to apex, then the arterial input and its second echo."""
    facts: tuple[Fact, ...]
    """Parameters of the signal model, in the order in which they are shown."""

    @property
    def assumptions(self) -> tuple[Fact, ...]:
        """What no header and no configuration said."""
        return tuple(fact for fact in self.facts if fact.origin is Origin.ASSUMED)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyAccount:
    """A whole study."""

    series: tuple[SeriesAccount, ...]
    exams: tuple[ExamAccount, ...]
