"""How a study is read, told without computing it and without naming anybody.

Nothing here raises for what a study holds: one that cannot be used is explained up to the point
where it fails, with the reason.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from node.errors import UnusableStudyError
from node.ports import Progress
from node.settings import AcquisitionRule, StateRule
from node.translate.account import ExamAccount, Fact, Origin, SeriesAccount, StudyAccount
from node.translate.beats import Grid, make_grid
from node.translate.clock_evidence import ClockEvidence, look_at_clocks
from node.translate.decode import decode_study, read_all_headers
from node.translate.headers import FrameHeader
from node.translate.roles import is_candidate
from node.translate.runs import Run, find_runs
from node.translate.series_account import list_series, split_series
from node.translate.stacks import gather_stacks
from node.translate.values import text_of
from node.translate.vocabulary import Vocabulary, known_words
from pipeline.findings import Code, Finding, Grade

_UID = re.compile(r"\d+(?:\.\d+){3,}")
_NUMBER = re.compile(r"[-+]?\d*\.?\d+(?:e[-+]?\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Everything that can be told of a study before its flow is computed."""

    account: StudyAccount
    words: tuple[str, ...]
    """Of every series, the words of the trade in its description and protocol name."""
    grids: tuple[Grid, ...]
    """One per exam of the account."""
    clocks: tuple[ClockEvidence, ...]
    findings: tuple[Finding, ...]
    problem: Finding | None
    """Why no exam can be made of it."""


def explain_study(
    files: Sequence[Path],
    *,
    rules: Sequence[AcquisitionRule],
    states: Sequence[StateRule],
    progress: Progress | None = None,
) -> Explanation:
    """Return how a study is read.

    Parameters
    ----------
    files
        The files of one study.
    rules, states
        What the configuration says of the protocols of the site.
    progress
        Told the stage and the fraction done.

    Raises
    ------
    TransientError
        A file cannot be opened or read.

    """
    try:
        headers, _ = read_all_headers(files)
    except UnusableStudyError as error:
        return _unusable(StudyAccount(series=(), exams=()), (), error)
    runs = _find_runs(headers, rules, states)
    try:
        decoded = decode_study(files, rules=rules, states=states, progress=progress)
    except UnusableStudyError as error:
        account = StudyAccount(series=list_series(headers, runs), exams=())
        return _unusable(_without_identity(account), headers, error, clocks=_clocks(headers, runs))
    account = _without_identity(decoded.account)
    return Explanation(
        account=account,
        words=_words(headers),
        grids=tuple(make_grid(exam.stacks) for exam in account.exams),
        clocks=_clocks(headers, runs),
        findings=decoded.findings,
        problem=None,
    )


def _unusable(
    account: StudyAccount,
    headers: Sequence[FrameHeader],
    error: UnusableStudyError,
    *,
    clocks: tuple[ClockEvidence, ...] = (),
) -> Explanation:
    return Explanation(
        account=account,
        words=_words(headers),
        grids=(),
        clocks=clocks,
        findings=(),
        problem=Finding(code=Code(error.code), grade=Grade.FAIL, text=error.text),
    )


def _find_runs(
    headers: Sequence[FrameHeader],
    rules: Sequence[AcquisitionRule],
    states: Sequence[StateRule],
) -> tuple[Run, ...]:
    try:
        return find_runs(
            [header for header in headers if is_candidate(header)], rules, states
        ).complete
    except UnusableStudyError:
        return ()


def _words(headers: Sequence[FrameHeader]) -> tuple[str, ...]:
    texts = [
        [
            known_words(text_of(members[0].dataset, keyword))
            for keyword in ("SeriesDescription", "ProtocolName")
        ]
        for members in split_series(headers)
    ]
    return tuple(" / ".join(dict.fromkeys(filter(None, own))) for own in texts)


def _clocks(headers: Sequence[FrameHeader], runs: Sequence[Run]) -> tuple[ClockEvidence, ...]:
    """Look at every time field of the first slice, or of the place with most images."""
    if runs:
        return look_at_clocks(runs[0].slices[0].frames)
    stacks = [stack for members in split_series(headers) for stack in gather_stacks(members)]
    if not stacks:
        return ()
    return look_at_clocks(max(stacks, key=lambda stack: len(stack.frames)).frames)


def _without_identity(account: StudyAccount) -> StudyAccount:
    """Return the account with texts that a header decides masked.

    The account holds none by its making; a private class or a code of its own would be one.
    """
    return StudyAccount(
        series=tuple(_mask_series(series) for series in account.series),
        exams=tuple(_mask_exam(exam) for exam in account.exams),
    )


def _mask_series(series: SeriesAccount) -> SeriesAccount:
    return replace(
        series,
        reason=_UID.sub("private", series.reason),
        transfer_syntax=_UID.sub("private", series.transfer_syntax),
    )


def _mask_exam(exam: ExamAccount) -> ExamAccount:
    return replace(exam, facts=tuple(_mask_fact(fact) for fact in exam.facts))


def _mask_fact(fact: Fact) -> Fact:
    if fact.origin is not Origin.HEADER or _NUMBER.fullmatch(fact.value):
        return fact
    return replace(fact, value=known_words(fact.value, Vocabulary.SETTINGS))
