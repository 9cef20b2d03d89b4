"""How the exam is acquired: sequences, matrix, beats, noise, patient cooperation."""

import math
from dataclasses import dataclass, field
from enum import StrEnum

from models.phantom.artefacts import Artefacts
from models.phantom.asked_tissue import AskedTissue
from models.phantom.reconstruction import Reconstruction
from models.phantom.variety import Variety
from models.physics import Readout, SaturationRecovery, SpoiledGradientEcho


class PhantomState(StrEnum):
    """Whether flow is raised by a drug."""

    STRESS = "stress"
    REST = "rest"


class Breathing(StrEnum):
    """How well the patient holds the breath."""

    HELD = "held"
    FAILS = "fails"
    """Held at first, then given up in the course of the series."""
    FREE = "free"
    GASPS = "gasps"
    """Held, but for a few sudden deep breaths."""


def _readout(
    repetition_time_s: float, echo_time_s: float, flip_angle_deg: float, pulses_before_centre: int
) -> SpoiledGradientEcho:
    return SpoiledGradientEcho(
        repetition_time_s=repetition_time_s,
        echo_time_s=echo_time_s,
        flip_angle_rad=math.radians(flip_angle_deg),
        pulses_before_centre=pulses_before_centre,
    )


def _perfusion_sequence() -> SaturationRecovery:
    """Saturation to centre in 110 ms, 24 pulses of 2 ms before the centre, 12 degrees."""
    readout = _readout(0.002, 0.001, 12.0, 24)
    return SaturationRecovery(saturation_delay_s=0.062, residual_fraction=0.0, readout=readout)


def _arterial_sequence() -> SaturationRecovery:
    """Saturation to centre in 24 ms, 12 pulses of 1.5 ms before the centre, 8 degrees."""
    readout = _readout(0.0015, 0.0007, 8.0, 12)
    return SaturationRecovery(saturation_delay_s=0.006, residual_fraction=0.0, readout=readout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """A dual-sequence perfusion protocol. The defaults are those of the shipped configuration."""

    field_strength_t: float = 3.0
    agent: str = "gadobutrol"
    dose_fraction: float = 1.0
    """Contrast agent given, relative to the dose that the blood curves are drawn for."""
    blood_transverse_relaxivity_l_mmol_s: float = 5.9
    """Effective r2 of blood; the same round number at both field strengths."""
    hematocrit_fraction: float = 0.42
    density_g_ml: float = 1.05
    matrix: tuple[int, int] = (144, 144)
    """Rows, columns of a slice before anything outside its field of view is folded in."""
    spacing_mm: float = 2.0
    thickness_mm: float = 8.0
    slice_distance_mm: float = 20.0
    """Between slice centres, from base towards apex."""
    n_slices: int = 3
    arterial_matrix: tuple[int, int] = (48, 64)
    """Rows, columns of the arterial-input series over the same field of view."""
    n_proton_density: int = 3
    n_saturation_recovery: int = 60
    perfusion: SaturationRecovery = field(default_factory=_perfusion_sequence)
    perfusion_proton_density: Readout = field(
        default_factory=lambda: _readout(0.002, 0.001, 5.0, 24)
    )
    arterial: SaturationRecovery = field(default_factory=_arterial_sequence)
    arterial_proton_density: SpoiledGradientEcho = field(
        default_factory=lambda: _readout(0.0015, 0.0007, 5.0, 12)
    )
    arterial_second_echo_time_s: float | None = None
    """Echo time of the second echo of the arterial-input series; None acquires one echo."""
    arterial_trigger_delay_s: float = 0.04
    first_slice_trigger_delay_s: float = 0.13
    slice_interval_s: float = 0.19
    """Between the k-space centres of neighbouring slices of one beat."""
    signal_to_noise: float = 22.0
    """Peak signal of healthy myocardium over the noise of each channel, at the heart."""
    breathing: Breathing = Breathing.FAILS
    breathing_range_mm: tuple[float, float] = (4.0, 12.0)
    """Smallest and largest amplitude that is drawn for free breathing and for gasps."""
    variety: Variety = Variety.USUAL
    """How far anatomy, rhythm and motion may be from those of the textbook."""
    anatomy_beyond: bool = False
    """Draw outside the ranges of `Variety.WIDE`, for tests of what was never trained."""
    mirrored: bool = False
    """Flip left and right, as some reconstructions store it."""
    reconstruction: Reconstruction = field(default_factory=Reconstruction)
    """How k-space becomes an image, in all series."""
    artefacts: Artefacts = field(default_factory=Artefacts)
    """What goes wrong, in all series."""
    heart_rate_bpm: float | None = None
    """Of a heart that beats evenly; None draws the rhythm of a patient."""
    n_missed_beats: int = 0
    """Triggers that are missed where the heart rate is given."""
    tissue: AskedTissue = field(default_factory=AskedTissue)
    """What is asked of the myocardium."""

    def __post_init__(self) -> None:
        if self.n_slices < 1 or self.n_saturation_recovery < 2 or self.n_proton_density < 0:
            raise ValueError("an exam needs a slice and at least two saturation-recovery frames")
        if min(*self.matrix, *self.arterial_matrix) < 16:
            raise ValueError("matrices need at least 16 rows and columns")
        if self.signal_to_noise <= 0.0:
            raise ValueError("signal_to_noise must be positive")
        if self.dose_fraction <= 0.0:
            raise ValueError("dose_fraction must be positive")
        if self.heart_rate_bpm is not None and not 20.0 <= self.heart_rate_bpm <= 250.0:
            raise ValueError("no heart beats at such a rate")
        if not 0 <= self.n_missed_beats < self.n_beats:
            raise ValueError("more missed beats than beats")
        self.reconstruction.outside(self.matrix)
        self.reconstruction.outside(self.arterial_matrix)
        second = self.arterial_second_echo_time_s
        if second is not None and second <= self.arterial.readout.echo_time_s:
            raise ValueError("the second echo must come after the first")

    @property
    def n_beats(self) -> int:
        """Frames per series."""
        return self.n_proton_density + self.n_saturation_recovery

    @property
    def field_of_view_mm(self) -> tuple[float, float]:
        """Height and width of what is painted; what is folded in lies within."""
        return self.matrix[0] * self.spacing_mm, self.matrix[1] * self.spacing_mm

    @property
    def arterial_spacing_mm(self) -> tuple[float, float]:
        """Row and column spacing of the arterial-input series."""
        height, width = self.field_of_view_mm
        return height / self.arterial_matrix[0], width / self.arterial_matrix[1]

    def slice_trigger_delay_s(self, index: int) -> float:
        """Time from the R wave to the k-space centre of a slice, s."""
        return self.first_slice_trigger_delay_s + index * self.slice_interval_s

    @property
    def last_trigger_delay_s(self) -> float:
        """The latest acquisition within a beat, s; no beat may be shorter."""
        return self.slice_trigger_delay_s(self.n_slices - 1)
