"""What goes back to PACS says the same as the analysis, and keeps who, when and where."""

import dataclasses
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.tag import Tag

from node.descriptions import DESCRIPTIONS
from node.settings import DEFAULT_ACQUISITION, ResultsSettings
from node.translate import (
    DecodedExam,
    ResultObject,
    decode_study,
    encode_failure_page,
    to_bytes,
)
from node.translate.clock import read_clock
from node.translate.derived import describe_series
from node.translate.headers import read_headers
from pipeline.types import Analysis
from tests.fakes.decoded import noticed
from tests.fakes.encoding import encode_plain
from tests.fakes.exams import PAGE, STAMP, edit, unmoved_analysis, write_small_exam

SETTINGS = ResultsSettings(institution="Test Hospital Node")
IDENTITY = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "PatientWeight",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "StudyDescription",
    "AccessionNumber",
    "ReferringPhysicianName",
    "RequestAttributesSequence",
    "PerformedProcedureStepID",
)
PLACE = (
    "FrameOfReferenceUID",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "SliceLocation",
    "PatientPosition",
    "Rows",
    "Columns",
)


@pytest.fixture(scope="module")
def decoded(tmp_path_factory: pytest.TempPathFactory) -> DecodedExam:
    files = write_small_exam(tmp_path_factory.mktemp("exam"))
    return decode_study(files, rules=DEFAULT_ACQUISITION).exams[0]


@pytest.fixture(scope="module")
def analysis(decoded: DecodedExam) -> Analysis:
    return unmoved_analysis(decoded.exam)


def encode(decoded: DecodedExam, analysis: Analysis) -> tuple[ResultObject, ...]:
    return encode_plain(decoded, analysis, settings=SETTINGS)


def reread(result: ResultObject) -> FileDataset:
    return dcmread(BytesIO(to_bytes(result)))


@pytest.fixture(scope="module")
def results(decoded: DecodedExam, analysis: Analysis) -> dict[str, list[FileDataset]]:
    found: dict[str, list[FileDataset]] = {}
    for result in encode(decoded, analysis):
        found.setdefault(result.kind, []).append(reread(result))
    return found


def test_every_object_is_there(results: dict[str, list[FileDataset]]) -> None:
    counts = {kind: len(objects) for kind, objects in results.items()}
    assert counts == {"moco": 4 * 27, "flow": 3, "quality": 3, "page": 1}


def test_identifiers_are_valid_and_distinct(results: dict[str, list[FileDataset]]) -> None:
    objects = [item for group in results.values() for item in group]
    uids = [item.SOPInstanceUID for item in objects]
    assert len(set(uids)) == len(uids)
    assert all(uid.is_valid and uid.startswith("2.25.") for uid in uids)
    numbers = {(str(item.SeriesInstanceUID), int(item.SeriesNumber)) for item in objects}
    assert sorted(number for _, number in numbers) == [1108, 1201, 1202, 1203, 1211]
    instances = {(str(item.SeriesInstanceUID), int(item.InstanceNumber)) for item in objects}
    assert len(instances) == len(objects)


def test_identity_is_kept(decoded: DecodedExam, results: dict[str, list[FileDataset]]) -> None:
    source = decoded.sources.slices[0][0]
    for item in (item for group in results.values() for item in group):
        for keyword in IDENTITY:
            assert item[keyword].value == source[keyword].value, keyword


def test_corrected_frames_are_the_analysed_ones_on_the_scale_of_the_source(
    decoded: DecodedExam, analysis: Analysis, results: dict[str, list[FileDataset]]
) -> None:
    assert analysis.arterial_motion is not None
    corrections = [*(item.motion for item in analysis.slices), analysis.arterial_motion]
    frames = [frame for motion in corrections for frame in motion.frames]
    for item, source, frame in zip(results["moco"], decoded.sources.all, frames, strict=True):
        np.testing.assert_array_equal(item.pixel_array, frame.numpy())
        assert item.pixel_array.dtype == np.uint16
        assert "RescaleSlope" not in item
        for keyword in (*PLACE, "AcquisitionTime", "TriggerTime", "NominalInterval", "FlipAngle"):
            assert item[keyword].value == source[keyword].value, keyword
        assert item.SourceImageSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
        assert item.InstanceNumber == source.InstanceNumber


