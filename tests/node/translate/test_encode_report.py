"""The report says every number of the analysis once, with unit, place and error, and its basis."""

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from highdicom.sr import MeasurementReport, srread
from pydicom import dcmread
from pydicom.dataset import Dataset

from node.translate import to_bytes
from node.translate.account import Fact, Origin
from node.translate.codes import AHA_SEGMENTS, CodedTerm
from node.translate.encode_report import encode_combined_report, encode_report
from node.translate.report_codes import HEART_RATE, METHODS
from node.translate.reported import ReportedExam
from node.translate.results import ResultObject
from node.translate.tracking import tracking_name
from pipeline.findings import Code, Finding, Grade
from pipeline.regions import TERRITORIES, Layer, RegionFlow, Territory
from pipeline.reserve import Reserve
from pipeline.types import FlowModel, PatientState
from tests.fakes.exams import write_small_exam
from tests.fakes.structured import (
    StructuredExam,
    context_of,
    structured,
    structured_pair,
    with_hole,
)


@pytest.fixture(scope="module")
def pair() -> tuple[StructuredExam, StructuredExam, ResultObject]:
    return structured_pair()


@pytest.fixture(scope="module")
def stress(pair: tuple[StructuredExam, StructuredExam, ResultObject]) -> StructuredExam:
    return pair[0]


@cache
def reread(result: ResultObject) -> Dataset:
    return dcmread(BytesIO(to_bytes(result)))


def groups_of(result: ResultObject) -> list[Dataset]:
    (measurements,) = (
        item
        for item in reread(result).ContentSequence
        if item.ConceptNameCodeSequence[0].CodeValue == "126010"
    )
    return list(measurements.ContentSequence)


def name_of(item: Dataset) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeValue)


def found(group: Dataset, name: str) -> list[Dataset]:
    return [item for item in group.ContentSequence if name_of(item) == name]


def tracked(result: ResultObject) -> dict[str, Dataset]:
    return {str(found(group, "112039")[0].TextValue): group for group in groups_of(result)}


def numbers_of(group: Dataset) -> Mapping[tuple[str, str], float]:
    """Return the numbers of a group by name and derivation."""
    numbers = {}
    for item in (item for item in group.ContentSequence if item.ValueType == "NUM"):
        derivation, error = "", math.nan
        for child in item.get("ContentSequence") or ():
            if name_of(child) == "121401":
                derivation = str(child.ConceptCodeSequence[0].CodeMeaning)
            if name_of(child) == "371884006":
                error = float(child.MeasuredValueSequence[0].NumericValue)
        key = (name_of(item), derivation)
        assert key not in numbers
        numbers[key] = float(item.MeasuredValueSequence[0].NumericValue)
        if math.isfinite(error):
            numbers[key[0], f"{derivation} error"] = error
    return numbers


def expected(region: RegionFlow) -> dict[tuple[str, str], float]:
    flow = region.flow
    numbers = {
        ("126390", "Mean"): flow.mean_ml_min_g,
        ("126390", "Mean error"): flow.standard_error_ml_min_g,
        ("126390", "Standard Deviation"): flow.sd_ml_min_g,
        ("126390", "Median"): flow.median_ml_min_g,
        ("PIXELS", ""): flow.n_pixels,
        ("VALID", ""): 100 * flow.valid_fraction,
    }
    return {key: value for key, value in numbers.items() if math.isfinite(value)}


def test_every_region_has_all_its_numbers(stress: StructuredExam) -> None:
    groups = tracked(stress.reports[0])
    regions = stress.reported.context.analysis.regions
    assert len(regions) == 69  # whole, 3 levels, 3 territories, 16 segments, each in 3 layers
    assert len(groups) == len(regions) + 1
    for region in regions:
        name = tracking_name(region.name, region.layer, region.segment)
        assert numbers_of(groups[name]) == pytest.approx(expected(region), abs=5e-5)


