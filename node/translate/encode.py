"""Everything that goes back to PACS for one exam, and for a stress and a rest exam together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from node.settings import ObjectKind
from node.translate.capture import Picture
from node.translate.context import ResultContext
from node.translate.encode_colour import encode_colour_maps
from node.translate.encode_document import encode_document
from node.translate.encode_map import FLOW, QUALITY, MapKind, MapPlace, encode_map
from node.translate.encode_movie import encode_movie
from node.translate.encode_page import encode_page, encode_pair_page
from node.translate.encode_parametric import encode_parametric
from node.translate.encode_report import encode_combined_report, encode_report
from node.translate.encode_reserve import encode_reserve
from node.translate.encode_segmentation import encode_segmentations
from node.translate.encode_series import ARTERIAL_INPUT_OFFSET, SLICE_OFFSET, encode_corrected
from node.translate.reported import ReportedExam
from node.translate.results import ResultKind, ResultObject
from pipeline.picture.movie import Movie
from pipeline.reserve import Reserve
from pipeline.types import FlowMap

_URGENT_FIRST: tuple[ResultKind, ...] = (
    "flow",
    "reserve",
    "page",
    "colour",
    "report",
    "segmentation",
    "parametric",
    "document",
    "quality",
    "moco",
    "movie",
    "failure",
)
"""The order of sending: what a reader waits for goes first, what is large goes last."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExamPictures:
    """What was drawn of one exam; None where it was not asked for."""

    page: Picture
    colour: tuple[Picture | None, ...]
    """One for each slice; None also where it has no map."""
    movie: Movie | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairPictures:
    """What was drawn of a stress and a rest exam together."""

    page: Picture
    colour: tuple[Picture | None, ...]
    """Reserve, one for each stress slice; None where it has no map."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EncodedExam:
    """The results of one exam, and what results of both exams refer to."""

    reported: ReportedExam
    reports: tuple[ResultObject, ...]
    results: tuple[ResultObject, ...]


def encode_exam(context: ResultContext, pictures: ExamPictures) -> EncodedExam:
    """Return the chosen results of one exam.

    What the analysis lacks is left out: without flow only corrected series, page and movie go out.

    Parameters
    ----------
    context
        The exam, its analysis, and which objects are made.
    pictures
        What was drawn of it.

    """
    corrected = _encode_corrected(context)
    series = tuple(image for group in corrected for image in group)
    maps = _encode_maps(context, corrected, FLOW)
    reported = ReportedExam(
        context=context,
        maps=maps,
        parametric=encode_parametric(context, maps) if wants(context, "parametric") else (),
        segmentations=encode_segmentations(context, maps) if wants(context, "segmentation") else (),
    )
    reports = encode_report(reported) if wants(context, "report") else ()
    results = (
        *maps,
        *_encode_maps(context, corrected, QUALITY),
        *reported.parametric,
        *reported.segmentations,
        *reports,
        *_encode_pictures(context, pictures, maps, series),
        *series,
    )
    chosen = tuple(result for result in results if wants(context, result.kind))
    return EncodedExam(reported=reported, reports=reports, results=chosen)


def encode_pair(
    *, stress: EncodedExam, rest: EncodedExam, reserve: Reserve, pictures: PairPictures
) -> tuple[ResultObject, ...]:
    """Return the chosen results that a stress and a rest exam have together.

    Parameters
    ----------
    stress, rest
        The results of each.
    reserve
        What they say together.
    pictures
        What was drawn of both.

    """
    above, below = stress.reported.context, rest.reported.context
    flow = (*stress.reported.maps, *rest.reported.maps)
    maps = encode_reserve(above, below, reserve, flow)
    shown = [one.dataset for one in (*flow, *maps)]
    results = [*maps]
    if shown:
        results.append(encode_pair_page(pictures.page, above, below, reserve, shown))
    if wants(above, "colour"):
        results += encode_colour_maps(above, pictures.colour, maps)
    if wants(above, "report"):
        predecessors = (*stress.reports, *rest.reports)
        results += encode_combined_report(
            stress.reported, rest.reported, reserve, predecessors=predecessors
        )
    return tuple(result for result in results if wants(above, result.kind))


def in_order_of_sending(results: Iterable[ResultObject]) -> tuple[ResultObject, ...]:
    """Return results with what a reader waits for first."""
    return tuple(sorted(results, key=lambda result: _URGENT_FIRST.index(result.kind)))


def wants(context: ResultContext, kind: ObjectKind | ResultKind) -> bool:
    """Whether a kind of object is made at all."""
    return kind in context.settings.objects


def _encode_corrected(context: ResultContext) -> list[tuple[ResultObject, ...]]:
    """Return the corrected frames of each slice, and of the arterial input if there is one."""
    analysis, sources = context.analysis, context.decoded.sources
    groups = [
        (headers, result.motion, SLICE_OFFSET)
        for headers, result in zip(sources.slices, analysis.slices, strict=True)
    ]
    if analysis.arterial_motion is not None:
        groups.append((sources.arterial_input, analysis.arterial_motion, ARTERIAL_INPUT_OFFSET))
    return [
        encode_corrected(
            headers,
            motion,
            offset=offset,
            key=context.key,
            run=context.run,
            settings=context.settings,
        )
        for headers, motion, offset in groups
    ]


def _encode_maps(
    context: ResultContext, corrected: Sequence[tuple[ResultObject, ...]], kind: MapKind
) -> tuple[ResultObject, ...]:
    """Return the maps of one kind of all slices that have flow."""
    n_slices = len(context.analysis.slices)
    arterial = [image for group in corrected[n_slices:] for image in group]
    return tuple(
        encode_map(
            result.flow.flow_ml_min_g if kind is FLOW else result.flow.fit_quality,
            kind,
            MapPlace(
                source=context.shown(position),
                images=tuple(image.dataset for image in (*corrected[position], *arterial)),
                series_source=context.numbering,
                position=position,
                method=_method_of(context, result.flow),
            ),
            state=context.analysis.state,
            key=context.key,
            run=context.run,
            settings=context.settings,
        )
        for position, result in enumerate(context.analysis.slices)
        if result.flow is not None
    )


def _method_of(context: ResultContext, flow: FlowMap) -> str:
    """Return how flow was found: the tissue model, the arterial input, and what was assumed."""
    found = context.analysis.arterial_input
    source = "none" if found is None else found.source
    assumed = "; ".join(fact.brief for fact in context.decoded.account.assumptions)
    return f"Model: {flow.model}. Arterial input: {source}. Assumed: {assumed or 'nothing'}."


def _encode_pictures(
    context: ResultContext,
    pictures: ExamPictures,
    maps: tuple[ResultObject, ...],
    series: tuple[ResultObject, ...],
) -> list[ResultObject]:
    findings = (repr(finding) for finding in context.analysis.findings)
    shown = maps or series
    results = [
        encode_page(
            pictures.page,
            context.numbering,
            [result.dataset for result in shown],
            state=context.analysis.state,
            key=context.run.key(context.key, *findings),
            run=context.run,
            settings=context.settings,
        )
    ]
    if wants(context, "colour"):
        results += encode_colour_maps(context, pictures.colour, maps)
    if pictures.movie is not None:
        results.append(encode_movie(context, pictures.movie))
    if wants(context, "document"):
        results.append(encode_document(context, [pictures.page], shown))
    return results
