"""Encoding in tests without drawing: the kinds of objects that every viewer shows."""

from node.settings import ObjectKind, ResultsSettings
from node.translate import (
    DecodedExam,
    ExamPictures,
    ResultContext,
    ResultObject,
    RunStamp,
    encode_exam,
    in_order_of_sending,
)
from pipeline.types import Analysis
from tests.fakes.exams import PAGE, STAMP

PLAIN: tuple[ObjectKind, ...] = ("moco", "flow", "quality", "page")


def encode_plain(
    decoded: DecodedExam,
    analysis: Analysis,
    *,
    run: RunStamp = STAMP,
    settings: ResultsSettings | None = None,
) -> tuple[ResultObject, ...]:
    """Return corrected series, maps and a page that shows nothing."""
    chosen = (settings or ResultsSettings()).model_copy(update={"objects": PLAIN})
    context = ResultContext(decoded=decoded, analysis=analysis, run=run, settings=chosen)
    pictures = ExamPictures(page=PAGE, colour=(), movie=None)
    return in_order_of_sending(encode_exam(context, pictures).results)
