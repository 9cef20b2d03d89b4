"""An exam of which everything is measured, with its float map, masks and report."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from node.settings import DEFAULT_ACQUISITION, ResultsSettings
from node.translate import ResultObject, decode_study
from node.translate.context import ResultContext
from node.translate.encode_map import FLOW, MapPlace, encode_map
from node.translate.encode_parametric import encode_parametric
from node.translate.encode_report import encode_combined_report, encode_report
from node.translate.encode_segmentation import encode_segmentations
from node.translate.reported import ReportedExam
from pipeline.findings import Code, Finding, Grade
from pipeline.measure import measure
from pipeline.reserve import RegionReserve, Reserve
from pipeline.types import Analysis
from tests.fakes.exams import STAMP, unmoved_analysis, write_small_exam

FINDINGS = (
    Finding(code=Code.RESIDUAL_MOTION, grade=Grade.REVIEW, text="motion is left.", slice_index=1),
    Finding(code=Code.FEW_SLICES, grade=Grade.NOTE, text="Two slices only."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StructuredExam:
    """One exam and what is made of it."""

    reported: ReportedExam
    reports: tuple[ResultObject, ...]

    @property
    def results(self) -> tuple[ResultObject, ...]:
        """Float map, masks, report."""
        return (*self.reported.parametric, *self.reported.segmentations, *self.reports)


def with_hole(analysis: Analysis, segment: int) -> Analysis:
    """Return an analysis with flow in no pixel of one AHA segment."""
    slices = tuple(
        replace(
            result,
            flow=replace(
                result.flow,
                flow_ml_min_g=torch.where(
                    result.sectors.segment == segment, torch.nan, result.flow.flow_ml_min_g
                ),
            ),
        )
        for result in analysis.slices
        if result.flow is not None and result.sectors is not None
    )
    return replace(analysis, slices=slices, regions=measure(slices))


def context_of(files: Sequence[Path], *, has_flow: bool = True) -> ResultContext:
    """Return an exam with an analysis that moved nothing and found something."""
    decoded = decode_study(files, rules=DEFAULT_ACQUISITION).exams[0]
    analysis = unmoved_analysis(decoded.exam, has_flow=has_flow)
    settings = ResultsSettings(institution="Node Hospital")
    return ResultContext(
        decoded=decoded,
        analysis=replace(analysis, findings=FINDINGS),
        run=STAMP,
        settings=settings,
    )


def flow_maps(context: ResultContext) -> tuple[ResultObject, ...]:
    """Return the classic flow maps."""
    return tuple(
        encode_map(
            result.flow.flow_ml_min_g,
            FLOW,
            MapPlace(
                source=context.shown(position),
                images=(context.shown(position),),
                series_source=context.numbering,
                position=position,
            ),
            state=context.analysis.state,
            key=context.key,
            run=context.run,
            settings=context.settings,
        )
        for position, result in enumerate(context.analysis.slices)
        if result.flow is not None
    )


def structured(context: ResultContext) -> StructuredExam:
    """Return everything that is made of one exam."""
    maps = flow_maps(context)
    reported = ReportedExam(
        context=context,
        maps=maps,
        parametric=encode_parametric(context, maps),
        segmentations=encode_segmentations(context, maps),
    )
    return StructuredExam(reported=reported, reports=encode_report(reported))


@cache
def structured_pair() -> tuple[StructuredExam, StructuredExam, ResultObject]:
    """Return stress, rest and the report of both; one segment has no reserve."""
    with TemporaryDirectory() as folder:
        stress, rest = (
            structured(context_of(write_small_exam(Path(folder) / state, state)))
            for state in ("stress", "rest")
        )
    reserve = Reserve(
        maps=(None, None, None),
        regions=tuple(
            RegionReserve(
                name=region.name,
                layer=region.layer,
                reserve=float("nan") if region.segment == 4 else 2.5,
                standard_error=0.25,
                segment=region.segment,
            )
            for region in stress.reported.context.analysis.regions
        ),
        findings=(Finding(code=Code.STRESS_DOUBTFUL, grade=Grade.NOTE, text="Low reserve."),),
    )
    (combined,) = encode_combined_report(
        stress.reported,
        rest.reported,
        reserve,
        predecessors=(*stress.reports, *rest.reports),
    )
    return stress, rest, combined
