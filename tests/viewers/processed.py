"""A whole study as `perfnode process` leaves it: what the viewers are shown."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import get_args

from pydicom import dcmread
from pydicom.dataset import FileDataset

from node.configuration import save_settings
from node.selftest.archive import free_port
from node.settings import ObjectKind, ResultsSettings, Settings
from tests.peers.orthanc import AT_ONCE, Orthanc, running_orthanc

PLUGINS = ("libOrthancDicomWeb.so", "libOrthancWebViewer.so")
_PLUGIN_FOLDER = Path("/usr/share/orthanc/plugins")


@dataclass(frozen=True, kw_only=True)
class Processed:
    """The files of a study."""

    source: Path
    results: Path

    @cached_property
    def series(self) -> dict[int, list[Path]]:
        """Result files by series number, in the order of their instance numbers."""
        found: dict[int, list[tuple[int, Path]]] = {}
        for path in self.results.rglob("*.dcm"):
            header = dcmread(path, stop_before_pixels=True)
            place = (int(header.InstanceNumber or 0), path)
            found.setdefault(int(header.SeriesNumber), []).append(place)
        return {number: [path for _, path in sorted(found[number])] for number in sorted(found)}

    @property
    def study_uid(self) -> str:
        return str(self.read(min(self.series)).StudyInstanceUID)

    def read(self, number: int, position: int = 0) -> FileDataset:
        """Read one object of a series."""
        return dcmread(self.series[number][position])


def process_phantom(folder: Path) -> Processed:
    """Scan the default phantom under stress and at rest, and process it.

    With the environment variable PERFNODE_VIEWER_STUDY, take the folder it names instead: `source`
    and `results` inside it, from an earlier run or from a site.
    """
    folder = Path(os.environ.get("PERFNODE_VIEWER_STUDY", folder))
    made = Processed(source=folder / "source", results=folder / "results")
    if not made.results.is_dir():
        perfnode = [sys.executable, "-m", "node.cli.main"]
        subprocess.run([*perfnode, "simulate", "--state", "both", str(made.source)], check=True)
        folder.mkdir(parents=True, exist_ok=True)
        settings = Settings(results=ResultsSettings(objects=get_args(ObjectKind)))
        save_settings(settings, folder / "config.yaml")
        process = [*perfnode, "process", "--config", str(folder / "config.yaml")]
        subprocess.run([*process, str(made.source), str(made.results)], check=True)
    return made


@contextmanager
def running_archive_with_viewer(processed: Processed, folder: Path) -> Iterator[Orthanc]:
    """Run an Orthanc with DICOMweb and its web viewer that holds the study."""
    plugins = [str(_PLUGIN_FOLDER / name) for name in PLUGINS]
    dicom_port, http_port = free_port(), free_port()
    extra = {
        "Plugins": plugins,
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": True},
        "WebViewer": {"CachePath": str(folder / "cache")},
    }
    with running_orthanc(
        "Orthanc", folder / "orthanc", dicom_port=dicom_port, http_port=http_port, extra=extra
    ) as orthanc:
        for sent in (processed.source, processed.results):
            subprocess.run(
                ["dcmsend", "127.0.0.1", str(dicom_port), "+sd", "+r", "+sp", "*.dcm", str(sent)],
                check=True,
                env={**os.environ, **AT_ONCE},
            )
        yield orthanc