def test_highdicom_reads_the_report(stress: StructuredExam) -> None:
    context = stress.reported.context
    # highdicom takes its time: some segments and the whole wall are enough.
    few = [region for region in context.analysis.regions if region.segment in {None, 3, 9, 16}]
    chosen = tuple(region for region in few if region.layer is Layer.WHOLE)
    smaller = replace(context, analysis=replace(context.analysis, regions=chosen))
    (result,) = encode_report(replace(stress.reported, context=smaller))
    report = srread(BytesIO(to_bytes(result)))
    assert isinstance(report.content, MeasurementReport)
    masked = report.content.get_volumetric_roi_measurement_groups()
    _, segments = stress.reported.segmentations
    for number, group in zip((3, 9, 16), masked, strict=True):
        assert group.tracking_identifier == f"AHA {number}"
        assert group.finding_sites[0].value == AHA_SEGMENTS[number].code
        segment = segments.dataset.SegmentSequence[number - 1]
        assert segment.TrackingUID == group.tracking_uid
        mask = group.referenced_segment
        assert mask.referenced_sop_instance_uid == segments.dataset.SOPInstanceUID
        (number_item, *images) = mask
        assert number_item.referenced_segment_numbers == [number]
        assert len(images) == 1
        assert group.method == METHODS[FlowModel.FERMI].code
    assert len(report.content.get_image_measurement_groups()) == len(chosen) + 1 - 3


def test_a_region_without_a_number_is_no_zero(stress: StructuredExam) -> None:
    context = stress.reported.context
    analysis = with_hole(context.analysis, segment=4)
    holed = structured(replace(context, analysis=analysis))
    numbers = numbers_of(tracked(holed.reports[0])["AHA 4"])
    assert numbers == {("PIXELS", ""): 0.0, ("VALID", ""): 0.0}
    whole = numbers_of(tracked(holed.reports[0])["basal"])
    assert whole["VALID", ""] < 100
    assert whole["126390", "Mean"] > 0


def test_levels_and_territories_are_told_by_their_segments(stress: StructuredExam) -> None:
    groups = tracked(stress.reports[0])
    for name, numbers in (
        ("basal", range(1, 7)),
        *((territory.value, TERRITORIES[territory]) for territory in Territory),
    ):
        sites = [item.ConceptCodeSequence[0].CodeValue for item in found(groups[name], "363698007")]
        assert sites == [AHA_SEGMENTS[number].value for number in numbers]
    (site,) = found(groups["global"], "363698007")
    assert site.ConceptCodeSequence[0].CodeMeaning == "Left Ventricle Myocardium"


def test_layers_are_told_by_a_modifier_of_the_place(stress: StructuredExam) -> None:
    groups = tracked(stress.reports[0])
    for layer, code in (("endocardial", "304059001"), ("epicardial", "261073003")):
        (site,) = found(groups[f"AHA 9 {layer}"], "363698007")
        (modifier,) = site.ContentSequence
        assert modifier.ConceptCodeSequence[0].CodeValue == code
    (site,) = found(groups["AHA 9"], "363698007")
    assert "ContentSequence" not in site


def test_quality_tells_grade_findings_and_actions(stress: StructuredExam) -> None:
    group = tracked(stress.reports[0])["Quality and parameters"]
    (grade,) = found(group, "111101")
    assert grade.ConceptCodeSequence[0].CodeValue == "RID13"
    told = [
        (item.ConceptCodeSequence[0].CodeValue, item.ContentSequence[0].TextValue)
        for item in found(group, "113010")
    ]
    assert [code for code, _ in told] == ["P09", "P03"]
    assert told[0][1].startswith("REVIEW: Slice 2: motion is left. Action: Compare with the")
    numbers = numbers_of(group)
    assert 0 < numbers["126220", "Mean"] < 1
    rr_ms = [
        float(one.NominalInterval) for one in stress.reported.context.decoded.sources.slices[0]
    ]
    assert min(rr_ms) <= 60_000 / numbers[HEART_RATE.value, ""] <= max(rr_ms)


@pytest.mark.parametrize(("heart_rate", "told"), [("71", [71.0]), ("", [])])
def test_without_intervals_the_scanner_may_tell_the_heart_rate(
    stress: StructuredExam, heart_rate: str, told: list[float]
) -> None:
    context = stress.reported.context
    header = Dataset(context.decoded.sources.slices[0][0])
    header.NominalInterval, header.HeartRate = None, heart_rate
    sources = replace(
        context.decoded.sources, slices=((header,), *context.decoded.sources.slices[1:])
    )
    decoded = replace(context.decoded, sources=sources)
    (report,) = encode_report(replace(stress.reported, context=replace(context, decoded=decoded)))
    numbers = numbers_of(tracked(report)["Quality and parameters"])
    assert [value for (name, _), value in numbers.items() if name == HEART_RATE.value] == told


