"""Colour maps, movie and document as objects: what was drawn arrives, with its identity."""

import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.encaps import generate_frames
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit
from pypdf import PdfReader

from node.translate import ResultObject, to_bytes
from node.translate.encode_colour import encode_colour_maps
from tests.fakes.exams import PAGE
from tests.fakes.pictures import EncodedPictures, encode_pictures, shared_pictures


@pytest.fixture(scope="module")
def pictures() -> EncodedPictures:
    return shared_pictures()


def read(result: ResultObject) -> FileDataset:
    return dcmread(BytesIO(to_bytes(result)))


def sources(dataset: FileDataset) -> list[str]:
    return [str(item.ReferencedSOPInstanceUID) for item in dataset.SourceImageSequence]


def test_a_second_run_gives_the_same_bytes(pictures: EncodedPictures, tmp_path: Path) -> None:
    again = encode_pictures(tmp_path)
    assert [to_bytes(one) for one in again.results] == [to_bytes(one) for one in pictures.results]


def test_each_kind_is_a_series_of_its_own(pictures: EncodedPictures) -> None:
    found = [read(one) for one in pictures.results]
    source = pictures.context.numbering
    number = 100 * int(source.SeriesNumber)
    assert [int(one.SeriesNumber) - number for one in found] == [9, 9, 9, 14, 12]
    assert len({one.SeriesInstanceUID for one in found}) == 3
    assert len({one.SOPInstanceUID for one in found}) == 5
    for one in found:
        assert one.PatientID == source.PatientID
        assert one.StudyInstanceUID == source.StudyInstanceUID
        assert one.SeriesDescription.endswith("RESEARCH")
        assert "STRESS" in one.SeriesDescription
        assert one.BurnedInAnnotation == "NO"


def test_a_colour_map_is_the_picture_of_its_map(pictures: EncodedPictures) -> None:
    for position, (one, flow) in enumerate(zip(pictures.colour, pictures.maps, strict=True)):
        dataset = read(one)
        assert np.array_equal(dataset.pixel_array, pictures.drawn[position])
        assert int(dataset.InstanceNumber) == position + 1
        assert sources(dataset) == [flow.dataset.SOPInstanceUID]
        assert dataset.SourceImageSequence[0].SpatialLocationsPreserved == "NO"
        assert "[ml/min/g]" in dataset.SeriesDescription


def test_sides_are_those_of_the_slice(pictures: EncodedPictures) -> None:
    """Row direction, then column direction, by the largest component of each."""
    dataset = read(pictures.colour[0])
    cosines = np.array(pictures.context.shown(0).ImageOrientationPatient, dtype=float)
    for letter, direction in zip(
        dataset.PatientOrientation, (cosines[:3], cosines[3:]), strict=True
    ):
        axis = int(np.abs(direction).argmax())
        assert letter == (("L", "P", "H") if direction[axis] > 0 else ("R", "A", "F"))[axis]


def test_a_map_without_picture_is_a_mistake(pictures: EncodedPictures) -> None:
    with pytest.raises(ValueError, match="no picture of the map of slice 1"):
        encode_colour_maps(pictures.context, [None] * 3, pictures.maps)


def test_the_movie_shows_its_frames(pictures: EncodedPictures) -> None:
    """By another decoder than the one that viewers get it from; nothing is off by an edge."""
    dataset = read(pictures.movie_object)
    assert dataset.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    movie = pictures.movie
    frames = list(generate_frames(dataset.PixelData, number_of_frames=movie.n_frames))
    assert len(frames) == int(dataset.NumberOfFrames) == movie.n_frames
    for index in (0, 5, movie.n_frames - 1):
        drawn = movie.frame(index)
        assert (dataset.Rows, dataset.Columns, 3) == drawn.shape
        image = Image.open(BytesIO(frames[index]))
        difference = np.abs(np.asarray(image.convert("RGB")).astype(int) - drawn)
        assert difference.mean() < 2.5
        assert np.percentile(difference, 99) < 25


def test_the_movie_is_half_as_fine_in_colour_as_it_says(pictures: EncodedPictures) -> None:
    dataset = read(pictures.movie_object)
    assert dataset.PhotometricInterpretation == "YBR_FULL_422"
    image = Image.open(BytesIO(next(generate_frames(dataset.PixelData, number_of_frames=1 * 24))))
    assert [layer[1:3] for layer in image.layer] == [(2, 1), (1, 1), (1, 1)]  # type: ignore[attr-defined]  # of JPEG images


def test_frames_have_their_real_times(pictures: EncodedPictures) -> None:
    dataset = read(pictures.movie_object)
    assert dataset.FrameIncrementPointer == dataset.data_element("FrameTimeVector").tag
    steps_ms = [float(step) for step in dataset.FrameTimeVector]
    times_s = pictures.context.decoded.exam.slices[0].time_s
    assert steps_ms[0] == 0
    assert np.cumsum(steps_ms) / 1000 == pytest.approx((times_s - times_s[0]).tolist(), abs=1e-3)
    assert int(dataset.RecommendedDisplayFrameRate) == int(dataset.CineRate) == 10


def test_loss_is_declared(pictures: EncodedPictures) -> None:
    dataset = read(pictures.movie_object)
    assert dataset.LossyImageCompression == "01"
    assert dataset.LossyImageCompressionMethod == "ISO_10918_1"
    n_bytes = dataset.Rows * dataset.Columns * 3 * int(dataset.NumberOfFrames)
    assert float(dataset.LossyImageCompressionRatio) == pytest.approx(
        n_bytes / len(dataset.PixelData), rel=0.02
    )
    assert len(to_bytes(pictures.movie_object)) < 100_000 * int(dataset.NumberOfFrames)


def test_the_movie_names_the_images_it_shows(pictures: EncodedPictures) -> None:
    shown = {
        str(header.SOPInstanceUID)
        for headers in pictures.context.decoded.sources.slices
        for header in headers
    }
    assert set(sources(read(pictures.movie_object))) == shown


def test_the_document_holds_the_pages(pictures: EncodedPictures) -> None:
    dataset = read(pictures.document)
    assert dataset.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    document = PdfReader(
        BytesIO(dataset.EncapsulatedDocument[: dataset.EncapsulatedDocumentLength])
    )
    assert document.metadata is not None
    assert document.metadata.title == dataset.DocumentTitle == "Perfusion report STRESS"
    assert "/CreationDate" not in document.metadata
    for sheet, page in zip(document.pages, (PAGE, PAGE[::-1]), strict=True):
        assert [float(side) for side in sheet.mediabox[2:]] == pytest.approx(
            [841.89, 595.28], abs=0.01
        )
        ((height, name),) = re.findall(
            rb" 0 0 (-?[\d.]+) \S+\s\S+ cm /(\w+) Do", sheet.get_contents().get_data()
        )
        stored = sheet["/Resources"]["/XObject"][f"/{name.decode()}"].decode_as_image()
        # A negative height draws the last stored row on top.
        rows = slice(None, None, -1 if float(height) < 0 else 1)
        assert np.array_equal(np.asarray(stored.convert("RGB"))[rows], page)


def test_the_document_carries_no_identity_of_its_own(pictures: EncodedPictures) -> None:
    dataset = read(pictures.document)
    for keyword in ("PatientName", "PatientID"):
        assert str(dataset[keyword].value).encode() not in dataset.EncapsulatedDocument
