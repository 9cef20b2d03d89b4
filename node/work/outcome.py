"""What became of a study."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from node.translate import DecodedExam, ResultObject
from pipeline.reserve import Reserve
from pipeline.types import Analysis
from storage.records import Failure

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
    """Why there is no flow map at all."""
    failure_page: Page | None
    reserve: Reserve | None = None
    """What stress and rest say together; None where one of them is missing."""
    pair_page: Page | None = None
