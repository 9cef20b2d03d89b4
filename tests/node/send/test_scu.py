"""What an answer means, which contexts are proposed, and that bytes are not touched."""

import subprocess
import time
from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.filebase import DicomBytesIO
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit
from pynetdicom.dsutils import decode, split_dataset
from pynetdicom.sop_class import SecondaryCaptureImageStorage  # type: ignore[attr-defined]  # made at run time

from node.send.association import AssociationFailedError
from node.send.scu import MAX_CONTEXTS, SYNTAXES, Answer, Outcome, contexts_for, judge, open_session
from node.settings import Destination
from storage.records import Delivery, DeliveryStatus
from tests.fakes.archive import Archive
from tests.fakes.records import MR_IMAGE
from tests.fakes.result_files import MOVIE, N_ROWS, movie_bytes, object_bytes


def delivery(
    sop_uid: str = "2.25.1", sop_class_uid: str = MR_IMAGE, syntax: str = ExplicitVRLittleEndian
) -> Delivery:
    return Delivery(
        id=1,
        study_id=1,
        revision=1,
        destination="PACS",
        kind="flow",
        sop_class_uid=sop_class_uid,
        sop_uid=sop_uid,
        transfer_syntax_uid=syntax,
        path="one.dcm",
        status=DeliveryStatus.PENDING,
        tries=0,
        next_try_at=datetime(2026, 1, 1),
        sent_at=None,
        last_error=None,
        is_retracted=False,
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "one.dcm"
    path.write_bytes(object_bytes("2.25.1"))
    return path


@given(st.integers(0, 0xFFFF))
def test_every_status_has_one_meaning(status: int) -> None:
    answer = judge(status).answer
    if status in (0x0000, 0x0001, 0x0107, 0x0111, 0x0116) or 0xB000 <= status <= 0xBFFF:
        assert answer is Answer.DELIVERED
    elif 0xA700 <= status <= 0xA7FF:
        assert answer is Answer.LATER
    else:
        assert answer is Answer.REFUSED


@given(
    st.lists(
        st.tuples(
            st.sampled_from([MR_IMAGE, str(SecondaryCaptureImageStorage)]),
            st.sampled_from([ExplicitVRLittleEndian, "1.2.840.10008.1.2.4.70"]),
        )
    )
)
def test_exactly_the_contexts_that_are_needed(pairs: list[tuple[str, str]]) -> None:
    contexts = contexts_for([delivery("2.25.1", *pair) for pair in pairs])
    proposed = [(str(cx.abstract_syntax), str(cx.transfer_syntax[0])) for cx in contexts]
    assert all(len(context.transfer_syntax) == 1 for context in contexts)
    assert len(set(proposed)) == len(proposed) <= MAX_CONTEXTS
    assert set(pairs) <= set(proposed)
    assert {pair[0] for pair in proposed} == {pair[0] for pair in pairs}


def test_the_bytes_of_the_file_arrive(file: Path, destination: Destination, port: int) -> None:
    archive = Archive()
    with (
        archive.listening(port),
        open_session(destination, [delivery()], calling_ae="NODE", timeout_s=5) as session,
    ):
        assert session.store(delivery(), file).answer is Answer.DELIVERED
    _, offset = split_dataset(file)
    assert archive.data["2.25.1"] == file.read_bytes()[offset:]
    assert archive.syntaxes == {ExplicitVRLittleEndian}


def test_a_peer_with_implicit_syntax_only_gets_the_same_values(
    file: Path, destination: Destination, port: int
) -> None:
    archive = Archive()
    with (
        archive.listening(port, syntaxes=(ImplicitVRLittleEndian,)),
        open_session(destination, [delivery()], calling_ae="NODE", timeout_s=5) as session,
    ):
        assert session.store(delivery(), file).answer is Answer.DELIVERED
    assert archive.syntaxes == {ImplicitVRLittleEndian}
    arrived = decode(DicomBytesIO(archive.data["2.25.1"]), True, True)
    assert arrived == dcmread(file)


def test_a_class_the_peer_does_not_take_is_refused_and_the_others_go(
    file: Path, destination: Destination, port: int
) -> None:
    other = delivery("2.25.2", str(SecondaryCaptureImageStorage))
    with (
        Archive().listening(port, classes=(MR_IMAGE,)),
        open_session(destination, [delivery(), other], calling_ae="NODE", timeout_s=5) as session,
    ):
        assert session.store(other, file).answer is Answer.REFUSED
        assert session.store(delivery(), file).answer is Answer.DELIVERED


def test_a_missing_file_waits_and_a_broken_one_is_refused(
    tmp_path: Path, file: Path, destination: Destination, port: int
) -> None:
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(b"\0" * 128 + b"DICM")
    with (
        Archive().listening(port),
        open_session(destination, [delivery()], calling_ae="NODE", timeout_s=5) as session,
    ):
        assert session.store(delivery(), tmp_path / "absent.dcm").answer is Answer.LATER
        assert session.store(delivery(), broken).answer is Answer.REFUSED
        assert session.store(delivery(), file).answer is Answer.DELIVERED


def test_a_closed_association_is_said(file: Path, destination: Destination, port: int) -> None:
    def abort(_number, occurrence) -> int:
        occurrence.assoc.abort()
        return 0

    with (
        Archive(abort).listening(port),
        open_session(destination, [delivery()], calling_ae="NODE", timeout_s=3) as session,
    ):
        for _ in range(2):
            with pytest.raises(AssociationFailedError):
                session.store(delivery(), file)


@pytest.fixture
def movie(tmp_path: Path) -> Path:
    path = tmp_path / "movie.dcm"
    path.write_bytes(movie_bytes("2.25.3"))
    return path


MOVIE_DELIVERY = delivery("2.25.3", MOVIE, JPEGBaseline8Bit)


def test_a_peer_that_takes_jpeg_gets_the_bytes_of_the_movie(
    movie: Path, destination: Destination, port: int
) -> None:
    archive = Archive()
    with (
        archive.listening(port, classes=(MOVIE,), syntaxes=(JPEGBaseline8Bit, *SYNTAXES)),
        open_session(destination, [MOVIE_DELIVERY], calling_ae="NODE", timeout_s=5) as session,
    ):
        assert session.store(MOVIE_DELIVERY, movie).answer is Answer.DELIVERED
    assert archive.syntaxes == {JPEGBaseline8Bit}
    _, offset = split_dataset(movie)
    assert archive.data["2.25.3"] == movie.read_bytes()[offset:]


@pytest.mark.parametrize("syntaxes", [(ImplicitVRLittleEndian,), SYNTAXES])
def test_a_peer_that_takes_no_jpeg_gets_the_movie_decompressed(
    movie: Path, destination: Destination, port: int, syntaxes: tuple[str, ...]
) -> None:
    archive = Archive()
    with (
        archive.listening(port, classes=(MOVIE,), syntaxes=syntaxes),
        open_session(destination, [MOVIE_DELIVERY], calling_ae="NODE", timeout_s=5) as session,
    ):
        assert session.store(MOVIE_DELIVERY, movie).answer is Answer.DELIVERED
    assert archive.syntaxes == {syntaxes[0]}
    arrived = decode(DicomBytesIO(archive.data["2.25.3"]), len(syntaxes) == 1, True)
    assert_decompressed(arrived, movie)


def assert_decompressed(arrived: Dataset, movie: Path) -> None:
    """Nothing but the pixels changed, and they are those that an independent decoder sees."""
    sent = dcmread(movie)
    changed = {"PixelData", "PhotometricInterpretation"}
    for element in sent:
        if element.keyword not in changed:
            assert arrived[element.tag].value == element.value
    assert arrived.PhotometricInterpretation == "RGB"
    assert arrived.LossyImageCompression == "01"
    frames = np.frombuffer(arrived.PixelData, dtype=np.uint8).reshape(3, N_ROWS, N_ROWS, 3)
    files = generate_frames(sent.PixelData, number_of_frames=3)
    for frame, file in zip(frames, files, strict=True):
        expected = np.asarray(Image.open(BytesIO(file)).convert("RGB"))
        assert np.abs(frame.astype(int) - expected).max() <= 2


def test_a_movie_with_damaged_frames_is_refused_and_others_go(
    movie: Path, file: Path, destination: Destination, port: int
) -> None:
    movie.write_bytes(movie.read_bytes().replace(b"\xff\xd8\xff", b"\0\0\0"))
    with (
        Archive().listening(port, classes=(MOVIE, MR_IMAGE)),
        open_session(
            destination, [MOVIE_DELIVERY, delivery()], calling_ae="NODE", timeout_s=5
        ) as session,
    ):
        outcome = session.store(MOVIE_DELIVERY, movie)
        assert outcome.answer is Answer.REFUSED
        assert outcome.text == "the stored file cannot be decompressed"
        assert session.store(delivery(), file).answer is Answer.DELIVERED


@pytest.mark.parametrize("takes", ["+x=", "+xy"])
def test_dcmtk_stores_the_movie(
    takes: str,
    movie: Path,
    destination: Destination,
    port: int,
    tmp_path: Path,
    program: Callable[[str], str],
) -> None:
    """`+xy` prefers JPEG Baseline, `+x=` takes uncompressed objects only."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    command = [program("storescp"), "-od", str(inbox), takes, str(port)]
    with subprocess.Popen(command) as archive:
        try:
            assert store_when_ready(destination, movie).answer is Answer.DELIVERED
        finally:
            archive.terminate()
    (stored,) = inbox.iterdir()
    arrived = dcmread(stored)
    if takes == "+xy":
        assert arrived.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
        assert arrived.PixelData == dcmread(movie).PixelData
    else:
        assert arrived.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
        assert_decompressed(arrived, movie)


def store_when_ready(destination: Destination, movie: Path) -> Outcome:
    for _ in range(100):
        try:
            with open_session(
                destination, [MOVIE_DELIVERY], calling_ae="NODE", timeout_s=5
            ) as session:
                return session.store(MOVIE_DELIVERY, movie)
        except AssociationFailedError:
            time.sleep(0.1)
    pytest.fail("storescp did not start")
