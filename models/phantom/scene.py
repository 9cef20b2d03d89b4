"""One series before it is imaged: the picture in reference position, its times, its motion."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from models.phantom.acquisition import OVERSAMPLING
from models.phantom.anatomy import SlicePicture, paint_slice
from models.phantom.heart import HeartSection
from models.phantom.motion import (
    Field,
    displacement_px,
    draw_amplitudes,
    inverse,
    motion_modes,
)
from models.phantom.patient import Patient
from models.phantom.randomness import stream
from models.phantom.series import SeriesPlan
from models.phantom.shapes import Plane, grid_mm


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A slice of a patient over all beats."""

    patient: Patient
    plan: SeriesPlan
    section: HeartSection
    picture: SlicePicture
    time_s: Float[Tensor, " time"]
    displacement: Field
    """On the grid of the series, pixels."""
    inverse_displacement: Float[Tensor, "time axis slice_row slice_column"]
    """On the grid of the slices, pixels of a slice, for drawing."""


def set_scene(patient: Patient, plan: SeriesPlan) -> Scene:
    """Cut the patient, paint the slice, and move it."""
    section = HeartSection(heart=patient.heart, offset_mm=plan.offset_mm)
    time_s = patient.rhythm.trigger_s + plan.trigger_delay_s
    amplitudes = draw_amplitudes(
        stream(patient.seed, patient.state, "motion", plan.name),
        patient.body,
        time_s=time_s,
        is_ectopic=patient.rhythm.is_ectopic,
    )

    def field(matrix: tuple[int, int], spacing_mm: tuple[float, float]) -> Field:
        modes = motion_modes(section, patient.thorax, grid_mm(matrix, spacing_mm))
        return displacement_px(amplitudes, modes, spacing_mm)

    protocol = patient.protocol
    return Scene(
        patient=patient,
        plan=plan,
        section=section,
        picture=_paint(patient, plan, section),
        time_s=time_s,
        displacement=field(plan.matrix, plan.spacing_mm),
        inverse_displacement=inverse(
            field(protocol.matrix, (protocol.spacing_mm, protocol.spacing_mm))
        ),
    )


def _paint(patient: Patient, plan: SeriesPlan, section: HeartSection) -> SlicePicture:
    return paint_slice(
        section,
        patient.thorax,
        patient.pattern,
        patient.curves,
        slice_index=plan.slice_index,
        grid=fine_grid(patient),
        generator=stream(patient.seed, "texture", str(plan.slice_index)),
    )


def fine_grid(patient: Patient) -> tuple[Plane, Plane]:
    """Return row and column position of every point that the picture is painted on, mm."""
    n_rows, n_columns = patient.protocol.matrix
    spacing_mm = patient.protocol.spacing_mm / OVERSAMPLING
    return grid_mm((OVERSAMPLING * n_rows, OVERSAMPLING * n_columns), (spacing_mm, spacing_mm))
