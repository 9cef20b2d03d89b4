"""Reading decoded studies in tests."""

from node.translate import DecodedStudy
from pipeline.findings import Code, Finding, Grade


def noticed(study: DecodedStudy) -> tuple[Finding, ...]:
    """Return the findings of a study but for the note on what the shipped settings assume."""
    return tuple(
        finding
        for finding in study.findings
        if (finding.code, finding.grade) != (Code.UNSUPPORTED_SEQUENCE, Grade.NOTE)
    )
