"""One study from files to result objects: decode, analyse, draw, encode.

No database and no socket: `perfnode process` and the worker call the same function.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from pydicom.dataset import Dataset

from node.errors import UnusableStudyError
from node.ports import Progress
from node.settings import QuantificationSettings, Settings
from node.translate import (
    DecodedExam,
    DecodedStudy,
    ResultObject,
    RunStamp,
    decode_study,
    encode_exam,
    encode_failure_page,
    find_reference,
)
from node.version import SOFTWARE
from node.work.constants import relaxivity_of, tissue_of, transverse_relaxivity_of
from node.work.networks import TrainedNetworks
from node.work.pairs import compare
from node.work.threads import threads_per_worker
from pipeline.analyse import analyse
from pipeline.findings import Code, Grade
from pipeline.motion import Method
from pipeline.parameters import AnalysisParameters, FermiBounds
from pipeline.picture import Provenance, draw_failure_page, draw_page
from pipeline.quality import AnalysedExam
from pipeline.transfer import move_analysis, move_exam
from pipeline.types import Analysis, Exam, FlowModel
from storage.records import Failure

_DECODING_SHARE = 0.1
_ENCODING_SHARE = 0.05

Page = UInt8[np.ndarray, "row column 3"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputedExam:
    """One bolus run and its result."""

    decoded: DecodedExam
    analysis: Analysis
    page: Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a study became."""

    results: tuple[ResultObject, ...]
    exams: tuple[ComputedExam, ...]
    failure: Failure | None
    failure_page: Page | None


def make_stamp(settings: Settings, created: datetime, trained: TrainedNetworks) -> RunStamp:
    """Return what identifies one computation: time, software, digest of settings and networks.

    Only what changes a result counts; a new port, or the same weights in another folder, makes no
    new result.
    """
    relevant = settings.model_dump(
        mode="json",
        include={"quantification": True, "acquisition": True, "states": True, "results": True},
        # What is left out of a delivery changes nothing in what is delivered.
        exclude={"results": {"objects"}},
    )
    relevant["motion"] = settings.motion.method
    relevant["networks"] = [asdict(stamp) for stamp in trained.stamps]
    digest = hashlib.sha256(json.dumps(relevant, sort_keys=True).encode()).hexdigest()
    return RunStamp(
        created=created,
        software_version=SOFTWARE,
        configuration_digest=digest,
        networks=trained.stamps,
    )


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
        exams = tuple(_compute_exams(decoded, settings, trained, stamp, progress))
    except UnusableStudyError as error:
        failure = Failure(code=error.code, text=error.text)
        return fail_study(files, failure, settings=settings, stamp=stamp, reference=reference)
    return _encode(exams, settings, stamp, reference, progress)


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
    page = _failure_page(failure, "Nothing; the original images are unchanged.", stamp, reference)
    header = find_reference(files)
    results = () if header is None else (_encode_failure(header, page, failure, stamp, settings),)
    return Outcome(results=results, exams=(), failure=failure, failure_page=page)


def parameters_for(
    exam: Exam, settings: QuantificationSettings, *, motion: Method
) -> AnalysisParameters:
    """Return the constants for an exam; what the settings leave open follows field strength.

    Raises
    ------
    UnusableStudyError
        The tables know neither agent nor tissue at this field strength.

    """
    field_strength_t = exam.field_strength_t
    try:
        return AnalysisParameters(
            relaxivity_l_mmol_s=relaxivity_of(settings, field_strength_t),
            transverse_relaxivity_l_mmol_s=transverse_relaxivity_of(settings, field_strength_t),
            tissue=tissue_of(settings, field_strength_t),
            bounds=FermiBounds(
                max_flow_ml_min_g=settings.max_flow_ml_min_g, max_delay_s=settings.max_delay_s
            ),
            motion=motion,
            flow_model=FlowModel(settings.flow_model),
            shares_neighbourhood=settings.spatial_prior,
            with_model_spread=settings.model_spread,
        )
    except ValueError as error:
        remedy = "set relaxivity and both native T1 under quantification in config.yaml"
        raise UnusableStudyError(Code.UNSUPPORTED_SEQUENCE, f"{error}; {remedy}") from error


