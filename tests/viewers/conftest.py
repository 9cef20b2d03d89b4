"""Result objects of a small exam, an archive that holds them; a whole study and what shows it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest
from PIL import Image

from node.selftest.archive import free_port
from node.settings import DEFAULT_ACQUISITION, ObjectKind, ResultsSettings
from node.translate import (
    ExamPictures,
    ResultContext,
    ResultObject,
    decode_study,
    encode_exam,
    to_bytes,
)
from pipeline.picture import Provenance
from pipeline.picture.movie import draw_movie
from pipeline.types import Analysis
from tests.fakes.exams import PAGE, STAMP, unmoved_analysis, write_small_exam
from tests.peers.orthanc import AT_ONCE, Orthanc, running_orthanc
from tests.viewers import ohif
from tests.viewers.npm import fetch
from tests.viewers.processed import Processed, process_phantom, running_archive_with_viewer
from tests.viewers.site import running_site

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = "/usr/bin/chromium"
WIDTH_PX, MOST_BYTES = 800, 150_000
"""Of pictures in the documentation."""
SOFTWARE_DRAWING = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


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
    settings = ResultsSettings(objects=get_args(ObjectKind))
    context = ResultContext(decoded=decoded, analysis=analysis, run=STAMP, settings=settings)
    provenance = Provenance(software="perfnode", created="now", label="RESEARCH", motion="none")
    movie = draw_movie(decoded.exam, analysis, provenance)
    pictures = ExamPictures(page=PAGE, colour=(PAGE,) * len(decoded.exam.slices), movie=movie)
    results = encode_exam(context, pictures).results
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


@pytest.fixture(scope="session")
def processed(tmp_path_factory: pytest.TempPathFactory) -> Processed:
    return process_phantom(tmp_path_factory.mktemp("processed"))


@pytest.fixture(scope="session")
def hospital(processed: Processed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with running_archive_with_viewer(processed, tmp_path_factory.mktemp("hospital")) as orthanc:
        yield orthanc


@pytest.fixture(scope="session")
def address(hospital: Orthanc) -> Iterator[str]:
    """Where OHIF and the archive's web interface are served."""
    folder = fetch(ohif.PACKAGE, ohif.INTEGRITY) / "dist"
    replaced = {ohif.CONFIGURATION_PATH: ohif.CONFIGURATION}
    with running_site(folder, hospital, replaced=replaced, port=free_port()) as address:
        yield address


@pytest.fixture(scope="module")
def page() -> Iterator["Page"]:
    """A page of Debian's browser, drawn without a graphics card."""
    # Late: only `make viewers` installs it.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SOFTWARE_DRAWING)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(90_000)
        yield page
        browser.close()


@pytest.fixture
def keep(tmp_path: Path) -> Callable[[str, Image.Image], None]:
    """Return what keeps a picture: in the documentation for `make viewers`, else nowhere."""
    folder = Path(os.environ.get("PERFNODE_PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)

    def _keep(name: str, picture: Image.Image) -> None:
        height = round(picture.height * WIDTH_PX / picture.width)
        small = picture.convert("RGB").resize((WIDTH_PX, height), Image.Resampling.LANCZOS)
        for n_colours in (256, 128, 64):  # as many as a light document allows
            written = BytesIO()
            # Rare colours first: those of contours must not drown in many greys.
            few = small.quantize(n_colours, Image.Quantize.MAXCOVERAGE, 3, None, Image.Dither.NONE)
            few.save(written, "PNG", optimize=True)
            if len(written.getvalue()) <= MOST_BYTES:
                break
        (folder / f"{name}.png").write_bytes(written.getvalue())

    return _keep
