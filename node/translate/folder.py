"""A folder of files sorted into studies, for computing without a network."""

from dataclasses import dataclass
from pathlib import Path

from node.errors import NotDicomError
from node.translate.headers import read_headers


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundStudies:
    """What a folder holds."""

    studies: tuple[tuple[Path, ...], ...]
    """Files of each study."""
    rejected: tuple[tuple[Path, str], ...]
    """Files left out, each with the reason."""


def find_studies(folder: Path) -> FoundStudies:
    """Sort the DICOM files below a folder by study.

    Links and special files are left out: a folder from elsewhere may point anywhere.

    Raises
    ------
    TransientError
        A file cannot be opened or read.

    """
    studies: dict[str, list[Path]] = {}
    rejected: list[tuple[Path, str]] = []
    for path in sorted(folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            continue
        if path.is_symlink() or not path.is_file():
            rejected.append((path, "not a plain file"))
            continue
        try:
            studies.setdefault(read_headers(path)[0].study_uid, []).append(path)
        except NotDicomError as error:
            rejected.append((path, str(error)))
    return FoundStudies(
        studies=tuple(tuple(files) for files in studies.values()), rejected=tuple(rejected)
    )
