"""A real Orthanc on loopback, and what its REST interface says it holds."""

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

AE_TITLE = "ORTHANC"
AT_ONCE = {"TCP_NODELAY": "1"}
"""For dcmtk on both sides: else each object waits twice 45 ms for a delayed acknowledgement."""
_START_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Orthanc:
    """A running Orthanc."""

    dicom_port: int
    http_port: int

    def ask(self, path: str) -> Any:
        """Return what the REST interface answers, decoded from JSON."""
        return json.loads(self.fetch(path))

    def fetch(self, path: str) -> bytes:
        """Return the bytes of a REST resource."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{path}") as answer:
            return bytes(answer.read())

    def count_instances(self) -> int:
        return int(self.ask("/statistics")["CountInstances"])


@contextmanager
def running_orthanc(
    program: str,
    folder: Path,
    *,
    dicom_port: int,
    http_port: int,
    extra: Mapping[str, Any] | None = None,
) -> Iterator[Orthanc]:
    """Run an Orthanc that keeps everything in a folder; `extra` joins its configuration."""
    folder.mkdir(parents=True)
    settings = {
        "Name": "test",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "DicomAet": AE_TITLE,
        "DicomPort": dicom_port,
        "HttpPort": http_port,
        "RemoteAccessAllowed": False,
        "DicomAlwaysAllowStore": True,
        "DicomAlwaysAllowEcho": True,
        "Plugins": [],
        **(extra or {}),
    }
    (folder / "orthanc.json").write_text(json.dumps(settings), encoding="utf-8")
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen(
            [program, str(folder / "orthanc.json")],
            stdout=log,
            stderr=log,
            cwd=folder,
            env={**os.environ, **AT_ONCE},
        )
    orthanc = Orthanc(dicom_port=dicom_port, http_port=http_port)
    try:
        _wait(orthanc, folder / "orthanc.log")
        yield orthanc
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait(orthanc: Orthanc, log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            orthanc.count_instances()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"Orthanc did not start:\n{log.read_text(encoding='utf-8')}")
