"""Compressed images are bit-equal to uncompressed ones, and damaged ones are never noise."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels import get_decoder
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.uid import (
    UID,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from node.receive.contexts import TRANSFER_SYNTAXES
from node.scanner.dialect import Dialect, Vendor
from node.settings import DEFAULT_ACQUISITION
from node.translate import decode_study
from node.translate.codecs import can_decode, decode_frame
from node.translate.headers import read_headers
from node.translate.pixels import read_pixels
from pipeline.findings import Code, Grade
from tests.fakes.exams import edit, series, write_small_exam

COMPRESSORS = [
    ("dcmcrle", []),
    ("dcmcjpls", []),
    ("dcmcjpeg", ["+e1"]),
    *(("dcmcjpeg", ["+el", "+sv", str(predictor)]) for predictor in range(1, 8)),
]
SHAPE = (48, 40)
EMPTY_TABLE = b"\xfe\xff\x00\xe0\0\0\0\0"
"""An offset table without entries, and no fragment behind it."""


@pytest.mark.parametrize(("name", "options"), COMPRESSORS, ids=str)
@pytest.mark.parametrize("vendor", [Vendor.SIEMENS, Vendor.GE], ids=["unsigned", "signed"])
def test_what_dcmtk_compresses_is_bit_equal(
    name: str, options: list[str], vendor: Vendor, program: Callable[[str], str], tmp_path: Path
) -> None:
    plain = write_small_exam(tmp_path, n_slices=1, dialect=Dialect(vendor=vendor))[40]
    packed = tmp_path / "packed.dcm"
    subprocess.run([program(name), *options, str(plain), str(packed)], check=True)
    (expected,) = read_pixels(read_headers(plain))
    (found,) = read_pixels(read_headers(packed))
    assert packed.stat().st_size < plain.stat().st_size
    assert expected is not None
    assert found is not None
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("syntax", TRANSFER_SYNTAXES)
def test_what_is_accepted_can_be_decoded(syntax: str) -> None:
    assert can_decode(syntax) or not UID(syntax).is_encapsulated


def pixels(seed: int, bits: int, *, is_signed: bool) -> NDArray[np.integer]:
    noise = np.random.default_rng(seed).integers(0, 2**bits, SHAPE)
    values = np.where(noise % 3 == 0, noise, 2 ** (bits - 1))
    kind = f"{'i' if is_signed else 'u'}{1 if bits <= 8 else 2}"
    return (values - is_signed * 2 ** (bits - 1)).astype(kind)


def as_positive(values: NDArray[np.integer], bits: int) -> NDArray[np.unsignedinteger]:
    """Return the bits of signed values as an encoder without signs is given them."""
    return (values.astype(np.int32) & (2**bits - 1)).astype(f"u{values.dtype.itemsize}")


@given(st.integers(0, 1000), st.sampled_from([8, 10, 12, 16]), st.booleans())
def test_what_was_packed_comes_back(seed: int, bits: int, is_signed: bool) -> None:
    image = pixels(seed, bits, is_signed=is_signed)
    positive = as_positive(image, bits)
    packed = {
        RLELossless: RLELosslessEncoder.encode(
            image.tobytes(),
            encoding_plugin="pydicom",
            rows=SHAPE[0],
            columns=SHAPE[1],
            samples_per_pixel=1,
            bits_allocated=8 * image.dtype.itemsize,
            bits_stored=bits,
            pixel_representation=int(is_signed),
            photometric_interpretation="MONOCHROME2",
            number_of_frames=1,
        ),
        JPEGLSLossless: imagecodecs.jpegls_encode(positive),
        JPEG2000Lossless: imagecodecs.jpeg2k_encode(
            image, level=0, reversible=True, codecformat="j2k"
        ),
        JPEGLosslessSV1: imagecodecs.ljpeg_encode(positive, bitspersample=bits),
    }
    for syntax, frame in packed.items():
        found = decode_frame(frame, syntax, SHAPE, bits_stored=bits, is_signed=is_signed)
        assert np.array_equal(found, image), syntax.name


@pytest.mark.parametrize(
    ("name", "options", "others"),
    [
        ("dcmcrle", [], ("pydicom",)),
        ("dcmcjpls", [], ("pyjpegls",)),
        ("dcmcjpeg", ["+e1"], ()),
    ],
)
def test_two_decoders_agree(
    name: str,
    options: list[str],
    others: tuple[str, ...],
    program: Callable[[str], str],
    tmp_path: Path,
) -> None:
    plain = write_small_exam(tmp_path, n_slices=1)[40]
    packed = tmp_path / "packed.dcm"
    subprocess.run([program(name), *options, str(plain), str(packed)], check=True)
    dataset = dcmread(packed)
    syntax = dataset.file_meta.TransferSyntaxUID
    (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
    ours = decode_frame(frame, syntax, SHAPE, bits_stored=12, is_signed=False)
    for other in others:
        theirs, _ = get_decoder(syntax).as_array(dataset, decoding_plugin=other)
        assert np.array_equal(ours, theirs)
    if not others:
        assert np.array_equal(ours, imagecodecs.ljpeg_decode(frame))
        unpacked = tmp_path / "unpacked.dcm"
        subprocess.run([program("dcmdjpeg"), str(packed), str(unpacked)], check=True)
        assert np.array_equal(ours, dcmread(unpacked).pixel_array)


@pytest.mark.parametrize("name", ["dcmcrle", "dcmcjpls", "dcmcjpeg"])
def test_damaged_frames_are_refused_or_have_the_right_shape(
    name: str, program: Callable[[str], str], tmp_path: Path
) -> None:
    plain = write_small_exam(tmp_path, n_slices=1)[40]
    packed = tmp_path / "packed.dcm"
    subprocess.run([program(name), str(plain), str(packed)], check=True)
    dataset = dcmread(packed)
    syntax = dataset.file_meta.TransferSyntaxUID
    (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
    generator = np.random.default_rng(5)
    for attempt in range(120):
        damaged = bytearray(frame)
        if attempt % 3 == 0:
            del damaged[generator.integers(len(damaged)) :]
        else:
            reach = len(damaged) if attempt % 3 == 1 else 60
            damaged[generator.integers(reach)] ^= int(generator.integers(1, 256))
        try:
            found = decode_frame(bytes(damaged), syntax, SHAPE, bits_stored=12, is_signed=False)
        except (ValueError, RuntimeError, OverflowError):
            continue
        assert found.shape == SHAPE
        assert attempt % 3 or len(damaged) >= len(frame) - 2, "a cut frame was taken for a whole"


@pytest.mark.parametrize("n_frames", [0, 2])
def test_a_classic_image_with_another_number_of_frames_is_not_read(
    n_frames: int, program: Callable[[str], str], tmp_path: Path
) -> None:
    path = series(write_small_exam(tmp_path, n_slices=1), 12)[5]
    subprocess.run([program("dcmcjpls"), str(path), str(path)], check=True)
    (frame,) = generate_frames(dcmread(path).PixelData, number_of_frames=1)
    packed = encapsulate([frame] * n_frames) if n_frames else EMPTY_TABLE
    edit([path], lambda dataset: dataset.__setattr__("PixelData", packed))
    assert read_pixels(read_headers(path)) == (None,)


def test_a_frame_in_several_fragments_is_one_frame(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    path = series(write_small_exam(tmp_path, n_slices=1), 12)[5]
    (expected,) = read_pixels(read_headers(path))
    subprocess.run([program("dcmcjpls"), str(path), str(path)], check=True)
    (frame,) = generate_frames(dcmread(path).PixelData, number_of_frames=1)
    packed = encapsulate([frame], fragments_per_frame=3)
    edit([path], lambda dataset: dataset.__setattr__("PixelData", packed))
    (found,) = read_pixels(read_headers(path))
    assert found is not None
    assert expected is not None
    assert np.array_equal(found, expected)


def test_compression_with_loss_is_told(program: Callable[[str], str], tmp_path: Path) -> None:
    files = write_small_exam(tmp_path, n_slices=1)
    for path in series(files, 12):
        subprocess.run([program("dcmcjpls"), "+en", str(path), str(path)], check=True)
    findings = decode_study(files, rules=DEFAULT_ACQUISITION).findings
    told = [item for item in findings if "with loss" in item.text]
    assert [(item.code, item.grade) for item in told] == [(Code.IMAGE_PITFALL, Grade.REVIEW)]
    assert "27 of 54" in told[0].text
