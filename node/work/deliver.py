"""Analysed exams become what goes back to PACS: pictures, objects, news of what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass

from node.settings import Settings
from node.translate import (
    DecodedExam,
    EncodedExam,
    ResultContext,
    ResultObject,
    RunStamp,
    encode_exam,
    encode_pair,
    in_order_of_sending,
)
from node.work.failures import draw_failure, encode_failure, failure_of
from node.work.outcome import ComputedExam, Outcome, Page
from node.work.pairs import find_pair
from node.work.pictures import draw_exam, draw_pair
from pipeline.quality import AnalysedExam
from pipeline.reserve import Reserve, compare_states
from pipeline.types import Analysis
from storage.records import Failure

Exams = Sequence[tuple[DecodedExam, Analysis]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Together:
    """What a stress and a rest exam have together."""

    reserve: Reserve
    page: Page
    results: tuple[ResultObject, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Missing:
    """The news of one exam without flow."""

    failure: Failure
    page: Page
    result: ResultObject


def make_results(exams: Exams, *, settings: Settings, stamp: RunStamp, reference: str) -> Outcome:
    """Draw and encode everything that was found.

    Parameters
    ----------
    exams
        Every bolus run with its analysis, in order of time.
    settings
        The configuration.
    stamp
        Identity of the computation.
    reference
        Short study reference for a failure page.

    """
    computed: list[ComputedExam] = []
    encoded: list[EncodedExam] = []
    for decoded, analysis in exams:
        pictures = draw_exam(decoded, analysis, stamp, settings)
        context = ResultContext(
            decoded=decoded, analysis=analysis, run=stamp, settings=settings.results
        )
        encoded.append(encode_exam(context, pictures))
        computed.append(ComputedExam(decoded=decoded, analysis=analysis, page=pictures.page))
    together = _put_together(exams, encoded, settings, stamp)
    missing = _list_missing(exams, settings, stamp, reference)
    results = [result for one in encoded for result in one.results]
    results += () if together is None else together.results
    results += [one.result for one in missing]
    return Outcome(
        results=in_order_of_sending(results),
        exams=tuple(computed),
        failure=None if any(one.is_quantified for _, one in exams) else missing[0].failure,
        failure_page=missing[0].page if missing else None,
        reserve=None if together is None else together.reserve,
        pair_page=None if together is None else together.page,
    )


def _put_together(
    exams: Exams, encoded: Sequence[EncodedExam], settings: Settings, stamp: RunStamp
) -> _Together | None:
    """Compare stress with rest, where both have flow."""
    pair = find_pair([analysis for _, analysis in exams])
    if pair is None:
        return None
    stress, rest = (exams[index] for index in pair)
    above, below = (
        AnalysedExam(exam=decoded.exam, analysis=analysis) for decoded, analysis in (stress, rest)
    )
    reserve = compare_states(stress=above, rest=below)
    pictures = draw_pair(stress, rest, reserve, stamp, settings)
    results = encode_pair(
        stress=encoded[pair[0]], rest=encoded[pair[1]], reserve=reserve, pictures=pictures
    )
    return _Together(reserve=reserve, page=pictures.page, results=results)


def _list_missing(
    exams: Exams, settings: Settings, stamp: RunStamp, reference: str
) -> list[_Missing]:
    """Return a page for each reason why an exam has no flow."""
    found: dict[Failure, _Missing] = {}
    for decoded, analysis in exams:
        failure = failure_of(analysis)
        if analysis.is_quantified or failure in found:
            continue
        page = draw_failure(failure, "Motion-corrected series.", stamp, reference)
        header = decoded.sources.all[0]
        result = encode_failure(header, page, failure, stamp, settings)
        found[failure] = _Missing(failure=failure, page=page, result=result)
    return list(found.values())
