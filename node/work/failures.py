"""The news that there is no flow: why, and as a page in the archive."""

from pydicom.dataset import Dataset

from node.settings import Settings
from node.translate import ResultObject, RunStamp, encode_failure_page
from node.work.outcome import Page
from pipeline.findings import Code, Grade
from pipeline.picture import draw_failure_page
from pipeline.types import Analysis
from storage.records import Failure


def failure_of(analysis: Analysis) -> Failure:
    """Return the worst finding of an exam without a flow map as its reason."""
    worst = max(analysis.findings, key=lambda finding: finding.grade, default=None)
    if worst is None or worst.grade is not Grade.FAIL:
        return Failure(code=Code.TECHNICAL_ERROR, text="no flow map was made and no step said why")
    return Failure(code=worst.code, text=worst.sentence)


def draw_failure(failure: Failure, delivered: str, stamp: RunStamp, reference: str) -> Page:
    """Draw the page.

    Parameters
    ----------
    failure
        Why there is no flow.
    delivered
        What was sent nevertheless, in words.
    stamp
        Identity of the computation.
    reference
        Short study reference, to ask about.

    """
    return draw_failure_page(
        code=Code(failure.code),
        text=failure.text,
        reference=reference,
        delivered=delivered,
        footer=f"{stamp.software_version}   |   {stamp.created:%Y-%m-%d %H:%M:%S}",
    )


def encode_failure(
    header: Dataset, page: Page, failure: Failure, stamp: RunStamp, settings: Settings
) -> ResultObject:
    """Return the page as an object with the identity of any image of the study."""
    reason = f"{failure.code} {failure.text}"
    return encode_failure_page(header, page, reason=reason, run=stamp, settings=settings.results)
