"""One series before it is imaged: the picture in reference position, its times, its motion."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from models.phantom.acquisition import OVERSAMPLING
from models.phantom.anatomy import SlicePicture, paint_slice
from models.phantom.heart import HeartSection
from models.phantom.inversion import newton_inverse, without_folds
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
from models.phantom.variety import Variety

_DEEP_BREATH_MM = 6.0
"""A breath at least as deep takes the heart all the way out of the plane."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A slice of a patient over all beats."""

    patient: Patient
    plan: SeriesPlan
    section: HeartSection
    picture: SlicePicture
    other_picture: SlicePicture | None
    """What deep breathing brings into the plane; None if the heart stays in it."""
    other_share: Float[Tensor, " time"]
    """How much of the other picture is seen in each frame, 0-1."""
    time_s: Float[Tensor, " time"]
    amplitudes: Float[Tensor, "time mode"]
    """Of every mode of motion, in every frame."""
    displacement: Field
    """On the grid of the series, pixels."""
    inverse_displacement: Float[Tensor, "time axis slice_row slice_column"]
    """On the grid of the slices, pixels of a slice, for drawing."""

    @property
    def through_plane_mm(self) -> Float[Tensor, " time"]:
        """Distance of what is seen from the planned slice, positive towards the apex."""
        return self.other_share * self.patient.body.through_plane_mm

    def field(self, matrix: tuple[int, int], spacing_mm: tuple[float, float]) -> Field:
        """Return the displacement on any grid around the middle of the image, pixels of it."""
        return displacement_px(
            self.amplitudes, _modes(self.patient, self.section, matrix, spacing_mm), spacing_mm
        )


def set_scene(patient: Patient, plan: SeriesPlan) -> Scene:
    """Cut the patient, paint the slice, and move it."""
    section = HeartSection(heart=patient.heart, offset_mm=plan.offset_mm)
    time_s = patient.rhythm.trigger_s + plan.trigger_delay_s
    generator = stream(patient.seed, patient.state, "motion", plan.name)
    amplitudes = draw_amplitudes(
        generator, patient.body, time_s=time_s, is_ectopic=patient.rhythm.is_ectopic
    )
    protocol = patient.protocol
    is_wide = protocol.variety is Variety.WIDE
    slice_spacing_mm = (protocol.spacing_mm, protocol.spacing_mm)
    modes = _modes(patient, section, protocol.matrix, slice_spacing_mm)
    if is_wide:
        amplitudes = without_folds(amplitudes, modes, slice_spacing_mm)
    on_slice = displacement_px(amplitudes, modes, slice_spacing_mm)
    displacement = on_slice
    if (plan.matrix, plan.spacing_mm) != (protocol.matrix, slice_spacing_mm):
        own_modes = _modes(patient, section, plan.matrix, plan.spacing_mm)
        displacement = displacement_px(amplitudes, own_modes, plan.spacing_mm)
    return Scene(
        patient=patient,
        plan=plan,
        section=section,
        picture=_paint(patient, plan, section),
        other_picture=_paint_other(patient, plan, section),
        other_share=_other_share(generator, patient, time_s),
        time_s=time_s,
        amplitudes=amplitudes,
        displacement=displacement,
        inverse_displacement=newton_inverse(on_slice) if is_wide else inverse(on_slice),
    )


def _modes(
    patient: Patient,
    section: HeartSection,
    matrix: tuple[int, int],
    spacing_mm: tuple[float, float],
) -> Float[Tensor, "mode axis row column"]:
    grid = grid_mm(matrix, spacing_mm)
    return motion_modes(section, patient.thorax, grid, patient.body.pushes)


def _other_share(
    generator: Generator, patient: Patient, time_s: Float[Tensor, " time"]
) -> Float[Tensor, " time"]:
    """Draw how much of the other picture is seen: by depth of breath, and in early beats."""
    if patient.body.through_plane_mm == 0.0:
        return torch.zeros_like(time_s)
    trace = patient.body.trace
    deepest_mm = max(float(trace.displacement_mm.abs().max()), _DEEP_BREATH_MM)
    lifted = torch.rand(time_s.shape[0], generator=generator, dtype=time_s.dtype)
    early = 0.5 * lifted * patient.rhythm.is_ectopic
    return (trace.at(time_s).abs() / deepest_mm + early).clamp(max=1.0)


def _paint_other(patient: Patient, plan: SeriesPlan, section: HeartSection) -> SlicePicture | None:
    away_mm = patient.body.through_plane_mm
    return None if away_mm == 0.0 else _paint(patient, plan, section.beside(away_mm))


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
