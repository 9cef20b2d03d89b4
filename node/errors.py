"""Errors of the node.

NodeError
├── ConfigurationError   config.yaml is wrong: names file, line, key, problem and remedy
├── RefusalError         input is wrong: answer, never retry
│   ├── NotDicomError        not a DICOM file, or truncated
│   ├── UnusableStudyError   readable, but no exam can be made of it (carries a reason code)
│   └── PeerRefusedError     the other side said no for good
├── TransientError       disk or network: retry by schedule
└── StartupError         the node cannot start: port in use, data folder read-only, second instance
"""

from pipeline.findings import Code


class NodeError(Exception):
    """Base of everything the node raises on purpose."""


class ConfigurationError(NodeError):
    """config.yaml is wrong."""


class RefusalError(NodeError):
    """The input is wrong; trying again does not help."""


class NotDicomError(RefusalError):
    """Not a DICOM file, or cut short."""


class UnusableStudyError(RefusalError):
    """No exam can be made of the study."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class PeerRefusedError(RefusalError):
    """The destination refused an object for good."""


class TransientError(NodeError):
    """Disk or network trouble that may pass."""


class StartupError(NodeError):
    """The node cannot start."""
