"""The float map holds the computed numbers themselves, and says what and where they are."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from highdicom.pm.sop import pmread
from pydicom import dcmread
from pydicom.dataset import Dataset

from node.translate import to_bytes
from node.translate.context import ResultContext
from node.translate.encode_parametric import encode_parametric
from node.translate.map_stack import load_highdicom, stack_maps
from node.translate.results import ResultObject
from pipeline.types import PatientState
from tests.fakes.exams import edit, write_small_exam
from tests.fakes.structured import context_of, flow_maps, structured


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ResultContext:
    return context_of(write_small_exam(tmp_path_factory.mktemp("exam")))


def in_state(context: ResultContext, state: PatientState) -> ResultContext:
    return replace(context, analysis=replace(context.analysis, state=state))


def encode(context: ResultContext) -> tuple[ResultObject, ...]:
    return encode_parametric(context, flow_maps(context))


def test_frames_are_the_computed_flow_bit_by_bit(context: ResultContext) -> None:
    maps = flow_maps(context)
    (result,) = encode_parametric(context, maps)
    read = pmread(BytesIO(to_bytes(result)))
    (stack,) = stack_maps(context, maps)
    assert read.NumberOfFrames == 3
    for number, position in enumerate(stack.positions):
        flow = context.analysis.slices[position].flow
        assert flow is not None
        frame = read.pixel_array[number]
        assert frame.dtype == np.float32
        computed = flow.flow_ml_min_g.numpy()
        is_known = np.isfinite(computed)
        np.testing.assert_array_equal(frame[is_known], computed[is_known])
        assert not is_known.all()
        assert (frame[~is_known] == read.FloatPixelPaddingValue).all()
        assert (frame[is_known] != read.FloatPixelPaddingValue).all()


def test_every_frame_names_the_map_it_belongs_to(context: ResultContext) -> None:
    maps = flow_maps(context)
    (result,) = encode_parametric(context, maps)
    (stack,) = stack_maps(context, maps)
    frames = result.dataset.PerFrameFunctionalGroupsSequence
    for frame, position in zip(frames, stack.positions, strict=True):
        (source,) = frame.DerivationImageSequence[0].SourceImageSequence
        image = maps[position].dataset
        assert source.ReferencedSOPInstanceUID == image.SOPInstanceUID
        place = frame.PlanePositionSequence[0].ImagePositionPatient
        np.testing.assert_allclose(place, np.array(image.ImagePositionPatient, float))


def test_highdicom_puts_the_frames_where_they_lie(context: ResultContext) -> None:
    (result,) = encode(context)
    volume = pmread(BytesIO(to_bytes(result))).get_volume(apply_real_world_transform=True)
    assert volume.spacing == pytest.approx((20.0, 6.0, 6.0))
    for position, source in enumerate(context.decoded.sources.slices):
        corner = np.array([source[0].ImagePositionPatient], float)
        (place,) = np.rint(volume.map_reference_to_indices(corner)).astype(int)
        flow = context.analysis.slices[position].flow
        assert flow is not None
        computed = np.nan_to_num(flow.flow_ml_min_g.numpy())
        np.testing.assert_array_equal(volume.array[place[0]], computed)


@pytest.mark.parametrize(
    ("state", "flavour", "code"),
    [
        (PatientState.STRESS, "STRESS", "432655005"),
        (PatientState.REST, "REST", "128975004"),
        (PatientState.UNKNOWN, "PERFUSION", None),
    ],
)
def test_quantity_unit_and_state(
    context: ResultContext, state: PatientState, flavour: str, code: str | None
) -> None:
    (result,) = encode(in_state(context, state))
    item = dcmread(BytesIO(to_bytes(result)))
    assert item.ImageType == ["DERIVED", "PRIMARY", flavour, "QUANTITY"]
    (mapping,) = item.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence
    assert (mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept) == (1.0, 0.0)
    assert mapping.MeasurementUnitsCodeSequence[0].CodeValue == "ml/min/g"
    quantities = [
        one.ConceptCodeSequence[0].CodeValue for one in mapping.QuantityDefinitionSequence
    ]
    assert quantities == ["126390", *([] if code is None else [code])]


def test_who_and_with_what_is_as_in_every_result(context: ResultContext) -> None:
    (result,) = encode(context)
    item = dcmread(BytesIO(to_bytes(result)))
    (image, *_) = (one.dataset for one in flow_maps(context))
    for keyword in (
        "PatientName", "PatientID", "StudyInstanceUID", "AccessionNumber", "PatientWeight",
        "Manufacturer", "DeviceUID", "DeviceSerialNumber", "SoftwareVersions", "InstitutionName",
        "SeriesTime", "ContentTime", "InstanceCreationTime", "ContentQualification",
        "RequestAttributesSequence", "FrameOfReferenceUID",
    ):  # fmt: skip
        assert item[keyword].value == image[keyword].value, keyword
    assert (item.Modality, item.SeriesNumber, item.InstanceNumber) == ("MR", 1205, 1)
    assert item.SeriesDescription == "MBF float map STRESS [ml/min/g] RESEARCH"
    (scanner,) = item.ContributingEquipmentSequence
    assert scanner.Manufacturer == "SIEMENS"
    assert not any(element.tag.is_private for element in item.iterall())


def test_an_odd_identity_comes_back_as_it_came(tmp_path: Path) -> None:
    """Names of one part, a sex nobody knows, Greek letters: none of it is ours to judge."""

    def make_odd(dataset: Dataset) -> None:
        dataset.SpecificCharacterSet = "ISO_IR 126"
        dataset.PatientName = "Ωmega"
        dataset.PatientSex = "X"
        dataset.StudyTime = None
        del dataset.AccessionNumber

    files = write_small_exam(tmp_path, n_slices=1)
    edit(files, make_odd)
    odd = context_of(files)
    results = structured(odd).results
    assert [one.kind for one in results] == [
        "parametric", "segmentation", "segmentation", "report",
    ]  # fmt: skip
    for result in results:
        item = dcmread(BytesIO(to_bytes(result)))
        assert (item.PatientName, item.PatientSex, item.StudyTime) == ("Ωmega", "X", "")
        assert item.AccessionNumber == ""
        assert item.SpecificCharacterSet == "ISO_IR 126"
        assert item.StudyInstanceUID == odd.numbering.StudyInstanceUID


def test_a_repeated_run_writes_the_same_bytes(context: ResultContext) -> None:
    first, second = ([to_bytes(one) for one in encode(context)] for _ in range(2))
    assert first == second


def test_another_version_has_other_identifiers(context: ResultContext) -> None:
    other = replace(context, run=replace(context.run, software_version="perfnode 9"))
    uids = [
        {one.dataset.SOPInstanceUID, one.dataset.SeriesInstanceUID, organisation(one)}
        for one in (*encode(context), *encode(other))
    ]
    assert len(set.union(*uids)) == 6


def organisation(result: ResultObject) -> str:
    (item,) = result.dataset.DimensionOrganizationSequence
    assert result.dataset.DimensionIndexSequence[0].DimensionOrganizationUID == (
        item.DimensionOrganizationUID
    )
    return str(item.DimensionOrganizationUID)


def test_slices_in_another_direction_have_an_object_of_their_own(context: ResultContext) -> None:
    maps = flow_maps(context)
    maps[1].dataset.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    first, second = encode_parametric(context, maps)
    assert [int(one.dataset.NumberOfFrames) for one in (first, second)] == [2, 1]
    assert [int(one.dataset.InstanceNumber) for one in (first, second)] == [1, 2]
    assert first.dataset.SOPInstanceUID != second.dataset.SOPInstanceUID
    assert first.dataset.SeriesInstanceUID == second.dataset.SeriesInstanceUID


def test_slices_that_lie_twice_in_one_place_are_in_two_objects(context: ResultContext) -> None:
    maps = flow_maps(context)
    maps[2].dataset.ImagePositionPatient = maps[0].dataset.ImagePositionPatient
    first, second = encode_parametric(context, maps)
    assert [int(one.dataset.NumberOfFrames) for one in (first, second)] == [2, 1]
    (frame,) = second.dataset.PerFrameFunctionalGroupsSequence
    (source,) = frame.DerivationImageSequence[0].SourceImageSequence
    assert source.ReferencedSOPInstanceUID == maps[2].dataset.SOPInstanceUID


def test_a_slice_without_flow_has_no_frame(context: ResultContext) -> None:
    bare = replace(context.analysis.slices[1], flow=None)
    slices = (context.analysis.slices[0], bare, context.analysis.slices[2])
    partly = replace(context, analysis=replace(context.analysis, slices=slices))
    (result,) = encode(partly)
    frames = dcmread(BytesIO(to_bytes(result))).pixel_array
    known = [one.flow.flow_ml_min_g.numpy() for one in slices if one.flow is not None]
    assert len(frames) == len(known) == 2
    assert {one.max() for one in frames} == {float(np.nanmax(one)) for one in known}


def test_a_flow_of_zero_is_a_value(context: ResultContext) -> None:
    first, *others = context.analysis.slices
    assert first.flow is not None
    zero = replace(first, flow=replace(first.flow, flow_ml_min_g=torch.zeros(48, 40)))
    slices = (zero, *others)
    (result,) = encode(replace(context, analysis=replace(context.analysis, slices=slices)))
    frames = dcmread(BytesIO(to_bytes(result))).pixel_array
    assert sorted(int((frame != 0).sum()) for frame in frames) == [480, 480, 48 * 40]
    assert min(frame.max() for frame in frames) == pytest.approx(1e-6)


def test_a_map_without_any_value_is_all_unknown(context: ResultContext) -> None:
    slices = tuple(
        replace(
            result,
            flow=replace(
                result.flow,
                flow_ml_min_g=torch.full_like(result.flow.flow_ml_min_g, torch.nan),
            ),
        )
        for result in context.analysis.slices
        if result.flow is not None
    )
    (result,) = encode(replace(context, analysis=replace(context.analysis, slices=slices)))
    assert not dcmread(BytesIO(to_bytes(result))).pixel_array.any()


def test_no_flow_no_object(tmp_path: Path) -> None:
    context = context_of(write_small_exam(tmp_path, n_slices=1), has_flow=False)
    assert encode(context) == ()


def test_highdicom_can_be_loaded_ahead() -> None:
    load_highdicom()
