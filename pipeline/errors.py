"""Errors of the pipeline.

PipelineError
└── CannotQuantifyError     the exam has no basis for a flow map: ends with a reason code in PACS
"""

from pipeline.findings import Code


class PipelineError(Exception):
    """Base of everything the pipeline raises on purpose."""


class CannotQuantifyError(PipelineError):
    """The exam, or one slice of it, gives no basis for a flow map."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
