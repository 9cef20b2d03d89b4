"""Orthanc stores every object and gives the same bytes back; a region reads as it was computed."""

import hashlib
import struct
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import FileDataset

from node.translate.encode_map import FLOW
from tests.peers.orthanc import Orthanc
from tests.viewers.conftest import Made

HALF_A_STEP = FLOW.slope / 2
_START_OF_GROUP_LENGTH = 128 + len(b"DICM") + 8
_START_OF_META = _START_OF_GROUP_LENGTH + 4


def data_of(file: bytes) -> bytes:
    """Return a file without its first group, which every archive writes anew (PS3.10 7.1)."""
    (n_bytes,) = struct.unpack_from("<I", file, _START_OF_GROUP_LENGTH)
    return file[_START_OF_META + n_bytes :]


@pytest.fixture(scope="module")
def returned(archive: Orthanc) -> dict[str, bytes]:
    """Return what the archive hands out, by instance."""
    files = [archive.fetch(f"/instances/{name}/file") for name in archive.ask("/instances")]
    return {
        str(dcmread(BytesIO(file), stop_before_pixels=True).SOPInstanceUID): file for file in files
    }


def test_returns_the_same_bytes(made: Made, returned: dict[str, bytes]) -> None:
    sent = {str(one.dataset.SOPInstanceUID): path for one, path in _pairs(made)}
    assert returned.keys() == sent.keys()
    for uid, path in sent.items():
        ours, theirs = data_of(path.read_bytes()), data_of(returned[uid])
        assert hashlib.sha256(theirs).digest() == hashlib.sha256(ours).digest(), path.name


def test_is_one_study_with_a_series_for_each_kind(made: Made, archive: Orthanc) -> None:
    assert len(archive.ask("/patients")) == len(archive.ask("/studies")) == 1
    ours = {str(one.dataset.SeriesInstanceUID) for one in made.results}
    theirs = archive.ask("/series?expand")
    assert {one["MainDicomTags"]["SeriesInstanceUID"] for one in theirs} == ours
    assert len({one["MainDicomTags"]["SeriesNumber"] for one in theirs}) == len(ours)


def test_region_of_a_stored_map_equals_the_computed_flow(
    made: Made, returned: dict[str, bytes]
) -> None:
    for position, (one, path) in enumerate(_pairs(made, "flow")):
        stored = _physical(dcmread(BytesIO(returned[str(one.dataset.SOPInstanceUID)])))
        analysis = made.analysis.slices[position]
        assert analysis.flow is not None
        computed = analysis.flow.flow_ml_min_g.numpy().astype(np.float64)
        assert analysis.masks is not None
        region = analysis.masks.myocardium.numpy() & np.isfinite(computed)
        assert region.sum() > 50
        np.testing.assert_allclose(stored[region], computed[region], rtol=0, atol=HALF_A_STEP)
        assert abs(stored[region].mean() - computed[region].mean()) < HALF_A_STEP, path.name


def _physical(image: FileDataset) -> NDArray[np.float64]:
    """Return real-world values, as a reader of the mapping computes them (C.7.6.16.2.11)."""
    mapping = image.RealWorldValueMappingSequence[0]
    return image.pixel_array * mapping.RealWorldValueSlope + mapping.RealWorldValueIntercept


def _pairs(made: Made, kind: str | None = None) -> list[tuple]:
    pairs = zip(made.results, made.files, strict=True)
    return [(one, path) for one, path in pairs if kind in {None, one.kind}]
