"""Logging of the node: one line per event, constant message plus fields, no identity.

Fields go into `extra={"fields": {...}}` through `event`; control characters are escaped so that
a peer cannot write lines of its own.
"""

import logging
import sys
from datetime import datetime
from typing import Any

_FORMAT = "{time} {level:<7} {name}: {message}{fields}"


def event(logger: logging.Logger, level: int, message: str, **fields: Any) -> None:
    """Log one event: a constant message and its fields.

    Parameters
    ----------
    logger
        Where from.
    level
        `logging.INFO` and so on.
    message
        Constant text.
    fields
        What varies. Never a name, birth date, patient ID or raw UID.

    """
    logger.log(level, message, extra={"fields": fields})


def set_up_logging(level: str, process: str) -> None:
    """Send the log of this process to standard error.

    Parameters
    ----------
    level
        `debug`, `info` or `warning`.
    process
        Name of the process, shown on every line.

    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_LineFormatter(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("perfnode").setLevel(level.upper())
    # Both libraries write identifiers of peers and patients at info level.
    logging.getLogger("pynetdicom").setLevel(logging.ERROR)
    logging.getLogger("pydicom").setLevel(logging.ERROR)


class _LineFormatter(logging.Formatter):
    """`time level process: message key=value ...` on one physical line."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", {})
        text = _FORMAT.format(
            time=datetime.fromtimestamp(record.created).isoformat(" ", "milliseconds"),
            level=record.levelname.lower(),
            name=self._process,
            message=record.getMessage(),
            fields="".join(f" {key}={value}" for key, value in fields.items()),
        )
        if record.exc_info:
            text += " | " + self.formatException(record.exc_info)
        return text.encode("unicode_escape").decode("ascii")
