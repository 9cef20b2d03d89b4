"""What `keep` returned survives a power cut: the order of syncs and names is checked."""

import errno
import hashlib
import os
import resource
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.errors import DataFolderError, StorageError, TransientStorageError
from storage.files import RESULTS, FileStore


class RecordingSync:
    """Notes what is synced, and which complete files are visible at that moment."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.calls: list[tuple[str, int]] = []

    def __call__(self, descriptor: int) -> None:
        os.fsync(descriptor)
        target = Path(f"/proc/self/fd/{descriptor}").readlink()
        name = "part" if target.suffix == ".part" else target.relative_to(self.root).as_posix()
        self.calls.append((name, len(list(self.root.glob("instances/*/*.dcm")))))


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@settings(max_examples=30, deadline=None)
@given(chunks=st.lists(st.binary(max_size=200), max_size=5), header=st.binary(max_size=200))
def test_a_file_holds_header_and_content_and_is_named_by_content(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[bytes], header: bytes
) -> None:
    store = FileStore(tmp_path_factory.mktemp("data"))
    content = b"".join(chunks)
    stored = store.keep(chunks, header=header)
    with store.open(stored.path) as file:
        assert file.read() == header + content
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    assert stored.path == f"instances/{stored.sha256[:2]}/{stored.sha256}.dcm"
    assert stored.size_bytes == len(header + content)
    assert store.keep([content], header=header) == stored
    assert list(store.listing()) == [stored.path]


def test_bytes_are_synced_before_the_name_and_the_name_before_the_return(tmp_path: Path) -> None:
    sync = RecordingSync(tmp_path)
    store = FileStore(tmp_path, sync=sync)
    folder = Path(store.keep([b"a"]).path).parent.as_posix()
    assert sync.calls == [
        (".", 0),  # the new folder of temporary files
        ("part", 0),  # the bytes, not yet visible
        (".", 0),  # the new folder `instances`
        ("instances", 0),  # the new folder of the digest
        (folder, 1),  # the name
    ]
    sync.calls.clear()
    store.keep([b"a"])
    assert sync.calls == [("part", 1), (folder, 1)]


def test_nothing_has_its_final_name_when_syncing_the_bytes_fails(tmp_path: Path) -> None:
    def fail_on_files(descriptor: int) -> None:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(TransientStorageError, match="Input/output error"):
        FileStore(tmp_path, sync=fail_on_files).keep([b"a"])
    assert files_below(tmp_path) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
def test_a_full_or_read_only_disk_is_transient_and_leaves_nothing(
    tmp_path: Path, code: int
) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"a"
        raise OSError(code, os.strerror(code))

    with pytest.raises(TransientStorageError):
        FileStore(tmp_path).keep(chunks())
    assert files_below(tmp_path) == []
    assert FileStore(tmp_path).keep([b"a"]).size_bytes == 1


def test_the_operating_system_refusing_to_write_is_transient(tmp_path: Path) -> None:
    """A limit on file size makes the kernel refuse for real."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(TransientStorageError, match="File too large"):
            FileStore(tmp_path).keep([b"x" * 2000])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files_below(tmp_path) == []


def test_a_damaged_file_of_another_size_is_replaced(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    stored = store.keep([b"abc"])
    store.absolute(stored.path).write_bytes(b"")
    assert store.keep([b"abc"]) == stored
    assert store.absolute(stored.path).read_bytes() == b"abc"


def test_files_are_private(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    path = store.absolute(store.keep([b"a"]).path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_half_written_files_are_swept_and_complete_ones_stay(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    stored = store.keep([b"a"])
    (tmp_path / "incoming" / "dead.part").write_bytes(b"half")
    assert store.sweep_parts() == 1
    assert store.sweep_parts() == 0
    assert list(store.listing()) == [stored.path]


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "instances/../../x"])
def test_no_path_leads_out_of_the_data_folder(tmp_path: Path, path: str) -> None:
    with pytest.raises(StorageError, match="out of the data folder"):
        FileStore(tmp_path).absolute(path)


def test_a_missing_file_is_an_error_of_storage(tmp_path: Path) -> None:
    with pytest.raises(TransientStorageError):
        FileStore(tmp_path).open("instances/aa/missing.dcm")


def test_results_have_their_own_folder(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    stored = store.keep([b"page"], folder="results")
    assert stored.path.startswith("results/")
    assert list(store.listing()) == []
    assert list(store.listing("results")) == [stored.path]


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    FileStore(tmp_path).check_writable()
    assert files_below(tmp_path / "incoming") == []
    with pytest.raises(DataFolderError, match=r"file/data.*check node\.data"):
        FileStore(tmp_path / "file" / "data").check_writable()


def test_sweeping_received_parts_leaves_results_that_are_being_written(tmp_path: Path) -> None:
    store = FileStore(tmp_path)

    def chunks() -> Iterator[bytes]:
        yield b"first half"
        store.sweep_parts()  # a receiver starts while a worker writes
        yield b"second half"

    kept = store.keep(chunks(), folder=RESULTS)
    assert store.absolute(kept.path).read_bytes() == b"first halfsecond half"