def test_the_clock_of_the_corrected_series_is_that_of_the_source(
    decoded: DecodedExam, results: dict[str, list[FileDataset]], tmp_path: Path
) -> None:
    paths = []
    for index, item in enumerate(results["moco"][:27]):
        item.save_as(tmp_path / str(index))
        paths.append(tmp_path / str(index))
    clock = read_clock([[read_headers(path)[0] for path in paths]])
    assert clock is not None
    expected = decoded.exam.slices[0].time_s - decoded.exam.slices[0].time_s[0]
    np.testing.assert_allclose(np.array(clock.microseconds[0]) / 1e6, expected, atol=1e-6)


def test_nothing_private_or_of_the_vendor_survives(results: dict[str, list[FileDataset]]) -> None:
    for item in (item for group in results.values() for item in group):
        assert not any(element.tag.is_private for element in item.iterall())
        assert item.Manufacturer == "perfnode"
        assert item.InstitutionName == "Test Hospital Node"
        (scanner,) = item.ContributingEquipmentSequence
        assert scanner.Manufacturer == "SIEMENS"
        assert scanner.PurposeOfReferenceCodeSequence[0].CodeValue == "109101"
        assert scanner.InstitutionName == "Virtual Hospital"


def test_every_object_is_labelled_as_research(results: dict[str, list[FileDataset]]) -> None:
    for item in (item for group in results.values() for item in group):
        assert item.ContentQualification == "RESEARCH"
        assert item.ImageComments == SETTINGS.research_label
        assert item.SeriesDescription.endswith(" RESEARCH")
        assert len(item.SeriesDescription) <= 64
        assert item.BurnedInAnnotation == "NO"


def test_times_of_creation_are_those_of_the_run(results: dict[str, list[FileDataset]]) -> None:
    for item in (item for group in results.values() for item in group):
        for keyword in ("SeriesTime", "ContentTime", "InstanceCreationTime"):
            assert item[keyword].value == "113015.250000"
        for keyword in ("SeriesDate", "ContentDate", "InstanceCreationDate"):
            assert item[keyword].value == "20260302"


@pytest.mark.parametrize(("kind", "unit"), [("flow", "ml/min/g"), ("quality", "1")])
def test_maps_give_the_values_by_rescale_and_by_mapping(
    kind: str, unit: str, analysis: Analysis, results: dict[str, list[FileDataset]]
) -> None:
    for item, result in zip(results[kind], analysis.slices, strict=True):
        assert result.flow is not None
        values = result.flow.flow_ml_min_g if kind == "flow" else result.flow.fit_quality
        (mapping,) = item.RealWorldValueMappingSequence
        assert float(item.RescaleSlope) == mapping.RealWorldValueSlope
        assert item.RescaleType == mapping.MeasurementUnitsCodeSequence[0].CodeValue == unit
        shown = item.pixel_array * mapping.RealWorldValueSlope + mapping.RealWorldValueIntercept
        inside = torch.isfinite(values).numpy()
        worst = np.abs(shown - values.numpy())[inside].max()
        assert worst <= mapping.RealWorldValueSlope * 0.5 + 1e-6
        assert (shown[~inside] == 0).all()


def test_mean_of_a_region_is_that_of_the_analysis(
    analysis: Analysis, results: dict[str, list[FileDataset]]
) -> None:
    for item, result in zip(results["flow"], analysis.slices, strict=True):
        assert result.flow is not None
        slope = item.RealWorldValueMappingSequence[0].RealWorldValueSlope
        region = (slice(12, 28), slice(10, 30))
        shown = (item.pixel_array[region] * slope).mean()
        assert abs(shown - float(result.flow.flow_ml_min_g[region].mean())) < 0.0005