def test_methods_are_told_with_version_and_weights(stress: StructuredExam) -> None:
    group = tracked(stress.reports[0])["Quality and parameters"]
    assert [item.TextValue for item in found(group, "111003")] == ["perfnode 0.1.0"]
    parameters = [item.TextValue for item in found(group, "111002")]
    assert parameters == [
        "model=fermi",
        "motion=identity",
        "outline=bolus",
        "configuration=sha256:" + "0" * 64,
        "anatomy=sha256:" + "1a2b" * 16,
    ]
    for region in groups_of(stress.reports[0]):
        assert len(found(region, "111001")) == len(found(region, "111003")) == 1


def test_what_was_assumed_is_told_apart(stress: StructuredExam) -> None:
    context = stress.reported.context
    facts = (
        Fact(name="flip angle", value="12", unit="deg", origin=Origin.HEADER, detail="Flip Angle"),
        Fact(name="hematocrit", value="42", unit="%", origin=Origin.ASSUMED, detail="usual value"),
    )
    account = replace(context.decoded.account, facts=facts)
    decoded = replace(context.decoded, account=account)
    reported = replace(stress.reported, context=replace(context, decoded=decoded))
    group = tracked(encode_report(reported)[0])["Quality and parameters"]
    assert [item.TextValue for item in found(group, "ASSUMPTION")] == [
        "hematocrit 42 % (assumed: usual value)"
    ]
    told = [item.TextValue for item in found(group, "PARAMETER")]
    assert told[-1] == "flip angle 12 deg (header: Flip Angle)"
    assert str(account.state_origin) in told


@pytest.mark.parametrize("state", PatientState)
def test_state_and_time_point(stress: StructuredExam, state: PatientState) -> None:
    context = stress.reported.context
    other = replace(context, analysis=replace(context.analysis, state=state))
    (report,) = encode_report(replace(stress.reported, context=other))
    codes = {PatientState.STRESS: ["432655005"], PatientState.REST: ["128975004"]}
    for group in groups_of(report):
        (point,) = found(group, "C2348792")
        assert point.TextValue == state.upper()
        told = [item.ConceptCodeSequence[0].CodeValue for item in found(group, "109054")]
        assert told == codes.get(state, [])


def test_the_document_is_unverified_and_answers_the_order(stress: StructuredExam) -> None:
    item = reread(stress.reports[0])
    source = stress.reported.context.decoded.sources.slices[0][0]
    assert (item.Modality, item.SeriesNumber) == ("SR", 1210)
    assert (item.CompletionFlag, item.VerificationFlag, item.PreliminaryFlag) == (
        "COMPLETE",
        "UNVERIFIED",
        "PRELIMINARY",
    )
    assert item.CompletionFlagDescription == "RESEARCH ONLY - NOT FOR DIAGNOSTIC USE"
    (request,) = item.ReferencedRequestSequence
    assert request.AccessionNumber == source.AccessionNumber != ""
    order = source.RequestAttributesSequence[0]
    assert request.RequestedProcedureID == order.RequestedProcedureID != ""
    (scheme,) = item.CodingSchemeIdentificationSequence
    assert scheme.CodingSchemeDesignator == "99PERFNODE"
    (observer,) = (one for one in item.ContentSequence if name_of(one) == "121012")
    assert item.DeviceUID == observer.UID


def test_all_objects_it_speaks_of_are_evidence(stress: StructuredExam) -> None:
    item = reread(stress.reports[0])
    (study,) = item.CurrentRequestedProcedureEvidenceSequence
    named = {
        one.ReferencedSOPInstanceUID
        for series in study.ReferencedSeriesSequence
        for one in series.ReferencedSOPSequence
    }
    referenced = {
        element.value for element in item.iterall() if element.keyword == "ReferencedSOPInstanceUID"
    }
    assert named == referenced
    assert named == {one.SOPInstanceUID for one in stress.reported.evidence}
    assert len(named) == 3 + 1 + 2


def test_codes_of_our_own_are_declared_and_short(stress: StructuredExam) -> None:
    for item in (
        item for item in reread(stress.reports[0]).iterall() if item.keyword == "CodeValue"
    ):
        assert len(item.value) <= 16


