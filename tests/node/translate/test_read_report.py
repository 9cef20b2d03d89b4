"""Float map, masks and report come back from an archive as what was computed."""

import math
from dataclasses import replace

import numpy as np
import pytest

from node.translate import read_result, to_bytes
from node.translate.map_stack import stack_maps
from node.translate.read_report import ReceivedNumber
from node.translate.read_result import ReceivedResult
from node.translate.tracking import tracking_name
from tests.fakes.exams import write_small_exam
from tests.fakes.structured import StructuredExam, context_of, structured, with_hole


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> StructuredExam:
    context = context_of(write_small_exam(tmp_path_factory.mktemp("exam")))
    return structured(replace(context, analysis=with_hole(context.analysis, segment=4)))


@pytest.fixture(scope="module")
def received(
    exam: StructuredExam, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ReceivedResult, ...]:
    folder = tmp_path_factory.mktemp("archive")
    for number, result in enumerate(exam.results):
        (folder / f"{number}.dcm").write_bytes(to_bytes(result))
    return tuple(read_result(path) for path in sorted(folder.iterdir()))


def test_kinds_and_identifiers_come_back(
    exam: StructuredExam, received: tuple[ReceivedResult, ...]
) -> None:
    assert [(one.kind, one.sop_uid) for one in received] == [
        (one.kind, one.dataset.SOPInstanceUID) for one in exam.results
    ]


def test_the_float_map_comes_back_with_its_holes(
    exam: StructuredExam, received: tuple[ReceivedResult, ...]
) -> None:
    context = exam.reported.context
    (stack,) = stack_maps(context, exam.reported.maps)
    for frame, position in zip(received[0].values, stack.positions, strict=True):
        flow = context.analysis.slices[position].flow
        assert flow is not None
        np.testing.assert_array_equal(frame, flow.flow_ml_min_g.numpy())


def test_masks_come_back_frame_by_frame(
    exam: StructuredExam, received: tuple[ReceivedResult, ...]
) -> None:
    masks = [result.masks for result in exam.reported.context.analysis.slices]
    n_pixels = sum(
        int(one.myocardium.sum() + one.left_ventricle.sum()) for one in masks if one is not None
    )
    assert received[1].values.shape == (6, 48, 40)
    assert received[1].values.sum() == n_pixels


def test_every_number_of_the_analysis_comes_back(
    exam: StructuredExam, received: tuple[ReceivedResult, ...]
) -> None:
    numbers = received[-1].numbers
    means = {
        one.region: one for one in numbers if one.code == "126390" and one.derivation == "Mean"
    }
    for region in exam.reported.context.analysis.regions:
        name = tracking_name(region.name, region.layer, region.segment)
        if math.isnan(region.flow.mean_ml_min_g):
            assert name not in means
            continue
        assert means.pop(name) == ReceivedNumber(
            region=name,
            time_point="STRESS",
            code="126390",
            derivation="Mean",
            value=round(region.flow.mean_ml_min_g, 4),
            unit="ml/min/g",
            standard_error=round(region.flow.standard_error_ml_min_g, 4),
        )
    assert means == {}
    assert received[0].numbers == ()
