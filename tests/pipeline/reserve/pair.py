"""Two exams of one heart of two tubes, whose flow is known at every point of the wall."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from node.scanner.plane import LONG_AXIS
from pipeline.measure import measure
from pipeline.motion import identity
from pipeline.quality import AnalysedExam
from pipeline.segment import divide_exam
from pipeline.types import Analysis, Exam, FlowMap, Geometry, PatientState, SliceAnalysis
from tests.pipeline.segment.ring import ANTERIOR, CENTRE, SEPTAL, Cut, cut

OFFSETS_MM = (5.0, 25.0, 45.0)
THICKNESS_MM = 9.0
"""Of the wall."""


def flow_at(angle: np.ndarray, depth: np.ndarray, state: PatientState) -> np.ndarray:
    """Return flow at an angle of the heart and a depth of its wall."""
    if state is PatientState.STRESS:
        return 3.0 + np.cos(angle) + 0.5 * depth
    return 1.0 + 0.3 * np.sin(angle) + 0.1 * depth


def true_reserve(one: Cut, rotated_deg: float = 0.0) -> np.ndarray:
    """Return the reserve of the muscle that lies on the pixels of a slice."""
    place = place_in_heart(one, one.geometry, rotated_deg)
    return flow_at(*place, PatientState.STRESS) / flow_at(*place, PatientState.REST)


def place_in_heart(
    one: Cut, geometry: Geometry, rotated_deg: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return angle around the heart and depth in the wall of the pixels of a slice."""
    rows, columns = one.masks.myocardium.shape
    down = np.arange(rows)[:, None, None] * geometry.spacing_mm[0]
    right = np.arange(columns)[None, :, None] * geometry.spacing_mm[1]
    place = (
        np.array(geometry.origin_mm)
        + down * np.array(geometry.column_direction)
        + right * np.array(geometry.row_direction)
        - CENTRE
    )
    x, y = place @ SEPTAL, place @ ANTERIOR
    inside = int(one.masks.left_ventricle.sum()) * math.prod(geometry.spacing_mm)
    cavity = math.sqrt(inside / math.pi)
    return np.arctan2(y, x) - math.radians(rotated_deg), (np.hypot(x, y) - cavity) / THICKNESS_MM


def exam_of(
    state: PatientState,
    cuts: Sequence[Cut],
    *,
    shift_mm: tuple[float, float] = (0.0, 0.0),
    along_mm: float = 0.0,
    rotated_deg: float = 0.0,
) -> AnalysedExam:
    """Return an exam of some slices, moved in the patient after they were cut.

    Parameters
    ----------
    state
        Which flow it has.
    cuts
        Its slices.
    shift_mm
        Towards the septum and towards the anterior wall.
    along_mm
        Towards the apex.
    rotated_deg
        As the cuts were made.

    """
    flows = [
        torch.from_numpy(flow_at(*place_in_heart(one, one.geometry, rotated_deg), state)).float()
        for one in cuts
    ]
    way = shift_mm[0] * SEPTAL + shift_mm[1] * ANTERIOR + along_mm * LONG_AXIS
    series = tuple(
        dataclasses.replace(
            one.series(),
            geometry=dataclasses.replace(
                one.geometry, origin_mm=tuple((np.array(one.geometry.origin_mm) + way).tolist())
            ),
        )
        for one in cuts
    )
    masks = [one.masks for one in cuts]
    sectors, _ = divide_exam(series, masks)
    slices = tuple(
        SliceAnalysis(
            motion=identity(each.frames, spacing_mm=(2.0, 2.0), n_proton_density=0),
            masks=mask,
            flow=flow_map(flow),
            tissue_time_s=None,
            tissue_mmol_l=None,
            sectors=part,
        )
        for each, mask, flow, part in zip(series, masks, flows, sectors, strict=True)
    )
    return AnalysedExam(
        exam=Exam(state=state, field_strength_t=3.0, slices=series, arterial_input=None),
        analysis=Analysis(
            state=state,
            slices=slices,
            arterial_motion=None,
            arterial_input=None,
            regions=measure(slices),
        ),
    )


def flow_map(flow: Tensor) -> FlowMap:
    return FlowMap(
        flow_ml_min_g=flow,
        fit_quality=torch.ones_like(flow),
        delay_s=torch.zeros_like(flow),
        standard_error_ml_min_g=0.1 * flow,
    )


def cuts_of(offsets_mm: Sequence[float] = OFFSETS_MM, **options: object) -> list[Cut]:
    return [cut(offset_mm=offset, **options) for offset in offsets_mm]


def stress_exam() -> AnalysedExam:
    return exam_of(PatientState.STRESS, cuts_of())


def with_slices(one: AnalysedExam, slices: Sequence[SliceAnalysis]) -> AnalysedExam:
    analysis = dataclasses.replace(one.analysis, slices=tuple(slices))
    return dataclasses.replace(one, analysis=analysis)
