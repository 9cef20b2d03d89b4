"""One study from files to result objects: decode, analyse, compare, draw, encode.

No database and no socket: `perfnode process` and the worker call the same function.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from node.errors import UnusableStudyError
from node.ports import Progress
from node.settings import Settings
from node.translate import DecodedExam, DecodedStudy, RunStamp, decode_study, find_reference
from node.work.deliver import make_results
from node.work.failures import draw_failure, encode_failure
from node.work.networks import TrainedNetworks
from node.work.outcome import Outcome
from node.work.pairs import compare
from node.work.parameters import choose_device, parameters_for
from node.work.threads import threads_per_worker
from pipeline.analyse import analyse
from pipeline.findings import Code, Finding, Grade
from pipeline.motion import Method
from pipeline.parameters import AnalysisParameters
from pipeline.quality import AnalysedExam
from pipeline.transfer import move_analysis, move_exam
from pipeline.types import Analysis, Exam, ImageSeries
from storage.records import Failure

_DECODING_SHARE = 0.1
_ENCODING_SHARE = 0.1
_USUAL_FIELD_T = 1.5
"""Stands in where nothing is computed from it."""


def compute_study(
    files: Sequence[Path],
    *,
    settings: Settings,
    trained: TrainedNetworks,
    stamp: RunStamp,
    reference: str,
    progress: Progress,
) -> Outcome:
    """Compute every exam of a study.

    Parameters
    ----------
    files
        The instances of one study, in any order.
    settings
        The configuration.
    trained
        Networks that correct motion, see `node.work.networks`.
    stamp
        Identity of this run.
    reference
        Short study reference for a failure page.
    progress
        Told the stage and the fraction done.

    Returns
    -------
    The result objects; a study of which no exam can be made gives its failure page.

    """
    try:
        decoded = decode_study(
            files,
            rules=settings.acquisition,
            states=settings.states,
            progress=_part(progress, 0.0, _DECODING_SHARE),
        )
        exams = tuple(_analyse_exams(decoded, settings, trained, progress))
    except UnusableStudyError as error:
        failure = Failure(code=error.code, text=error.text)
        return fail_study(files, failure, settings=settings, stamp=stamp, reference=reference)
    progress("drawing and encoding results", 1.0 - _ENCODING_SHARE)
    outcome = make_results(exams, settings=settings, stamp=stamp, reference=reference)
    progress("results ready", 1.0)
    return outcome


def fail_study(
    files: Sequence[Path],
    failure: Failure,
    *,
    settings: Settings,
    stamp: RunStamp,
    reference: str,
) -> Outcome:
    """Return a failure page for a study of which nothing else can be made.

    No object goes out when the files carry the identity of more than one patient: it would land
    in the record of either.
    """
    page = draw_failure(failure, "Nothing; the original images are unchanged.", stamp, reference)
    header = find_reference(files)
    results = () if header is None else (encode_failure(header, page, failure, stamp, settings),)
    return Outcome(results=results, exams=(), failure=failure, failure_page=page)


def _analyse_exams(
    decoded: DecodedStudy, settings: Settings, trained: TrainedNetworks, progress: Progress
) -> Iterator[tuple[DecodedExam, Analysis]]:
    """Yield every exam with its analysis, and with what the exams before it say of it."""
    device = choose_device(settings.compute.device)
    n_parallel = threads_per_worker(settings.compute) if device.type == "cpu" else 1
    share = (1.0 - _DECODING_SHARE - _ENCODING_SHARE) / len(decoded.exams)
    finished: list[AnalysedExam] = []
    for position, item in enumerate(decoded.exams):
        known, parameters, lacking = _parameters_of(item.exam, settings)
        exam = move_exam(known, device)
        with torch.inference_mode():
            analysis = analyse(
                exam,
                parameters,
                trained.networks,
                progress=_part(progress, _DECODING_SHARE + position * share, share),
                n_parallel=n_parallel,
            )
        analysis = replace(
            move_analysis(analysis, torch.device("cpu")),
            findings=decoded.findings + lacking + analysis.findings,
        )
        finished.append(AnalysedExam(exam=item.exam, analysis=analysis))
        yield item, replace(analysis, findings=analysis.findings + compare(finished))


def _parameters_of(
    exam: Exam, settings: Settings
) -> tuple[Exam, AnalysisParameters, tuple[Finding, ...]]:
    """Return an exam with its constants; without them, one of which only motion is corrected."""
    method = Method(settings.motion.method)
    try:
        return exam, parameters_for(exam, settings.quantification, motion=method), ()
    except UnusableStudyError as error:
        lacking = Finding(code=Code(error.code), grade=Grade.FAIL, text=f"{error.text}.")
    unread = _without_sequences(exam)
    usual = replace(unread, field_strength_t=_USUAL_FIELD_T)
    return unread, parameters_for(usual, settings.quantification, motion=method), (lacking,)


def _without_sequences(exam: Exam) -> Exam:
    """Return an exam of which no signal can be converted."""

    def bare(series: ImageSeries) -> ImageSeries:
        return replace(series, sequence=None, proton_density=None)

    first, second = (
        None if series is None else bare(series)
        for series in (exam.arterial_input, exam.arterial_second_echo)
    )
    slices = tuple(bare(series) for series in exam.slices)
    return replace(exam, slices=slices, arterial_input=first, arterial_second_echo=second)


def _part(progress: Progress, start: float, share: float) -> Progress:
    """Return a callback that reports a part of the whole as 0-1."""
    return lambda stage, fraction: progress(stage, start + share * fraction)
