"""How good a measured exam is and what it rests on: one group of the report."""

from collections.abc import Iterable, Iterator

import numpy as np
from pydicom.dataset import Dataset

from node.translate.account import Origin
from node.translate.algorithms import flow_algorithm
from node.translate.codes import FIT_QUALITY, NO_UNITS
from node.translate.content import Relation, code_item, container_item, number_item, text_item
from node.translate.context import ResultContext
from node.translate.report_codes import (
    ALGORITHM_PARAMETERS,
    ASSUMPTION,
    BEATS_PER_MINUTE,
    COMMENT,
    DERIVATION,
    FINDING,
    GROUP,
    HEART_RATE,
    IMAGE_QUALITIES,
    IMAGE_QUALITY,
    MEAN,
    PARAMETER,
    QUALITY_ASSESSMENT,
    QUALITY_ISSUE,
    finding_code,
)
from node.translate.report_groups import algorithm_items, state_items, time_point_of, tracking
from node.translate.tracking import QUALITY_NAME
from node.translate.values import number_of
from pipeline.findings import Finding, grade_of
from pipeline.measure import counted_pixels


def quality_group(context: ResultContext) -> bytes:
    """Return grade, findings, fit, heart rate, methods and parameters of an exam."""
    analysis = context.analysis
    items = (
        *tracking(context.key, QUALITY_NAME),
        code_item(Relation.CONTAINS, FINDING, QUALITY_ASSESSMENT),
        *_methods(context),
        time_point_of(analysis.state),
        *_fit(context),
        *_heart_rate(context),
        *state_items(analysis.state),
        *_findings(analysis.findings),
        *_parameters(context),
    )
    return container_item(GROUP, items, template="1501")


def reserve_quality_group(key: str, findings: Iterable[Finding]) -> bytes:
    """Return what was noticed when stress and rest were compared.

    Parameters
    ----------
    key
        Digest of everything both exams were made from.
    findings
        What was noticed.

    """
    items = (
        *tracking(key, QUALITY_NAME),
        code_item(Relation.CONTAINS, FINDING, QUALITY_ASSESSMENT),
        *_findings(tuple(findings)),
    )
    return container_item(GROUP, items, template="1501")


def _methods(context: ResultContext) -> Iterator[bytes]:
    algorithm = flow_algorithm(context)
    yield from algorithm_items(algorithm)
    for parameter in algorithm.parameters:
        yield text_item(Relation.MODIFIER, ALGORITHM_PARAMETERS, parameter)


def _fit(context: ResultContext) -> Iterator[bytes]:
    """Yield the mean fit quality of the pixels that were counted."""
    values = [
        result.flow.fit_quality[counted_pixels(result.sectors)].numpy()
        for result in context.analysis.slices
        if result.flow is not None and result.sectors is not None
    ]
    known = np.concatenate([part[np.isfinite(part)] for part in values] or [np.zeros(0)])
    if len(known):
        mean = code_item(Relation.MODIFIER, DERIVATION, MEAN)
        yield number_item(Relation.CONTAINS, FIT_QUALITY, float(known.mean()), NO_UNITS, (mean,))


def _heart_rate(context: ResultContext) -> Iterator[bytes]:
    """Yield the heart rate that the scanner wrote, where it did.

    The rate of the frames is none: not every scanner takes every beat.
    """
    headers = context.decoded.sources.slices[0]
    known = [rate for rate in map(_rate_1_min, headers) if rate > 0]
    if known:
        rate_1_min = round(float(np.median(known)), 1)
        yield number_item(Relation.CONTAINS, HEART_RATE, rate_1_min, BEATS_PER_MINUTE)


def _rate_1_min(header: Dataset) -> float:
    """Return heart beats per minute at one image by its RR interval; 0 where it is not told."""
    interval_ms = number_of(header, "NominalInterval") or 0.0
    return 60_000.0 / interval_ms if interval_ms > 0 else number_of(header, "HeartRate") or 0.0


def _findings(findings: tuple[Finding, ...]) -> Iterator[bytes]:
    """Yield the grade and every finding: its code, and as properties what it says."""
    yield code_item(Relation.CONTAINS, IMAGE_QUALITY, IMAGE_QUALITIES[grade_of(findings)])
    for finding in findings:
        text = f"{finding.grade.name}: {finding.sentence} Action: {finding.action}"
        sentence = text_item(Relation.PROPERTY, COMMENT, text)
        yield code_item(Relation.CONTAINS, QUALITY_ISSUE, finding_code(finding.code), (sentence,))


def _parameters(context: ResultContext) -> Iterator[bytes]:
    """Yield what the analysis rests on; what nobody said has a name of its own."""
    account = context.decoded.account
    yield text_item(Relation.CONTAINS, PARAMETER, f"clock {account.clock}")
    for fact in (account.state_origin, *account.facts):
        name = ASSUMPTION if fact.origin is Origin.ASSUMED else PARAMETER
        yield text_item(Relation.CONTAINS, name, str(fact))