def test_maps_lie_where_the_slice_lies_and_name_their_sources(
    decoded: DecodedExam, results: dict[str, list[FileDataset]]
) -> None:
    corrected = [item.SOPInstanceUID for item in results["moco"]]
    for index, item in enumerate(results["flow"]):
        shown = decoded.sources.slices[index][10]  # the frame that stayed where it was
        for keyword in (*PLACE, "AcquisitionTime"):
            assert item[keyword].value == shown[keyword].value, keyword
        named = [image.ReferencedSOPInstanceUID for image in item.SourceImageSequence]
        assert named == [*corrected[27 * index : 27 * (index + 1)], *corrected[81:]]
        assert item.InstanceNumber == index + 1
        assert "TriggerTime" not in item
        quantity, state = item.RealWorldValueMappingSequence[0].QuantityDefinitionSequence
        assert quantity.ConceptCodeSequence[0].CodeValue == "126390"
        assert state.ConceptCodeSequence[0].CodeValue == "432655005"


def test_the_page_has_the_pixels_that_were_drawn(results: dict[str, list[FileDataset]]) -> None:
    (item,) = results["page"]
    np.testing.assert_array_equal(item.pixel_array, PAGE)
    assert item.SeriesDescription == "MBF summary STRESS RESEARCH"
    named = {image.ReferencedSOPInstanceUID for image in item.SourceImageSequence}
    assert named == {map_.SOPInstanceUID for map_ in results["flow"]}


def test_a_repeated_run_writes_the_same_bytes(
    decoded: DecodedExam, analysis: Analysis, tmp_path: Path
) -> None:
    files = write_small_exam(tmp_path)
    again = decode_study(files[::-1], rules=DEFAULT_ACQUISITION).exams[0]
    first = [to_bytes(result) for result in encode(decoded, analysis)]
    second = [to_bytes(result) for result in encode(again, unmoved_analysis(again.exam))]
    assert first == second


@pytest.mark.parametrize("change", ["software_version", "configuration_digest"])
def test_another_version_or_configuration_has_other_identifiers(
    change: str, decoded: DecodedExam, analysis: Analysis
) -> None:
    words = {"software_version": "a", "configuration_digest": "b", change: "c"}
    other = dataclasses.replace(STAMP, **words)
    changed = encode_plain(decoded, analysis, run=other, settings=SETTINGS)
    before = {result.dataset.SOPInstanceUID for result in encode(decoded, analysis)}
    assert before.isdisjoint(result.dataset.SOPInstanceUID for result in changed)


def test_without_flow_series_and_page_still_go_out(decoded: DecodedExam) -> None:
    results = encode(decoded, unmoved_analysis(decoded.exam, has_flow=False))
    assert {result.kind for result in results} == {"moco", "page"}
    assert "RealWorldValueMappingSequence" not in results[0].dataset


def test_no_label_leaves_no_label(decoded: DecodedExam, analysis: Analysis) -> None:
    settings = ResultsSettings(research_label="")
    for result in encode_plain(decoded, analysis, settings=settings):
        assert "ImageComments" not in result.dataset
        assert "RESEARCH" not in result.dataset.SeriesDescription
        assert "InstitutionName" not in result.dataset


def test_a_failure_page_carries_identity_and_pixels(decoded: DecodedExam) -> None:
    source = decoded.sources.slices[0][0]
    result = encode_failure_page(source, PAGE, reason="P05 none", run=STAMP, settings=SETTINGS)
    item = reread(result)
    np.testing.assert_array_equal(item.pixel_array, PAGE)
    for keyword in IDENTITY:
        assert item[keyword].value == source[keyword].value
    assert item.SeriesDescription == "PERFUSION NOT AVAILABLE"
    again = encode_failure_page(source, PAGE, reason="P05 none", run=STAMP, settings=SETTINGS)
    assert to_bytes(again) == to_bytes(result)


def test_a_failure_page_can_be_made_from_a_bare_header() -> None:
    bare = Dataset()
    bare.StudyInstanceUID = "1.2.3"
    bare.PatientID = "X1"
    item = reread(encode_failure_page(bare, PAGE, reason="P05 none", run=STAMP, settings=SETTINGS))
    assert item.PatientID == "X1"
    assert item.SeriesNumber == 13


def corrected(results: Sequence[ResultObject]) -> list[ResultObject]:
    return [result for result in results if result.kind == "moco"]


