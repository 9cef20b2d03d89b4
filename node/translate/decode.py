"""Files of one study in, identity-free exams out."""

from collections.abc import Callable, Sequence
from pathlib import Path

from pydicom.uid import MRImageStorage

from node.errors import NotDicomError, UnusableStudyError
from node.ports import Progress
from node.settings import AcquisitionRule, StateRule
from node.translate.account import StudyAccount
from node.translate.assemble import assemble_exam
from node.translate.exams import DecodedExam, DecodedStudy
from node.translate.headers import FrameHeader, read_headers
from node.translate.multi_frame import MULTI_FRAME_CLASSES
from node.translate.roles import is_candidate
from node.translate.runs import Run, find_runs
from node.translate.series_account import list_series
from pipeline.findings import Code, Finding, Grade

_MR_CLASSES = MULTI_FRAME_CLASSES | {MRImageStorage}
_HEADER_SHARE = 0.5


def decode_study(
    files: Sequence[Path],
    *,
    rules: Sequence[AcquisitionRule],
    states: Sequence[StateRule] = (),
    progress: Progress | None = None,
) -> DecodedStudy:
    """Read the bolus runs of one study.

    Order and repetition of the files do not matter. A run that cannot be used is left out with
    a finding as long as another one can.

    Parameters
    ----------
    files
        The files of one study; other than perfusion images are passed over.
    rules
        Acquisition rules of the configuration.
    states
        What the names of the site say about stress and rest.
    progress
        Told the stage and the fraction done.

    Raises
    ------
    UnusableStudyError
        No exam can be made of the study.
    TransientError
        A file cannot be opened or read.

    """
    report = progress or _stay_silent
    headers, findings = read_all_headers(files, report)
    _require_one_subject(headers)
    images = [header for header in headers if header.sop_class_uid in _MR_CLASSES]
    runs = find_runs([image for image in images if is_candidate(image)], rules, states)
    exams, problems = _assemble(runs.complete, rules, report)
    findings += runs.findings
    for run in runs.complete:
        findings += run.findings
    account = StudyAccount(
        series=list_series(headers, runs.complete), exams=tuple(item.account for item in exams)
    )
    # Exams of one protocol share its remarks.
    once = tuple(dict.fromkeys((*findings, *problems)))
    return DecodedStudy(exams=exams, findings=once, account=account)


def _stay_silent(stage: str, fraction: float) -> None:
    """Report to nobody."""


def read_all_headers(
    paths: Sequence[Path], progress: Progress | None = None
) -> tuple[list[FrameHeader], list[Finding]]:
    """Return all headers, one per image, and what was noticed.

    Raises
    ------
    UnusableStudyError
        No file is a readable image.
    TransientError
        A file cannot be opened or read.

    """
    report = progress or _stay_silent
    headers: dict[str, FrameHeader] = {}
    n_unreadable = 0
    files = sorted(set(paths))
    for position, path in enumerate(files):
        report("reading headers", _HEADER_SHARE * position / len(files))
        try:
            found = read_headers(path)
        except NotDicomError:
            n_unreadable += 1
            continue
        for header in found:
            headers.setdefault(header.key, header)
    if not headers:
        raise UnusableStudyError(
            Code.NO_PERFUSION_SERIES, f"None of {len(files)} files is a readable DICOM image."
        )
    return list(headers.values()), _note_unreadable(n_unreadable, len(files))


def _note_unreadable(n_unreadable: int, n_files: int) -> list[Finding]:
    if n_unreadable == 0:
        return []
    return [
        Finding(
            code=Code.INCOMPLETE_TRANSFER,
            grade=Grade.REVIEW,
            text=f"{n_unreadable} of {n_files} files are not DICOM or damaged.",
        )
    ]


def _require_one_subject(headers: Sequence[FrameHeader]) -> None:
    """Refuse images of several studies, or of several patients under one study UID.

    Reason P14: which images are whose can only be found out by people, not by sending again.
    """
    if len({header.study_uid for header in headers}) > 1:
        raise UnusableStudyError(
            Code.TECHNICAL_ERROR, "The files belong to more than one study; give one at a time."
        )
    if len({header.patient_digest for header in headers}) > 1:
        raise UnusableStudyError(
            Code.TECHNICAL_ERROR,
            "Images of two patients came under one study UID (patient ID, name or birth date "
            "differ); nothing was computed.",
        )


def _assemble(
    runs: Sequence[Run], rules: Sequence[AcquisitionRule], report: Progress
) -> tuple[tuple[DecodedExam, ...], list[Finding]]:
    exams: list[DecodedExam] = []
    findings: list[Finding] = []
    errors: list[UnusableStudyError] = []
    for position, run in enumerate(runs):
        share = (1.0 - _HEADER_SHARE) / len(runs)
        try:
            exam, remarks = assemble_exam(
                run, rules, _part(report, _HEADER_SHARE + position * share, share)
            )
        except UnusableStudyError as error:
            errors.append(error)
            continue
        exams.append(exam)
        findings += remarks
    if not exams:
        raise errors[0]
    findings += [Finding(code=e.code, grade=Grade.FAIL, text=e.text) for e in errors]
    return tuple(exams), findings


def _part(report: Progress, start: float, share: float) -> Callable[[str, float], None]:
    return lambda stage, fraction: report(stage, start + share * fraction)
