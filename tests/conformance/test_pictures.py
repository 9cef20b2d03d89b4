"""Colour maps, movie and document under programs that are not ours: dicom3tools and dcmtk."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from node.translate import to_bytes
from tests.fakes.pictures import EncodedPictures, shared_pictures

CLASSES = {"SCImage", "MultiframeTrueColorSCImage", "EncapsulatedPDF"}


@pytest.fixture(scope="module")
def pictures() -> EncodedPictures:
    return shared_pictures()


@pytest.fixture(scope="module")
def files(pictures: EncodedPictures, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pictures")
    paths = []
    for index, result in enumerate((*pictures.results, *pictures.maps)):
        paths.append(folder / f"{index:02d}_{result.kind}.dcm")
        paths[-1].write_bytes(to_bytes(result))
    return paths


def of_kind(files: list[Path], kind: str) -> Path:
    return next(path for path in files if path.stem.endswith(kind))


@pytest.mark.parametrize("kind", ["colour", "movie", "document"])
def test_no_errors_and_no_warnings(
    kind: str, files: list[Path], program: Callable[[str], str]
) -> None:
    run = subprocess.run(
        [program("dciodvfy"), str(of_kind(files, kind))],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = (run.stdout + run.stderr).splitlines()
    assert len(lines) == 1
    assert lines[0] in CLASSES


def test_objects_agree_with_the_maps(files: list[Path], program: Callable[[str], str]) -> None:
    run = subprocess.run(
        [program("dcentvfy"), *map(str, files)], capture_output=True, text=True, check=False
    )
    assert (run.stdout + run.stderr).strip() == ""


def test_dcmtk_shows_a_colour_map(
    pictures: EncodedPictures, files: list[Path], program: Callable[[str], str], tmp_path: Path
) -> None:
    output = tmp_path / "map.ppm"
    subprocess.run([program("dcm2pnm"), str(of_kind(files, "colour")), str(output)], check=True)
    assert np.array_equal(np.asarray(Image.open(output)), pictures.drawn[0])


def test_dcmtk_plays_the_movie(
    pictures: EncodedPictures, files: list[Path], program: Callable[[str], str], tmp_path: Path
) -> None:
    """Its own JPEG decoder, all frames, colours as they were drawn."""
    subprocess.run(
        [program("dcmj2pnm"), "+Fa", str(of_kind(files, "movie")), str(tmp_path / "frame")],
        check=True,
    )
    shown = sorted(tmp_path.glob("frame.*.ppm"), key=lambda path: int(path.suffixes[-2][1:]))
    assert len(shown) == pictures.movie.n_frames
    for index in (0, 11, pictures.movie.n_frames - 1):
        difference = np.asarray(Image.open(shown[index])).astype(int) - pictures.movie.frame(index)
        assert np.abs(difference).mean() < 2.5


def test_dcmtk_takes_the_document_out(
    pictures: EncodedPictures, files: list[Path], program: Callable[[str], str], tmp_path: Path
) -> None:
    output = tmp_path / "report.pdf"
    subprocess.run([program("dcm2pdf"), str(of_kind(files, "document")), str(output)], check=True)
    dataset = pictures.document.dataset
    length = dataset.EncapsulatedDocumentLength
    assert output.read_bytes()[:length] == dataset.EncapsulatedDocument[:length]


def test_dcmtk_decompresses_the_movie(
    files: list[Path], program: Callable[[str], str], tmp_path: Path
) -> None:
    """What an archive may do with it: the object stays valid."""
    output = tmp_path / "native.dcm"
    subprocess.run([program("dcmdjpeg"), str(of_kind(files, "movie")), str(output)], check=True)
    run = subprocess.run(
        [program("dciodvfy"), str(output)], capture_output=True, text=True, check=False
    )
    assert "Error" not in run.stdout + run.stderr
