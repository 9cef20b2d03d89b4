"""Pages to look at: RGB Secondary Capture, for results and for the news that there are none."""

from collections.abc import Sequence

from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage

from node.descriptions import describe
from node.settings import ResultsSettings
from node.translate.capture import Picture, derive_capture, set_colour_pixels
from node.translate.codes import PERFUSION_ANALYSIS
from node.translate.context import ResultContext
from node.translate.derived import add_sources, describe_series
from node.translate.results import ResultObject, RunStamp
from node.translate.uids import make_uid
from pipeline.reserve import Reserve
from pipeline.types import PatientState

PAGE_OFFSET = 11
FAILURE_OFFSET = 13
PAIR_PAGE_OFFSET = 16


def encode_page(
    page: Picture,
    source: Dataset,
    images: Sequence[Dataset],
    *,
    state: PatientState,
    key: str,
    run: RunStamp,
    settings: ResultsSettings,
) -> ResultObject:
    """Return the summary page of one exam.

    Parameters
    ----------
    page
        The drawn page. Shape `(row, column, 3)`.
    source
        Header that gives identity and numbers the series.
    images
        The result images that are drawn on it.
    state
        State of the patient.
    key
        Digest of everything the exam was made from.
    run
        Identity of the computation.
    settings
        Labels and numbering.

    """
    target = _capture(page, source, PAGE_OFFSET, run=run, settings=settings)
    target.ImageType = ["DERIVED", "SECONDARY", "OTHER", "PERFUSION", "SUMMARY"]
    target.SeriesInstanceUID = make_uid("page series", key)
    target.SOPInstanceUID = make_uid("page", key)
    target.SeriesDescription = describe_series("page", settings=settings, state=state)
    target.DerivationDescription = f"Summary of maps, curves and findings. {run.software_version}"
    add_sources(target, images, PERFUSION_ANALYSIS, preserved=False)
    return ResultObject(kind="page", dataset=target)


def encode_pair_page(
    page: Picture,
    stress: ResultContext,
    rest: ResultContext,
    reserve: Reserve,
    images: Sequence[Dataset],
) -> ResultObject:
    """Return the page of stress, rest and reserve; its series stands with those of stress.

    Parameters
    ----------
    page
        The drawn page. Shape `(row, column, 3)`.
    stress, rest
        Both exams.
    reserve
        What they say together.
    images
        The flow and reserve maps that are drawn on it.

    """
    run, settings = stress.run, stress.settings
    findings = (*stress.analysis.findings, *rest.analysis.findings, *reserve.findings)
    key = run.key(stress.key, rest.key, *(repr(finding) for finding in findings))
    target = _capture(page, stress.numbering, PAIR_PAGE_OFFSET, run=run, settings=settings)
    target.ImageType = ["DERIVED", "SECONDARY", "OTHER", "PERFUSION", "SUMMARY"]
    target.SeriesInstanceUID = make_uid("pair page series", key)
    target.SOPInstanceUID = make_uid("pair page", key)
    target.SeriesDescription = describe_series("pair_page", settings=settings)
    text = "Summary of flow under stress, at rest, and perfusion reserve."
    target.DerivationDescription = f"{text} {run.software_version}"
    add_sources(target, images, PERFUSION_ANALYSIS, preserved=False)
    return ResultObject(kind="page", dataset=target)


def encode_failure_page(
    reference: Dataset, page: Picture, *, reason: str, run: RunStamp, settings: ResultsSettings
) -> ResultObject:
    """Return the page that says why a study has no result.

    The same reason for the same study is the same object, however often it is found.

    Parameters
    ----------
    reference
        Header of any image of the study: gives identity and numbers the series.
    page
        The drawn page. Shape `(row, column, 3)`.
    reason
        Code and text of the failure.
    run
        Identity of the computation.
    settings
        Labels and numbering.

    """
    key = run.key(str(reference.StudyInstanceUID), reason)
    target = _capture(page, reference, FAILURE_OFFSET, run=run, settings=settings)
    target.ImageType = ["DERIVED", "SECONDARY", "OTHER", "PERFUSION", "FAILURE"]
    target.SeriesInstanceUID = make_uid("failure series", key)
    target.SOPInstanceUID = make_uid("failure", key)
    target.SeriesDescription = describe("failure", settings.descriptions)
    target.DerivationDescription = f"Reason why there is no perfusion map. {run.software_version}"
    return ResultObject(kind="failure", dataset=target)


def _capture(
    page: Picture, source: Dataset, offset: int, *, run: RunStamp, settings: ResultsSettings
) -> Dataset:
    target = derive_capture(source, offset, run=run, settings=settings)
    target.SOPClassUID = SecondaryCaptureImageStorage
    set_colour_pixels(target, page)
    return target
