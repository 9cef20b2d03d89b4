"""Phantom exams as the pipeline receives them, small enough for tests, and how to spoil them."""

import dataclasses
from functools import cache

import torch
from torch import Tensor

from models.phantom import PhantomExam, PhantomSeries, make_exam
from pipeline.motion import Method
from pipeline.parameters import AnalysisParameters, FermiBounds, Tissue
from pipeline.types import Exam, Geometry, ImageSeries, PatientState


@cache
def phantom(seed: int = 1, state: str = "stress") -> PhantomExam:
    """Return a phantom exam, made once per test process."""
    return make_exam(seed, state=state)


def parameters(exam: PhantomExam, *, correct_motion: bool) -> AnalysisParameters:
    """Return the constants that the phantom was made with."""
    truth = exam.truth
    return AnalysisParameters(
        relaxivity_l_mmol_s=truth.relaxivity_l_mmol_s,
        tissue=Tissue(
            native_t1_blood_s=truth.native_t1_blood_s,
            native_t1_myocardium_s=truth.native_t1_myocardium_s,
            density_g_ml=truth.density_g_ml,
            hematocrit_fraction=truth.hematocrit_fraction,
        ),
        bounds=FermiBounds(max_flow_ml_min_g=8.0, max_delay_s=3.0),
        motion=Method.AUTO if correct_motion else Method.NONE,
    )


@cache
def as_exam(seed: int = 1, state: str = "stress", *, motion: bool = False) -> Exam:
    """Return the exam without its truth; without motion the noise is drawn anew."""
    return exam_of(phantom(seed, state), motion=motion)


def exam_of(exam: PhantomExam, *, motion: bool) -> Exam:
    """Return any phantom exam without its truth."""
    return Exam(
        state=PatientState(exam.state),
        field_strength_t=exam.field_strength_t,
        slices=tuple(_series(series, motion=motion) for series in exam.slices),
        arterial_input=_series(exam.arterial_input, motion=motion),
    )


def _series(series: PhantomSeries, *, motion: bool) -> ImageSeries:
    return ImageSeries(
        frames=(series.frames if motion else still_frames(series)).float(),
        time_s=series.time_s,
        n_proton_density=series.n_proton_density,
        geometry=Geometry(
            spacing_mm=series.spacing_mm,
            thickness_mm=series.thickness_mm,
            origin_mm=(0.0, 0.0, -series.offset_mm),  # the apex points to the feet
            row_direction=(1.0, 0.0, 0.0),
            column_direction=(0.0, 1.0, 0.0),
        ),
        sequence=series.sequence,
        proton_density=series.proton_density,
    )


def still_frames(series: PhantomSeries) -> Tensor:
    """Return frames without motion and with the noise of the series."""
    generator = torch.Generator().manual_seed(0)
    still, noise = series.truth.motion_free_frames, series.truth.noise_standard_deviation
    first, second = (torch.randn(still.shape, generator=generator) for _ in range(2))
    return torch.hypot(still + noise * first, noise * second)


def one_slice(exam: Exam) -> Exam:
    """Return the exam with its middle slice only."""
    return dataclasses.replace(exam, slices=exam.slices[1:2])


def with_series(exam: Exam, **changes: object) -> Exam:
    """Change every slice alike."""
    return dataclasses.replace(
        exam, slices=tuple(dataclasses.replace(series, **changes) for series in exam.slices)
    )


def cut(series: ImageSeries, keep: slice) -> ImageSeries:
    """Keep some of the saturation-recovery frames, and all proton-density frames."""
    n = series.n_proton_density
    frames = torch.cat([series.frames[:n], series.frames[n:][keep]])
    time_s = torch.cat([series.time_s[:n], series.time_s[n:][keep]])
    return dataclasses.replace(series, frames=frames, time_s=time_s)


def cut_all(exam: Exam, keep: slice) -> Exam:
    """Cut all series alike."""
    assert exam.arterial_input is not None
    return dataclasses.replace(
        exam,
        slices=tuple(cut(series, keep) for series in exam.slices),
        arterial_input=cut(exam.arterial_input, keep),
    )


def at_reference(image: Tensor, series: PhantomSeries, reference: int) -> Tensor:
    """Read an image that lies in the position of a frame at the reference position of the truth."""
    displacement = series.truth.displacement[reference]
    rows, columns = (torch.arange(size) for size in image.shape)
    row, column = torch.meshgrid(rows, columns, indexing="ij")
    row = (row + displacement[0]).round().long().clamp(0, image.shape[0] - 1)
    column = (column + displacement[1]).round().long().clamp(0, image.shape[1] - 1)
    return image[row, column]
