"""The reserve map: what it says of itself, where it lies, and what it was made from."""

import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import FileDataset

from node.settings import DEFAULT_ACQUISITION, ResultsSettings
from node.translate import ResultObject, decode_study, to_bytes
from node.translate.context import ResultContext
from node.translate.encode_map import FLOW, MapPlace, encode_map
from node.translate.encode_page import encode_pair_page
from node.translate.encode_reserve import encode_reserve
from pipeline.quality import AnalysedExam
from pipeline.reserve import Reserve, compare_states
from pipeline.types import PatientState
from tests.fakes.exams import PAGE, STAMP, unmoved_analysis, write_small_exam

SETTINGS = ResultsSettings(institution="Test Hospital Node")


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> dict[PatientState, ResultContext]:
    folder = tmp_path_factory.mktemp("pair")
    files = [*write_small_exam(folder), *write_small_exam(folder, "rest")]
    exams = decode_study(files, rules=DEFAULT_ACQUISITION).exams
    return {
        one.exam.state: ResultContext(
            decoded=one, analysis=unmoved_analysis(one.exam), run=STAMP, settings=SETTINGS
        )
        for one in exams
    }


@pytest.fixture(scope="module")
def reserve(contexts: dict[PatientState, ResultContext]) -> Reserve:
    stress, rest = (
        AnalysedExam(exam=contexts[state].decoded.exam, analysis=contexts[state].analysis)
        for state in (PatientState.STRESS, PatientState.REST)
    )
    return compare_states(stress=stress, rest=rest)


@pytest.fixture(scope="module")
def flow(contexts: dict[PatientState, ResultContext]) -> list[ResultObject]:
    return [
        encode_map(
            result.flow.flow_ml_min_g,
            FLOW,
            MapPlace(
                source=context.shown(position),
                images=(context.shown(position),),
                series_source=context.numbering,
                position=position,
            ),
            state=state,
            key=context.key,
            run=STAMP,
            settings=SETTINGS,
        )
        for state, context in contexts.items()
        for position, result in enumerate(context.analysis.slices)
        if result.flow is not None
    ]


@pytest.fixture(scope="module")
def images(
    contexts: dict[PatientState, ResultContext], reserve: Reserve, flow: list[ResultObject]
) -> list[FileDataset]:
    made = encode_reserve(contexts[PatientState.STRESS], contexts[PatientState.REST], reserve, flow)
    assert [one.kind for one in made] == ["reserve"] * 3
    return [dcmread(BytesIO(to_bytes(one))) for one in made]


def test_stored_values_are_the_map(images: list[FileDataset], reserve: Reserve) -> None:
    for image, found in zip(images, reserve.maps, strict=True):
        assert found is not None
        shown = image.pixel_array * float(image.RescaleSlope)
        expected = np.nan_to_num(np.asarray(found.reserve, dtype=np.float64)).clip(0, 64.999)
        assert np.abs(shown - expected).max() <= 0.00101
        assert (expected > 0).sum() > 20


def test_quantity_is_a_code_of_our_own_and_declared(images: list[FileDataset]) -> None:
    for image in images:
        mapping = image.RealWorldValueMappingSequence[0]
        (quantity,) = mapping.QuantityDefinitionSequence
        code = quantity.ConceptCodeSequence[0]
        assert (code.CodeValue, code.CodingSchemeDesignator) == ("MPR", "99PERFNODE")
        declared = image.CodingSchemeIdentificationSequence
        assert [item.CodingSchemeDesignator for item in declared] == ["99PERFNODE"]
        assert mapping.MeasurementUnitsCodeSequence[0].CodeValue == "{ratio}"
        assert mapping.RealWorldValueSlope == float(image.RescaleSlope)


def test_flow_maps_declare_no_codes_of_our_own(flow: list[ResultObject]) -> None:
    assert not any("CodingSchemeIdentificationSequence" in one.dataset for one in flow)


def test_it_lies_where_stress_lies_and_names_both_flow_maps(
    images: list[FileDataset],
    flow: list[ResultObject],
    contexts: dict[PatientState, ResultContext],
) -> None:
    by_uid = {one.dataset.SOPInstanceUID: one.dataset for one in flow}
    for position, image in enumerate(images):
        stress = contexts[PatientState.STRESS].shown(position)
        assert image.ImagePositionPatient == stress.ImagePositionPatient
        items = image.SourceImageSequence
        assert [item.SpatialLocationsPreserved for item in items] == ["YES", "NO"]
        sources = [by_uid[item.ReferencedSOPInstanceUID] for item in items]
        assert ["STRESS" in one.SeriesDescription for one in sources] == [True, False]
        assert {one.InstanceNumber for one in sources} == {position + 1}
        assert len(image.ReferencedSeriesSequence) == 2


def test_one_series_with_its_own_number(images: list[FileDataset]) -> None:
    assert len({image.SeriesInstanceUID for image in images}) == 1
    assert {image.SeriesNumber % 100 for image in images} == {4}
    assert {image.SeriesDescription for image in images} == {"MPR map STRESS/REST [ratio] RESEARCH"}


def test_the_same_exams_give_the_same_bytes(
    contexts: dict[PatientState, ResultContext], reserve: Reserve, flow: list[ResultObject]
) -> None:
    stress, rest = contexts[PatientState.STRESS], contexts[PatientState.REST]
    once, again = (encode_reserve(stress, rest, reserve, flow) for _ in range(2))
    assert [to_bytes(one) for one in once] == [to_bytes(one) for one in again]


def test_a_third_party_finds_no_error(
    images: list[FileDataset], tmp_path: Path, program: Callable[[str], str]
) -> None:
    """The remarks are those of a flow map, and that nobody else knows our codes."""
    path = tmp_path / "reserve.dcm"
    images[0].save_as(path)
    run = subprocess.run(
        [program("dciodvfy"), str(path)], capture_output=True, text=True, check=False
    )
    lines = (run.stdout + run.stderr).splitlines()
    assert "MRImage" in lines
    assert not [line for line in lines if "error" in line.lower()]
    warnings = [line for line in lines if "warning" in line.lower()]
    known = ("Rescale", "Standard Extended", "Coding Scheme")
    assert warnings
    assert not [line for line in warnings if not any(word in line for word in known)]


def test_the_page_of_both_stands_with_the_series_of_stress(
    contexts: dict[PatientState, ResultContext], reserve: Reserve, flow: list[ResultObject]
) -> None:
    stress, rest = contexts[PatientState.STRESS], contexts[PatientState.REST]
    shown = [one.dataset for one in flow]
    made = encode_pair_page(PAGE, stress, rest, reserve, shown)
    image = dcmread(BytesIO(to_bytes(made)))
    assert (image.pixel_array == PAGE).all()
    assert image.SeriesNumber == 100 * int(stress.numbering.SeriesNumber) + 16
    assert image.SeriesDescription == "MBF and MPR summary STRESS/REST RESEARCH"
    assert len(image.SourceImageSequence) == len(flow) == 6
    assert {item.SpatialLocationsPreserved for item in image.SourceImageSequence} == {"NO"}
    again = encode_pair_page(PAGE, stress, rest, reserve, shown)
    assert to_bytes(again) == to_bytes(made)
