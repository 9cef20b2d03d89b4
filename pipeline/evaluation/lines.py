"""A result as one line of JSON, and back: what an evaluation keeps, so that it can go on later."""

import json
import math
from dataclasses import asdict, fields
from typing import Any, TypeVar

Kept = TypeVar("Kept")


def write_line(record: Any, *, n_decimals: int) -> str:
    """Return a record (a dataclass) as one line of JSON; numbers are rounded, NaN becomes null."""
    return json.dumps({name: _plain(value, n_decimals) for name, value in asdict(record).items()})


def read_line(kind: type[Kept], line: str) -> Kept:
    """Read a record back.

    Raises
    ------
    ValueError
        When the line is not a record of this version.

    """
    content = json.loads(line)
    expected = {field.name for field in fields(kind)}  # type: ignore[arg-type]  # a dataclass
    if not isinstance(content, dict) or set(content) != expected:
        raise ValueError("not a result of this version; remove the file to start anew")
    return kind(**{name: _rich(value) for name, value in content.items()})


def _plain(value: object, n_decimals: int) -> object:
    if isinstance(value, float):
        return round(value, n_decimals) if math.isfinite(value) else None
    if isinstance(value, tuple):
        return [_plain(entry, n_decimals) for entry in value]
    return value


def _rich(value: Any) -> Any:
    if value is None:
        return math.nan
    if isinstance(value, list):
        return tuple(_rich(entry) for entry in value)
    return value
