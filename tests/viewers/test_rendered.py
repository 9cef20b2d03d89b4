"""What dcmtk draws: the code under many desktop viewers, with its habits."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import FileDataset

from tests.viewers.conftest import Made

WHITE = 255


def draw(dicom: Path, picture: Path, *options: str) -> NDArray[np.float64]:
    subprocess.run(["dcm2pnm", *options, str(dicom), str(picture)], check=True, capture_output=True)
    with Image.open(picture) as opened:
        return np.asarray(opened, dtype=np.float64)


def windowed(values: NDArray[np.float64], centre: float, width: float) -> NDArray[np.float64]:
    """Return grey levels by the default function of the standard (C.11.2.1.2.1)."""
    return (((values - (centre - 0.5)) / (width - 1) + 0.5) * WHITE).clip(0, WHITE)


def window_of(image: FileDataset) -> tuple[float, float]:
    return float(image.WindowCenter), float(image.WindowWidth)


@pytest.mark.parametrize("position", [0, 40])
def test_corrected_image_in_its_window(made: Made, tmp_path: Path, position: int) -> None:
    path = made.of("moco")[position]
    image = dcmread(path)
    drawn = draw(path, tmp_path / "drawn.pgm", "+Wi", "1")
    expected = windowed(image.pixel_array.astype(np.float64), *window_of(image))
    assert drawn.max() - drawn.min() > WHITE / 2
    np.testing.assert_allclose(drawn, expected, rtol=0, atol=1)


def test_page_as_it_was_drawn(made: Made, tmp_path: Path) -> None:
    (path,) = made.of("page")
    assert np.array_equal(draw(path, tmp_path / "drawn.ppm"), dcmread(path).pixel_array)


@pytest.mark.parametrize("kind", ["flow", "quality"])
def test_window_of_a_map_begins_at_zero_and_ends_where_it_says(made: Made, kind: str) -> None:
    """A window of the width the eye wants ends a whole unit too low under the default function."""
    image = dcmread(made.of(kind)[0])
    end = {"flow": 6.0, "quality": 1.0}[kind]
    grey = windowed(np.array([0.0, end / 2, end]), *window_of(image))
    np.testing.assert_allclose(grey, [0, WHITE / 2, WHITE], atol=1e-9)
    assert "VOILUTFunction" not in image  # cornerstone3D issue 2844: such an image is not shown


def test_map_in_stored_values(made: Made, tmp_path: Path) -> None:
    path = made.of("flow")[0]
    image = dcmread(path)
    drawn = draw(path, tmp_path / "drawn.pgm", "--no-modality", "+Ww", "3000", "6000")
    expected = windowed(image.pixel_array.astype(np.float64), 3000, 6000)
    assert len(np.unique(drawn)) > 100
    np.testing.assert_allclose(drawn, expected, rtol=0, atol=1)


@pytest.mark.parametrize("kind", ["flow", "quality"])
def test_map_loses_its_decimals_in_dcmtk(made: Made, tmp_path: Path, kind: str) -> None:
    """The habit that docs/viewers.md warns of: whoever builds on dcmtk shows whole ml/min/g.

    If this fails, dcmtk learned decimals: change the document.
    """
    path = made.of(kind)[0]
    image = dcmread(path)
    whole = np.floor(image.pixel_array * float(image.RescaleSlope))
    drawn = draw(path, tmp_path / "drawn.pgm", "+Wi", "1")
    np.testing.assert_allclose(drawn, windowed(whole, *window_of(image)), rtol=0, atol=1)


def test_dcmdump_names_the_unit(made: Made) -> None:
    path = made.of("flow")[0]
    run = subprocess.run(
        ["dcmdump", "+P", "MeasurementUnitsCodeSequence", "+P", "RescaleType", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stderr == ""
    assert "LO [ml/min/g]" in run.stdout
    assert "[UCUM]" in run.stdout
