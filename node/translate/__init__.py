"""DICOM on one side, plain values on the other: the only room that knows DICOM keywords.

Reading. `decode_study` reads the header of every image (`headers`, `multi_frame`, `vendors`), puts
images together by place (`stacks`, `interleaved`) and into series (`series`), recognises bolus runs
(`runs`, `roles`, `refusals`), stress and rest (`states`, `proposals`), the arterial input
(`selection`) and series of proton density (`density_series`), finds the field that counts beats
(`clock`, `time_sources`, `timed`), reads pixels (`pixels`; compressed ones by `fragments` and
`codecs`, all on their `scale`), sees the proton-density frames
(`density_frames`, `proton_density`), joins header and configuration (`acquisition`) to a sequence
(`sequences`) and puts the exam together (`assemble`). What comes out (`exams`) is an exam without
identity, beside the headers it came from, and says how it was read (`account`, `exam_account`,
`series_account`; `explain` tells it, with `beats` and `clock_evidence`). `find_studies` sorts a
folder (`folder`). `survey` describes headers of any kind (`survey_values`, `survey_private`); what
both may tell of free text is in `vocabulary`.

Writing. `encode_exam` makes corrected series (`encode_series`), maps (`encode_map`) and a page
(`encode_page`) from a white list of the source (`derived`, `copying`), with identifiers that follow
from the input (`uids`), coded terms (`codes`) and equipment (`equipment`); `to_bytes` gives the
file (`results`). What no longer holds is taken back by `encode_retraction`, and comes again under
other identifiers (`renew`). `read_result` reads one back from an archive.
"""

from node.translate.context import ResultContext
from node.translate.decode import decode_study
from node.translate.encode import (
    EncodedExam,
    ExamPictures,
    PairPictures,
    encode_exam,
    encode_pair,
    in_order_of_sending,
)
from node.translate.encode_page import encode_failure_page
from node.translate.exams import DecodedExam, DecodedStudy, Sources
from node.translate.folder import FoundStudies, find_studies
from node.translate.headers import find_reference
from node.translate.read_result import ReceivedResult, read_result
from node.translate.results import (
    NetworkStamp,
    ResultObject,
    RunStamp,
    to_bytes,
)

__all__ = [
    "DecodedExam",
    "DecodedStudy",
    "EncodedExam",
    "ExamPictures",
    "FoundStudies",
    "NetworkStamp",
    "PairPictures",
    "ReceivedResult",
    "ResultContext",
    "ResultObject",
    "RunStamp",
    "Sources",
    "decode_study",
    "encode_exam",
    "encode_failure_page",
    "encode_pair",
    "find_reference",
    "find_studies",
    "in_order_of_sending",
    "read_result",
    "to_bytes",
]