def test_every_reason_has_a_code() -> None:
    from node.translate.report_codes import finding_code

    terms = [finding_code(code) for code in Code]
    assert all(len(term.meaning) <= 64 and term.meaning[0].isupper() for term in terms)
    assert terms[8] == CodedTerm("P09", "99PERFNODE", "Residual motion")


def test_a_repeated_run_writes_the_same_bytes(stress: StructuredExam) -> None:
    first, second = (to_bytes(encode_report(stress.reported)[0]) for _ in range(2))
    assert first == second


def test_another_finding_is_another_report(stress: StructuredExam) -> None:
    context = stress.reported.context
    other = replace(context, analysis=replace(context.analysis, findings=()))
    (report,) = encode_report(replace(stress.reported, context=other))
    assert report.dataset.SOPInstanceUID != stress.reports[0].dataset.SOPInstanceUID
    group = tracked(report)["Quality and parameters"]
    assert found(group, "111101")[0].ConceptCodeSequence[0].CodeValue == "RID12"


def test_a_report_without_masks_is_another_report(stress: StructuredExam) -> None:
    """Which objects are made is a matter of choice that no other identifier depends on."""
    (bare,) = encode_report(replace(stress.reported, segmentations=(), parametric=()))
    assert bare.dataset.SOPInstanceUID != stress.reports[0].dataset.SOPInstanceUID
    assert not any(found(group, "121191") for group in groups_of(bare))
    assert numbers_of(tracked(bare)["AHA 9"]) == numbers_of(tracked(stress.reports[0])["AHA 9"])


def test_nothing_measured_no_report(tmp_path: Path) -> None:
    context = context_of(write_small_exam(tmp_path, n_slices=1), has_flow=False)
    assert structured(context).results == ()


def test_the_combined_report_has_both_and_the_reserve(
    pair: tuple[StructuredExam, StructuredExam, ResultObject],
) -> None:
    stress, rest, combined = pair
    groups = groups_of(combined)
    reserve = {
        str(found(group, "112039")[0].TextValue): numbers_of(group)
        for group in groups
        if found(group, "MPR")
    }
    assert len(reserve) == 69 - 3
    assert "AHA 4" not in reserve
    assert reserve["AHA 5"] == {("MPR", ""): 2.5, ("MPR", " error"): 0.25}
    for exam, state in ((stress, "STRESS"), (rest, "REST")):
        own = [
            numbers_of(group)
            for group in groups
            if [point.TextValue for point in found(group, "C2348792")] == [state]
        ]
        assert own == [numbers_of(group) for group in groups_of(exam.reports[0])]


def test_the_combined_report_follows_those_of_each_state(
    pair: tuple[StructuredExam, StructuredExam, ResultObject],
) -> None:
    stress, rest, combined = pair
    item = reread(combined)
    assert item.SeriesNumber == 1217
    (study,) = item.PredecessorDocumentsSequence
    earlier = {
        one.ReferencedSOPInstanceUID
        for series in study.ReferencedSeriesSequence
        for one in series.ReferencedSOPSequence
    }
    assert earlier == {one.dataset.SOPInstanceUID for one in (*stress.reports, *rest.reports)}
    (grade,) = (
        found(group, "111101")[0]
        for group in groups_of(combined)
        if not found(group, "C2348792")
        if found(group, "111101")
    )
    assert grade.ConceptCodeSequence[0].CodeValue == "RID12"


def test_no_reserve_no_combined_report(
    pair: tuple[StructuredExam, StructuredExam, ResultObject],
) -> None:
    stress, rest, _ = pair
    finding = Finding(code=Code.STATE_MISSING, grade=Grade.NOTE, text="No pair.")
    nothing = Reserve(maps=(), regions=(), findings=(finding,))
    none = encode_combined_report(stress.reported, rest.reported, nothing, predecessors=())
    assert none == ()


def test_a_region_in_two_segmentations_is_referred_to_by_neither(stress: StructuredExam) -> None:
    _, segments = stress.reported.segmentations
    doubled = ReportedExam(
        context=stress.reported.context,
        maps=stress.reported.maps,
        segmentations=(segments, segments),
    )
    for group in groups_of(encode_report(doubled)[0]):
        assert not found(group, "121191")
        assert group.ContentTemplateSequence[0].TemplateIdentifier == "1501"
