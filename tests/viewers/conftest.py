"""Result objects of a small exam: as they were made, and as an archive gives them back."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from node.selftest.archive import free_port
from node.settings import DEFAULT_ACQUISITION, ResultsSettings
from node.translate import ResultObject, decode_study, encode_exam, to_bytes
from pipeline.types import Analysis
from tests.fakes.exams import PAGE, STAMP, unmoved_analysis, write_small_exam
from tests.peers.orthanc import AT_ONCE, Orthanc, running_orthanc


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What the node made of an exam."""

    analysis: Analysis
    results: tuple[ResultObject, ...]
    files: tuple[Path, ...]
    """One per result, in the same order."""

    def of(self, kind: str) -> list[Path]:
        """Return the files of one kind, in the order they were made."""
        pairs = zip(self.results, self.files, strict=True)
        return [path for result, path in pairs if result.kind == kind]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("made")
    source = write_small_exam(folder / "source")
    decoded = decode_study(source, rules=DEFAULT_ACQUISITION).exams[0]
    analysis = unmoved_analysis(decoded.exam)
    results = encode_exam(decoded, analysis, PAGE, run=STAMP, settings=ResultsSettings())
    files = tuple(folder / f"{index:04d}_{one.kind}.dcm" for index, one in enumerate(results))
    for path, result in zip(files, results, strict=True):
        path.write_bytes(to_bytes(result))
    return Made(analysis=analysis, results=results, files=files)


@pytest.fixture(scope="session")
def archive(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """An Orthanc that dcmtk's `dcmsend` has filled."""
    folder = tmp_path_factory.mktemp("archive") / "orthanc"
    dicom_port, http_port = free_port(), free_port()
    with running_orthanc("Orthanc", folder, dicom_port=dicom_port, http_port=http_port) as orthanc:
        send(made.files, dicom_port)
        yield orthanc


def send(files: tuple[Path, ...], port: int) -> None:
    """Send files as a workstation does that nobody here wrote."""
    command = ["dcmsend", "127.0.0.1", str(port), *map(str, files)]
    subprocess.run(command, check=True, env={**os.environ, **AT_ONCE})
