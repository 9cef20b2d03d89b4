"""Everything that goes back to PACS for one exam."""

from collections.abc import Iterable, Sequence

from pydicom.dataset import Dataset

from node.settings import ResultsSettings
from node.translate.encode_map import FLOW, QUALITY, MapPlace, encode_map
from node.translate.encode_page import Page, encode_page
from node.translate.encode_series import ARTERIAL_INPUT_OFFSET, SLICE_OFFSET, encode_corrected
from node.translate.exams import DecodedExam
from node.translate.results import ResultObject, RunStamp
from node.translate.values import number_of, source_key
from pipeline.types import Analysis


def encode_exam(
    decoded: DecodedExam,
    analysis: Analysis,
    page: Page,
    *,
    run: RunStamp,
    settings: ResultsSettings,
) -> tuple[ResultObject, ...]:
    """Return corrected series, maps and summary page of one exam.

    What the analysis lacks is left out: without flow only corrected series and the page go out.

    Parameters
    ----------
    decoded
        The exam and the headers it came from.
    analysis
        Its analysis, slices in the same order.
    page
        The drawn page. Shape `(row, column, 3)`, RGB.
    run
        Identity of the computation.
    settings
        Labels and numbering.

    """
    key = run.key(*(source_key(header) for header in decoded.sources.all))
    corrected = _encode_slices(decoded, analysis, key, run, settings)
    arterial = _encode_arterial_input(decoded, analysis, key, run, settings)
    maps = _encode_maps(decoded, analysis, (corrected, arterial), key, run, settings)
    series = [image for group in (*corrected, arterial) for image in group]
    summary = encode_page(
        page,
        _numbering(decoded),
        [result.dataset for result in (maps or series)],
        state=analysis.state,
        key=run.key(key, *(repr(finding) for finding in analysis.findings)),
        run=run,
        settings=settings,
    )
    # In the order of sending: what a reader waits for goes first.
    return (*maps, summary, *series)


def _encode_slices(
    decoded: DecodedExam, analysis: Analysis, key: str, run: RunStamp, settings: ResultsSettings
) -> list[tuple[ResultObject, ...]]:
    return [
        encode_corrected(
            sources, result.motion, offset=SLICE_OFFSET, key=key, run=run, settings=settings
        )
        for sources, result in zip(decoded.sources.slices, analysis.slices, strict=True)
    ]


def _encode_arterial_input(
    decoded: DecodedExam, analysis: Analysis, key: str, run: RunStamp, settings: ResultsSettings
) -> tuple[ResultObject, ...]:
    if analysis.arterial_motion is None:
        return ()
    return encode_corrected(
        decoded.sources.arterial_input,
        analysis.arterial_motion,
        offset=ARTERIAL_INPUT_OFFSET,
        key=key,
        run=run,
        settings=settings,
    )


def _encode_maps(
    decoded: DecodedExam,
    analysis: Analysis,
    images: tuple[Sequence[tuple[ResultObject, ...]], tuple[ResultObject, ...]],
    key: str,
    run: RunStamp,
    settings: ResultsSettings,
) -> tuple[ResultObject, ...]:
    """Return the flow maps of all slices, then the fit-quality maps."""
    corrected, arterial = images
    found = [
        (
            result.flow,
            _place(decoded, position, result.motion.reference, (*corrected[position], *arterial)),
        )
        for position, result in enumerate(analysis.slices)
        if result.flow is not None
    ]
    return tuple(
        encode_map(
            flow.flow_ml_min_g if kind is FLOW else flow.fit_quality,
            kind,
            place,
            state=analysis.state,
            key=key,
            run=run,
            settings=settings,
        )
        for kind in (FLOW, QUALITY)
        for flow, place in found
    )


def _place(
    decoded: DecodedExam, position: int, reference: int, images: Iterable[ResultObject]
) -> MapPlace:
    """Return where a map belongs; its time is that of the beat whose geometry it shows."""
    return MapPlace(
        source=decoded.sources.slices[position][reference],
        images=tuple(image.dataset for image in images),
        series_source=_numbering(decoded),
        position=position,
    )


def _numbering(decoded: DecodedExam) -> Dataset:
    """Return the slice header with the smallest series number: it numbers shared series."""
    first_frames = [sources[0] for sources in decoded.sources.slices]
    return min(first_frames, key=lambda header: number_of(header, "SeriesNumber") or 0)
