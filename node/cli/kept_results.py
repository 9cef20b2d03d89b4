"""Results of an evaluation as lines of a file that can be taken up again after a cut."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from node.errors import RefusalError

Kept = TypeVar("Kept")


def read_kept(path: Path, read: Callable[[str], Kept]) -> list[Kept]:
    """Return all results of a file; a last line that was cut off while writing is removed.

    Parameters
    ----------
    path
        The file, a result per line; none where it is not there yet.
    read
        Makes a result of a line.

    Raises
    ------
    RefusalError
        A line is not a result of this version.

    """
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole, encoding="utf-8")
    try:
        return [read(line) for line in whole.splitlines()]
    except ValueError as error:
        raise RefusalError(f"{path}: {error}") from error
