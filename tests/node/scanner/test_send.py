"""Files arrive at a real receiver bit by bit; refusals and silence are told apart."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydicom import dcmread

from node.errors import TransientError
from node.scanner import send_files
from tests.fakes.exams import series, write_small_exam


@pytest.fixture
def storage(
    tmp_path: Path, free_port: Callable[[], int], program: Callable[[str], str]
) -> Iterator[tuple[int, Path]]:
    """Run dcmtk's receiver; it writes what it gets into a folder."""
    folder = tmp_path / "received"
    folder.mkdir()
    port = free_port()
    command = [program("storescp"), "-aet", "ARCHIVE", "-od", str(folder), "+xa", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        _wait_for(program("echoscu"), port)
        yield port, folder
        server.terminate()


def _wait_for(echoscu: str, port: int) -> None:
    for _ in range(100):
        command = [echoscu, "-aec", "ARCHIVE", "127.0.0.1", str(port)]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.1)
    pytest.fail("storescp did not start")


def send(files: list[Path], port: int, seen: list[float] | None = None) -> None:
    send_files(
        files,
        address="127.0.0.1",
        port=port,
        called_ae="ARCHIVE",
        calling_ae="SCANNER",
        progress=None if seen is None else lambda _, fraction: seen.append(fraction),
    )


def test_images_arrive_unchanged(storage: tuple[int, Path], tmp_path: Path) -> None:
    port, folder = storage
    files = series(write_small_exam(tmp_path / "scan"), 11)
    seen: list[float] = []
    send(files, port, seen)
    received = {dcmread(path).SOPInstanceUID: dcmread(path) for path in folder.iterdir()}
    assert len(received) == len(files) == len(seen)
    assert seen[-1] == 1.0
    for path in files:
        sent = dcmread(path)
        assert received[sent.SOPInstanceUID] == sent


def test_nobody_listening_is_transient(free_port: Callable[[], int], tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, n_slices=1)
    with pytest.raises(TransientError):
        send(files[:1], free_port())


def test_a_refusal_is_told(
    free_port: Callable[[], int], program: Callable[[str], str], tmp_path: Path
) -> None:
    port = free_port()
    command = [program("storescp"), "--refuse", str(port)]
    files = write_small_exam(tmp_path, n_slices=1)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            reasons = [_reason(files, port)]
            while "rejected" not in reasons[-1] and len(reasons) < 100:
                time.sleep(0.1)  # not listening yet
                reasons.append(_reason(files, port))
            assert "rejected by ARCHIVE" in reasons[-1]
        finally:
            server.terminate()


def _reason(files: list[Path], port: int) -> str:
    with pytest.raises(TransientError) as caught:
        send(files[:1], port)
    return str(caught.value)
