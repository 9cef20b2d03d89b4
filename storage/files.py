"""Files that survive a power cut, named by what is in them.

A file is written under a temporary name, hashed while written, synced, renamed to its digest, and
the folder is synced: only then does `keep` return. A name never comes from a peer.
"""

import hashlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from storage.errors import DataFolderError, StorageError, TransientStorageError
from storage.records import StoredFile

INSTANCES = "instances"
RESULTS = "results"
INCOMING = "incoming"
OUTGOING = "outgoing"
"""Half-written results: apart, because the receiver sweeps what it left half received."""
SUFFIX = ".dcm"
PART_SUFFIX = ".part"


class FileStore:
    """The files below one data folder. Safe to share between threads and processes.

    Parameters
    ----------
    data_folder
        Folder of all files; paths handed out are relative to it.
    sync
        Makes an open file or folder durable; `os.fsync`, or a recorder in tests.
    """

    def __init__(self, data_folder: Path, *, sync: Callable[[int], None] = os.fsync) -> None:
        self._root = data_folder
        self._sync = sync

    def keep(
        self, chunks: Iterable[bytes], *, folder: str = INSTANCES, header: bytes = b""
    ) -> StoredFile:
        """Store bytes durably; storing the same bytes again gives the same file.

        Parameters
        ----------
        chunks
            The content that names the file: its SHA-256 is the digest.
        folder
            Folder below the data folder.
        header
            Written before the content but not part of the digest: what this node adds to a
            received data set must not make the same data set look changed after an upgrade.

        Raises
        ------
        TransientStorageError
            If the disk is full, read-only or failing; nothing is left behind.
        """
        with _translated():
            part = self._new_part(INCOMING if folder == INSTANCES else OUTGOING)
            try:
                digest, size_bytes = self._write(part, header, chunks)
                path = f"{folder}/{digest[:2]}/{digest}{SUFFIX}"
                self._publish(part, path, size_bytes)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
        return StoredFile(path=path, sha256=digest, size_bytes=size_bytes)

    def open(self, path: str) -> BinaryIO:
        """Open a stored file for reading.

        Raises
        ------
        TransientStorageError
            If it is missing or cannot be read.
        """
        with _translated():
            return self.absolute(path).open("rb")

    def absolute(self, path: str) -> Path:
        """Return the place of a stored file on this machine.

        Raises
        ------
        StorageError
            If the path would lead out of the data folder.
        """
        relative = PurePosixPath(path)
        if relative.is_absolute() or ".." in relative.parts:
            raise StorageError("a stored path leads out of the data folder")
        return self._root / relative

    def listing(self, folder: str = INSTANCES) -> Iterator[str]:
        """Yield the paths of all complete files of a folder, sorted."""
        for file in sorted((self._root / folder).glob(f"*/*{SUFFIX}")):
            yield file.relative_to(self._root).as_posix()

    def sweep_parts(self) -> int:
        """Delete what a killed process left half written; return how many files.

        Only where no other process is receiving. None of these was ever acknowledged.
        """
        parts = list((self._root / INCOMING).glob(f"*{PART_SUFFIX}"))
        with _translated():
            for part in parts:
                part.unlink(missing_ok=True)
        return len(parts)

    def check_writable(self) -> None:
        """Write, sync and delete a file, to learn at the start what would fail later.

        Raises
        ------
        DataFolderError
            If the data folder cannot be written; names the folder and the remedy.
        """
        try:
            part = self._new_part(INCOMING)
            try:
                self._write(part, b"", [b"perfnode"])
            finally:
                part.unlink()
        except OSError as error:
            raise DataFolderError(
                f"cannot write to the data folder {self._root} ({error.strerror}): "
                "check node.data in the configuration, the rights of the folder and free space"
            ) from error

    def _new_part(self, folder: str) -> Path:
        return self._folder(self._root / folder) / f"{secrets.token_hex(16)}{PART_SUFFIX}"

    def _write(self, part: Path, header: bytes, chunks: Iterable[bytes]) -> tuple[str, int]:
        """Write and sync a new file that only this user can read; return digest and size."""
        digest = hashlib.sha256()
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(header)
            for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            size_bytes = file.tell()
            self._sync(file.fileno())
        return digest.hexdigest(), size_bytes

    def _publish(self, part: Path, path: str, size_bytes: int) -> None:
        """Give a synced file its final name, and sync the name.

        Where the name exists with the same size, the file was synced before it got that name: it
        stays as it is. Its folder is synced all the same, the process that made it may have died
        before that.
        """
        final = self._root / path
        folder = self._folder(final.parent)
        if final.exists() and final.stat().st_size == size_bytes:
            part.unlink()
        else:
            part.replace(final)
        self._sync_folder(folder)

    def _folder(self, folder: Path) -> Path:
        """Return a folder; make it durably if it is missing."""
        if not folder.is_dir():
            parent = self._folder(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
            self._sync_folder(parent)
        return folder

    def _sync_folder(self, folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._sync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _translated() -> Iterator[None]:
    """Turn errors of the operating system into ours; the disk may recover."""
    try:
        yield
    except OSError as error:
        raise TransientStorageError(f"the data folder failed: {error.strerror}") from error
