"""A stress without effect on rate and flow is told from one that worked."""

import dataclasses
import math

import pytest

from pipeline.findings import Code, Grade
from pipeline.quality.stress import AnalysedExam, check_pair, frame_rate_1_min
from pipeline.regions import FlowStatistics, Layer, RegionFlow
from pipeline.types import Analysis, PatientState
from tests.pipeline.quality.test_checks import exam, series
from tests.pipeline.quality.test_clock import clock


def analysed(rate_1_min: float, flow_ml_min_g: float | None) -> AnalysedExam:
    """Return an exam of some heart rate and global flow; None has no regions."""
    made = series(time_s=clock(scale=60 / rate_1_min / 0.8))
    statistics = FlowStatistics(
        mean_ml_min_g=math.nan,
        median_ml_min_g=0.0 if flow_ml_min_g is None else flow_ml_min_g,
        sd_ml_min_g=0.1,
        standard_error_ml_min_g=0.1,
        n_pixels=500,
        valid_fraction=1.0,
    )
    region = RegionFlow(name="global", layer=Layer.WHOLE, flow=statistics)
    inner = dataclasses.replace(region, layer=Layer.ENDOCARDIAL)
    return AnalysedExam(
        exam=exam(slices=(made,)),
        analysis=Analysis(
            state=PatientState.UNKNOWN,
            slices=(),
            arterial_motion=None,
            arterial_input=None,
            regions=() if flow_ml_min_g is None else (inner, region),
        ),
    )


NOTE, REVIEW = (Code.STRESS_DOUBTFUL, Grade.NOTE), (Code.STRESS_DOUBTFUL, Grade.REVIEW)


@pytest.mark.parametrize(
    ("rate", "flow", "expected"),
    [
        (90.0, 3.0, []),
        (90.0, None, []),
        (90.0, math.nan, []),
        (72.0, 3.0, [NOTE]),
        (90.0, 1.2, [NOTE]),
        (72.0, 1.2, [REVIEW, REVIEW]),
        (45.0, 3.0, []),  # every other beat
        (90.0, 0.8, [NOTE, (Code.MAP_IMPLAUSIBLE, Grade.REVIEW)]),
    ],
)
def test_both_signs_together_want_a_reader(
    rate: float, flow: float | None, expected: list[tuple[Code, Grade]]
) -> None:
    found = check_pair(stress=analysed(rate, flow), rest=analysed(68.0, 1.0))
    assert [(entry.code, entry.grade) for entry in found] == expected


def test_the_rate_is_that_of_the_beats() -> None:
    assert frame_rate_1_min(analysed(75.0, 1.0).exam) == pytest.approx(75, rel=0.03)
    assert math.isnan(frame_rate_1_min(exam(slices=())))