def choose_device(wanted: str) -> torch.device:
    """Return the device to compute on; `auto` takes a GPU when there is one."""
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(wanted)


def _compute_exams(
    decoded: DecodedStudy,
    settings: Settings,
    trained: TrainedNetworks,
    stamp: RunStamp,
    progress: Progress,
) -> Iterator[ComputedExam]:
    device = choose_device(settings.compute.device)
    n_parallel = threads_per_worker(settings.compute) if device.type == "cpu" else 1
    share = (1.0 - _DECODING_SHARE - _ENCODING_SHARE) / len(decoded.exams)
    finished: list[AnalysedExam] = []
    for position, item in enumerate(decoded.exams):
        exam = move_exam(item.exam, device)
        parameters = parameters_for(
            exam, settings.quantification, motion=Method(settings.motion.method)
        )
        done = _part(progress, _DECODING_SHARE + position * share, share)
        with torch.inference_mode():
            analysis = analyse(
                exam, parameters, trained.networks, progress=done, n_parallel=n_parallel
            )
        analysis = replace(
            move_analysis(analysis, torch.device("cpu")),
            findings=decoded.findings + analysis.findings,
        )
        finished.append(AnalysedExam(exam=item.exam, analysis=analysis))
        analysis = replace(analysis, findings=analysis.findings + compare(finished))
        page = draw_page(item.exam, analysis, _provenance(stamp, settings, analysis))
        yield ComputedExam(decoded=item, analysis=analysis, page=page)


def _encode(
    exams: tuple[ComputedExam, ...],
    settings: Settings,
    stamp: RunStamp,
    reference: str,
    progress: Progress,
) -> Outcome:
    progress("encoding results", 1.0 - _ENCODING_SHARE)
    results: list[ResultObject] = []
    for item in exams:
        results += encode_exam(
            item.decoded, item.analysis, item.page, run=stamp, settings=settings.results
        )
    failed = [item for item in exams if not item.analysis.is_quantified]
    failure, page = None, None
    if failed:
        failure = _failure_of(failed[0].analysis)
        page = _failure_page(failure, "Motion-corrected series.", stamp, reference)
        header = failed[0].decoded.sources.all[0]
        results.append(_encode_failure(header, page, failure, stamp, settings))
    progress("results ready", 1.0)
    return Outcome(
        results=tuple(results),
        exams=exams,
        failure=failure if len(failed) == len(exams) else None,
        failure_page=page,
    )


def _failure_of(analysis: Analysis) -> Failure:
    """Return the worst finding of an exam without a flow map as its reason."""
    worst = max(analysis.findings, key=lambda finding: finding.grade, default=None)
    if worst is None or worst.grade is not Grade.FAIL:
        return Failure(code=Code.TECHNICAL_ERROR, text="no flow map was made and no step said why")
    return Failure(code=worst.code, text=worst.sentence)


def _failure_page(failure: Failure, delivered: str, stamp: RunStamp, reference: str) -> Page:
    return draw_failure_page(
        code=Code(failure.code),
        text=failure.text,
        reference=reference,
        delivered=delivered,
        footer=f"{stamp.software_version}   |   {stamp.created:%Y-%m-%d %H:%M:%S}",
    )


def _encode_failure(
    header: Dataset, page: Page, failure: Failure, stamp: RunStamp, settings: Settings
) -> ResultObject:
    reason = f"{failure.code} {failure.text}"
    return encode_failure_page(header, page, reason=reason, run=stamp, settings=settings.results)


def _provenance(stamp: RunStamp, settings: Settings, analysis: Analysis) -> Provenance:
    methods = sorted({result.motion.method for result in analysis.slices})
    return Provenance(
        software=f"{stamp.software_version} config {stamp.configuration_digest[:8]}",
        created=f"{stamp.created:%Y-%m-%d %H:%M:%S}",
        label=settings.results.research_label,
        motion="; ".join(stamp.describe_motion(name, n_digits=8) for name in methods),
    )


def _part(progress: Progress, start: float, share: float) -> Progress:
    """Return a callback that reports a part of the whole as 0-1."""
    return lambda stage, fraction: progress(stage, start + share * fraction)
