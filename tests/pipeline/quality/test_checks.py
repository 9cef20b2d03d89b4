"""Each check speaks when it should, with its code, and is silent otherwise."""

import dataclasses

import pytest
import torch

from pipeline.findings import Code, Grade
from pipeline.parameters import FermiBounds
from pipeline.quality import (
    check_arterial_input,
    check_exam,
    check_flow,
    check_motion,
)
from pipeline.types import (
    Exam,
    FlowMap,
    Geometry,
    ImageSeries,
    MotionCorrection,
    MotionQuality,
    PatientState,
)
from tests.pipeline.perfusion.curves import arterial_input, beats
from tests.pipeline.signal.test_concentration import readout, recovery

BOUNDS = FermiBounds(max_flow_ml_min_g=8.0, max_delay_s=3.0)
WALL = torch.ones(6, 6, dtype=torch.bool)


def series(n_frames: int = 63, **changes) -> ImageSeries:
    arguments = {
        "frames": torch.ones(n_frames, 6, 6),
        "time_s": 0.8 * torch.arange(n_frames, dtype=torch.float64),
        "n_proton_density": 3,
        "geometry": Geometry(
            spacing_mm=(2.0, 2.0),
            thickness_mm=8.0,
            origin_mm=(0.0, 0.0, 0.0),
            row_direction=(1.0, 0.0, 0.0),
            column_direction=(0.0, 1.0, 0.0),
        ),
        "sequence": recovery(),
        "proton_density": readout(5.0),
    }
    return ImageSeries(**(arguments | changes))


def exam(**changes) -> Exam:
    arguments = {
        "state": PatientState.STRESS,
        "field_strength_t": 3.0,
        "slices": (series(), series(), series()),
        "arterial_input": series(),
    }
    return Exam(**(arguments | changes))


def codes(findings) -> list[tuple[Code, Grade]]:
    return [(finding.code, finding.grade) for finding in findings]


def test_a_complete_exam_has_no_findings():
    assert check_exam(exam()) == ()


@pytest.mark.parametrize(
    ("changes", "code", "grade"),
    [
        ({"state": PatientState.UNKNOWN}, Code.STATE_MISSING, Grade.NOTE),
        ({"slices": (series(), series())}, Code.FEW_SLICES, Grade.REVIEW),
        ({"slices": ()}, Code.NO_PERFUSION_SERIES, Grade.FAIL),
        ({"arterial_input": series(sequence=None)}, Code.UNSUPPORTED_SEQUENCE, Grade.FAIL),
        (
            {"slices": (series(), series(), series(sequence=None))},
            Code.UNSUPPORTED_SEQUENCE,
            Grade.FAIL,
        ),
        (
            {"slices": (series(), series(), series(n_proton_density=0))},
            Code.UNSUPPORTED_SEQUENCE,
            Grade.REVIEW,
        ),
        ({"slices": (series(), series(), series(42))}, Code.BOLUS_NOT_COVERED, Grade.REVIEW),
    ],
)
def test_what_an_exam_lacks_is_said_once(changes, code, grade):
    assert codes(check_exam(exam(**changes))) == [(code, grade)]


def test_every_finding_names_an_action_and_the_slice():
    found = check_exam(exam(slices=(series(), series(), series(sequence=None))))
    assert found[0].slice_index == 2
    assert found[0].action


def motion(**changes) -> MotionCorrection:
    quality = MotionQuality(
        roughness_before=0.2,
        roughness_after=0.05,
        pca_metric_before=100.0,
        pca_metric_after=90.0,
        sharpness_before=1.0,
        sharpness_after=1.1,
        folded_fraction=0.0,
        mean_displacement_px=1.0,
    )
    return MotionCorrection(
        frames=torch.ones(5, 6, 6),
        displacement=torch.zeros(5, 2, 6, 6),
        reference=0,
        method="iterative",
        quality=dataclasses.replace(quality, **changes),
        is_unlike=torch.zeros(5, dtype=torch.bool),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"roughness_after": 0.3},
        {"roughness_before": 0.5, "roughness_after": 0.4},
        {"folded_fraction": 0.01},
        {"mean_displacement_px": 12.0},
    ],
)
def test_a_doubtful_registration_is_reported(changes):
    found = check_motion(motion(**changes), spacing_mm=(2.0, 2.0), index=0)
    assert codes(found) == [(Code.RESIDUAL_MOTION, Grade.REVIEW)]


def test_a_good_registration_is_not():
    assert check_motion(motion(), spacing_mm=(2.0, 2.0)) == ()


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        (1.0, []),
        (0.15, [(Code.NO_ARTERIAL_INPUT, Grade.REVIEW)]),
        (4.0, [(Code.ARTERIAL_INPUT_SATURATED, Grade.REVIEW)]),
    ],
)
def test_an_unusual_arterial_peak_is_reported(scale, expected):
    artery = arterial_input(beats())
    changed = dataclasses.replace(artery, concentration_mmol_l=scale * artery.concentration_mmol_l)
    assert codes(check_arterial_input(changed)) == expected


def flow(value: float, *, quality: float = 0.95, n_missing: int = 0) -> FlowMap:
    image = torch.full((6, 6), value)
    image.view(-1)[:n_missing] = torch.nan
    return FlowMap(
        flow_ml_min_g=image,
        fit_quality=torch.full((6, 6), quality),
        delay_s=torch.zeros(6, 6),
    )


@pytest.mark.parametrize(
    ("made", "state", "n_findings"),
    [
        (flow(2.5), PatientState.STRESS, 0),
        (flow(2.5), PatientState.REST, 1),
        (flow(0.1), PatientState.STRESS, 1),
        (flow(8.0), PatientState.STRESS, 2),
        (flow(2.5, quality=0.3), PatientState.STRESS, 1),
        (flow(2.5, n_missing=20), PatientState.STRESS, 1),
        (flow(2.5, n_missing=36), PatientState.STRESS, 1),
    ],
)
def test_an_implausible_map_is_reported(made, state, n_findings):
    found = check_flow(made, myocardium=WALL, state=state, bounds=BOUNDS, index=0)
    assert codes(found) == n_findings * [(Code.MAP_IMPLAUSIBLE, Grade.REVIEW)]
