"""A receiving archive on loopback: dcmtk `storescp` where installed, else pynetdicom's own.

It stands in for the PACS of a site; what it stores is read back from its folder.
"""

import hashlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydicom.uid import JPEGBaseline8Bit
from pynetdicom import (
    AE,
    DEFAULT_TRANSFER_SYNTAXES,
    AllStoragePresentationContexts,
    build_context,
    evt,
)

from node.errors import StartupError

AE_TITLE = "ARCHIVE"
_START_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A running archive."""

    name: str
    port: int
    folder: Path

    def files(self) -> tuple[Path, ...]:
        """Return what has arrived so far."""
        return tuple(sorted(path for path in self.folder.iterdir() if path.is_file()))


@contextmanager
def running_archive(folder: Path) -> Iterator[Archive]:
    """Run an archive that stores into a folder until the block ends.

    Raises
    ------
    StartupError
        The archive did not listen in time.

    """
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    program = shutil.which("storescp")
    start = _dcmtk_archive(program, port, folder) if program else _python_archive(port, folder)
    with start as name:
        wait_for_port(port, _START_TIMEOUT_S)
        yield Archive(name=name, port=port, folder=folder)


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, timeout_s: float) -> None:
    """Wait until something listens on a loopback port.

    Raises
    ------
    StartupError
        Nothing listened within the time.

    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise StartupError(f"nothing listens on port {port} after {timeout_s:.0f} s; see its log")


@contextmanager
def _dcmtk_archive(program: str, port: int, folder: Path) -> Iterator[str]:
    # Every syntax: the movie is compressed.
    command = [program, "+xa", "-aet", AE_TITLE, "-od", str(folder), "-fe", ".dcm", str(port)]
    process = subprocess.Popen(  # noqa: S603 - a fixed program with our own arguments
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield "dcmtk storescp"
    finally:
        process.terminate()
        process.wait(timeout=10)


@contextmanager
def _python_archive(port: int, folder: Path) -> Iterator[str]:
    def _store(event: evt.Event) -> int:
        content = event.encoded_dataset(include_meta=True)
        name = hashlib.sha256(content).hexdigest()
        (folder / f"{name}.dcm").write_bytes(content)
        return 0x0000

    entity = AE(ae_title=AE_TITLE)
    entity.supported_contexts = [
        build_context(context.abstract_syntax, [*DEFAULT_TRANSFER_SYNTAXES, JPEGBaseline8Bit])
        for context in AllStoragePresentationContexts
        if context.abstract_syntax is not None
    ]
    server = entity.start_server(
        ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, _store)]
    )
    try:
        yield "pynetdicom"
    finally:
        if server is not None:
            server.shutdown()