def test_rescaled_sources_come_back_on_their_scale(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, n_slices=1)

    def rescale(dataset: Dataset) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = "0.25", "-8"

    edit(files, rescale)
    decoded = decode_study(files, rules=DEFAULT_ACQUISITION).exams[0]
    for result in corrected(encode(decoded, unmoved_analysis(decoded.exam)))[:27]:
        item = reread(result)
        assert (item.RescaleSlope, item.RescaleIntercept) == (0.25, -8)
    last = item.pixel_array * 0.25 - 8
    np.testing.assert_allclose(last, decoded.exam.slices[0].frames[-1].numpy(), atol=1e-4)


def test_changing_slopes_become_one_slope_of_the_series(tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, n_slices=1)

    def rescale(dataset: Dataset) -> None:
        dataset.RescaleSlope = f"{0.5 + 0.01 * int(dataset.InstanceNumber):g}"
        dataset.RescaleIntercept = "0"

    edit(files, rescale)
    decoded = decode_study(files, rules=DEFAULT_ACQUISITION).exams[0]
    results = corrected(encode(decoded, unmoved_analysis(decoded.exam)))
    items = [reread(item) for item in results[:27]]
    assert len({float(item.RescaleSlope) for item in items}) == 1
    slope = float(items[0].RescaleSlope)
    for item, frame in zip(items, decoded.exam.slices[0].frames, strict=True):
        np.testing.assert_allclose(item.pixel_array * slope, frame.numpy(), atol=slope)


def test_our_own_results_are_no_input(
    decoded: DecodedExam, analysis: Analysis, tmp_path: Path
) -> None:
    files = write_small_exam(tmp_path)
    for index, result in enumerate(encode(decoded, analysis)):
        path = tmp_path / f"result_{index}.dcm"
        path.write_bytes(to_bytes(result))
        files.append(path)
    study = decode_study(files, rules=DEFAULT_ACQUISITION)
    assert len(study.exams) == 1
    assert noticed(study) == ()
    assert torch.equal(study.exams[0].exam.slices[0].frames, decoded.exam.slices[0].frames)


def test_decimals_longer_than_allowed_come_back_unchanged(tmp_path: Path) -> None:
    """Position strings of 18 characters are seen in the wild; the place must not move."""
    files = write_small_exam(tmp_path, n_slices=1)
    wild = ["-12.345678901234567", "-100.12345678901234", "147.04113112345678"]

    def lengthen(dataset: Dataset) -> None:
        block = b"\\".join(text.encode() for text in wild)
        tag = Tag("ImagePositionPatient")
        dataset[tag] = RawDataElement(tag, "DS", len(block), block, 0, False, True)

    edit(files[27:], lengthen)
    decoded = decode_study(files, rules=DEFAULT_ACQUISITION).exams[0]
    item = reread(encode(decoded, unmoved_analysis(decoded.exam))[5])
    assert [float(value) for value in item.ImagePositionPatient] == [float(text) for text in wild]


def test_corrected_images_name_the_method_and_the_hash_of_its_network(
    decoded: DecodedExam, analysis: Analysis
) -> None:
    slices = tuple(
        dataclasses.replace(result, motion=dataclasses.replace(result.motion, method=method))
        for result, method in zip(
            analysis.slices, ("learned", "iterative", "identity"), strict=True
        )
    )
    encoded = encode(decoded, dataclasses.replace(analysis, slices=slices))
    told = {result.dataset.DerivationDescription for result in encoded if result.kind == "moco"}
    words = ("(learned: anatomy sha256 " + "1a2b" * 16 + ")", "(iterative)", "(identity)")
    assert all(any(word in text for text in told) for word in words)


def test_every_series_is_called_as_configured() -> None:
    for name, usual in DESCRIPTIONS.items():
        settings = ResultsSettings(
            descriptions={name: "Fluss {state} aus {source}"}, research_label=""
        )
        described = describe_series(name, settings=settings, state="rest", source="perf")
        assert described == "Fluss REST aus perf"
        plain = ResultsSettings(research_label="")
        assert describe_series(name, settings=plain, state="rest", source="x") == usual.replace(
            "{state}", "REST"
        ).replace("{source}", "x")


def test_a_long_description_keeps_its_label() -> None:
    described = describe_series("moco", settings=ResultsSettings(), source="s" * 80)
    assert len(described) == 64
    assert described.endswith("s RESEARCH")
