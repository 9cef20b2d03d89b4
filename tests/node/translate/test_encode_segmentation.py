"""Masks are those that flow was measured in, told by name, code and place."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from highdicom.seg import segread

from node.translate import to_bytes
from node.translate.codes import AHA_SEGMENTS
from node.translate.context import ResultContext
from node.translate.encode_segmentation import encode_segmentations
from node.translate.map_stack import stack_maps
from node.translate.results import NetworkStamp, ResultObject
from node.translate.tracking import tracking_uid
from pipeline.measure import counted_pixels
from pipeline.regions import Layer, level_of
from tests.fakes.exams import write_small_exam
from tests.fakes.structured import context_of, flow_maps


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ResultContext:
    return context_of(write_small_exam(tmp_path_factory.mktemp("exam")))


def encode(context: ResultContext) -> tuple[ResultObject, ...]:
    return encode_segmentations(context, flow_maps(context))


def with_method(context: ResultContext, method: str) -> ResultContext:
    slices = tuple(
        replace(result, masks=replace(result.masks, method=method))
        for result in context.analysis.slices
        if result.masks is not None
    )
    network = NetworkStamp(method="learned", name="segmentation", sha256="ab" * 32)
    return replace(
        context,
        analysis=replace(context.analysis, slices=slices),
        run=replace(context.run, networks=(network,)),
    )


def masks_of(result: ResultObject, context: ResultContext) -> dict[int, np.ndarray]:
    """Return the mask of each segment as highdicom reads it. Shape `(slice, row, column)`."""
    read = segread(BytesIO(to_bytes(result)))
    (stack,) = stack_maps(context, flow_maps(context))
    images = dict(zip(stack.positions, stack.images, strict=True))
    pixels = read.get_pixels_by_source_instance(
        source_sop_instance_uids=[images[position].SOPInstanceUID for position in sorted(images)],
        ignore_spatial_locations=False,
    )
    return {number: pixels[..., number - 1] > 0 for number in read.segment_numbers}


def test_wall_and_blood_pool_are_as_they_were_outlined(context: ResultContext) -> None:
    anatomy, _ = encode(context)
    wall, pool = masks_of(anatomy, context).values()
    for position, result in enumerate(context.analysis.slices):
        assert result.masks is not None
        np.testing.assert_array_equal(wall[position], result.masks.myocardium.numpy())
        np.testing.assert_array_equal(pool[position], result.masks.left_ventricle.numpy())
    codes = [
        (
            one.SegmentedPropertyTypeCodeSequence[0].CodeValue,
            one.AnatomicRegionSequence[0].CodeValue,
        )
        for one in anatomy.dataset.SegmentSequence
    ]
    assert codes == [("49848007", "80891009"), ("87612001", "87878005")]


def test_segments_are_the_counted_pixels(context: ResultContext) -> None:
    _, segments = encode(context)
    masks = masks_of(segments, context)
    n_pixels = {
        region.segment: region.flow.n_pixels
        for region in context.analysis.regions
        if region.layer is Layer.WHOLE and region.segment is not None
    }
    assert list(masks) == list(n_pixels) == list(range(1, 17))
    for number, mask in masks.items():
        assert mask.sum() == n_pixels[number]
        for position, result in enumerate(context.analysis.slices):
            assert result.sectors is not None
            counted = counted_pixels(result.sectors) & (result.sectors.segment == number)
            np.testing.assert_array_equal(mask[position], counted.numpy())


def test_segments_are_named_by_number_level_and_code(context: ResultContext) -> None:
    _, segments = encode(context)
    for number, segment in enumerate(segments.dataset.SegmentSequence, start=1):
        assert segment.SegmentLabel.startswith(f"AHA {number} {level_of(number)}")
        (code,) = segment.SegmentedPropertyTypeCodeSequence
        assert code.CodeValue == AHA_SEGMENTS[number].value
        assert segment.TrackingID == f"AHA {number}"
        assert segment.TrackingUID == tracking_uid(context.key, f"AHA {number}")
    colours = {tuple(one.RecommendedDisplayCIELabValue) for one in segments.dataset.SegmentSequence}
    assert len(colours) == 9  # three territories at three levels


def test_codes_of_segments_are_those_of_pydicom() -> None:
    from pydicom.sr.codedict import codes

    known = {code.value for code in codes.cid3717.concepts.values()}
    values = {term.value for term in AHA_SEGMENTS.values()}
    assert len(values) == 16
    assert values < known


@pytest.mark.parametrize(
    ("method", "family", "parameters"),
    [
        ("network", "123110", "method=network,weights=sha256:" + "ab" * 32),
        ("bolus", "123103", "method=bolus"),
    ],
)
def test_the_outline_says_its_method(
    context: ResultContext, method: str, family: str, parameters: str
) -> None:
    for result in encode(with_method(context, method)):
        for segment in result.dataset.SegmentSequence:
            (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
            assert algorithm.AlgorithmFamilyCodeSequence[0].CodeValue == family
            assert algorithm.AlgorithmParameters == parameters
            assert algorithm.AlgorithmVersion == "perfnode 0.1.0"


def test_series_and_creation(context: ResultContext) -> None:
    anatomy, segments = (result.dataset for result in encode(context))
    assert (anatomy.SeriesNumber, segments.SeriesNumber) == (1206, 1207)
    assert anatomy.SeriesInstanceUID != segments.SeriesInstanceUID
    for item in (anatomy, segments):
        assert (item.Modality, item.SegmentationType) == ("SEG", "BINARY")
        assert item.SeriesDescription.endswith(" STRESS RESEARCH")
        assert item.ContentTime == "113015.250000"
        (scanner,) = item.ContributingEquipmentSequence
        assert scanner.Manufacturer == "SIEMENS"


def test_a_repeated_run_writes_the_same_bytes(context: ResultContext) -> None:
    first, second = ([to_bytes(one) for one in encode(context)] for _ in range(2))
    assert first == second


def test_without_masks_there_is_no_object(context: ResultContext) -> None:
    slices = tuple(replace(one, masks=None, sectors=None) for one in context.analysis.slices)
    bare = replace(context, analysis=replace(context.analysis, slices=slices))
    assert encode(bare) == ()


def test_without_a_septum_there_are_no_segments(context: ResultContext) -> None:
    slices = tuple(
        replace(one, sectors=replace(one.sectors, segment=one.sectors.segment * 0))
        for one in context.analysis.slices
        if one.sectors is not None
    )
    bare = replace(context, analysis=replace(context.analysis, slices=slices))
    (anatomy,) = encode(bare)
    assert anatomy.dataset.SeriesNumber == 1206


def test_a_slice_without_masks_has_none_of_another(context: ResultContext) -> None:
    first, *others = context.analysis.slices
    slices = (replace(first, masks=None, sectors=None), *others)
    partly = replace(context, analysis=replace(context.analysis, slices=slices))
    anatomy, segments = encode(partly)
    assert not masks_of(anatomy, partly)[1][0].any()
    names = [segment.TrackingID for segment in segments.dataset.SegmentSequence]
    assert names == [f"AHA {number}" for number in range(7, 17)]


def test_no_flow_no_masks(tmp_path: Path) -> None:
    context = context_of(write_small_exam(tmp_path, n_slices=1), has_flow=False)
    assert encode(context) == ()
