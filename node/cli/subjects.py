"""What a command is about: a study that this node received, or studies in a folder."""

from datetime import datetime
from pathlib import Path

from node.cli.console import DEFAULT_CONFIG, ERR
from node.configuration import load_settings
from node.errors import RefusalError
from node.settings import Settings
from storage.catalogue import Catalogue
from storage.database import open_database
from storage.files import FileStore


def settings_or_shipped(config: Path) -> Settings:
    """Return the configuration; the shipped one where none was named and none is here.

    Raises
    ------
    ConfigurationError
        The file has a mistake, or the named one is missing.

    """
    is_wanted = config.exists() or config != DEFAULT_CONFIG
    return load_settings(config) if is_wanted else Settings()


def find_subject(subject: str, settings: Settings) -> dict[str, tuple[Path, ...]]:
    """Return the files of every study that is meant, under a title without identity.

    Parameters
    ----------
    subject
        A study reference, or a folder.
    settings
        The configuration.

    Raises
    ------
    RefusalError
        There is no such study or folder, or no study is in it.
    StorageError
        The tables cannot be read.

    """
    folder = Path(subject)
    return _in_folder(folder) if folder.is_dir() else {subject: _received(subject, settings)}


def _in_folder(folder: Path) -> dict[str, tuple[Path, ...]]:
    """Return the studies of a folder; its name may be that of a patient, so it is not the title."""
    from node.translate import find_studies  # brings the numerical libraries

    found = find_studies(folder)
    if found.rejected:
        ERR.print(f"{len(found.rejected)} files are left out: not DICOM, or damaged")
    if not found.studies:
        raise RefusalError("no DICOM study was found in the folder")
    return {f"study {number}": files for number, files in enumerate(found.studies, start=1)}


def _received(reference: str, settings: Settings) -> tuple[Path, ...]:
    from node.work.outgoing import accepted_files  # brings the numerical libraries

    if not (settings.node.data).is_dir():
        raise RefusalError(f"{reference} is no folder, and there is no data folder to look it up")
    database = open_database(settings.node.data)
    try:
        catalogue = Catalogue(database, datetime.now)
        study = catalogue.find_study(reference)
        if study is None:
            raise RefusalError(
                f"{reference} is neither a folder nor a study reference; see: perfnode studies"
            )
        return accepted_files(catalogue, FileStore(settings.node.data), study.id)
    finally:
        database.close()
