"""Commands as an administrator runs them: exit codes, messages, JSON."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import JPEGLSLossless
from typer.testing import CliRunner

from models.phantom import random_protocol
from node.cli.main import app
from node.configuration import save_settings
from node.selftest.archive import running_archive
from node.settings import AllowedPeer, Destination, NodeSettings, ReceiveSettings, Settings
from storage.records import StudyState
from tests.fakes.exams import series, write_small_exam
from tests.peers.running_node import quick_settings, running_node

RUN = CliRunner()


def _config(folder: Path, settings: Settings) -> str:
    path = folder / "config.yaml"
    save_settings(settings, path)
    return str(path)


def _settings(folder: Path, port: int, *destinations: Destination) -> Settings:
    return Settings(
        node=NodeSettings(data=folder / "data"),
        receive=ReceiveSettings(
            address="127.0.0.1",
            port=port,
            allow=(AllowedPeer(ae_title="SCANNER", address="127.0.0.1"),),
        ),
        destinations=destinations,
    )


def test_version_is_printed() -> None:
    assert RUN.invoke(app, ["--version"]).stdout.startswith("perfnode ")


def test_check_of_a_good_node_is_good(tmp_path: Path, free_port: Callable[[], int]) -> None:
    with running_archive(tmp_path / "archive") as archive:
        peer = Destination(name="A", ae_title="ARCHIVE", address="127.0.0.1", port=archive.port)
        config = _config(tmp_path, _settings(tmp_path, free_port(), peer))
        done = RUN.invoke(app, ["check", "--config", config, "--json"])
    checks = json.loads(done.stdout)
    assert done.exit_code == 0, checks
    assert {"configuration", "data folder", "port", "callers", "compute", "networks", "peer A"} == {
        check["name"] for check in checks
    }


def test_check_names_everything_that_is_wrong(tmp_path: Path, free_port: Callable[[], int]) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    peer = Destination(name="GONE", ae_title="GONE", address="127.0.0.1", port=free_port())
    settings = Settings(
        node=NodeSettings(data=in_the_way / "data"),
        receive=ReceiveSettings(address="127.0.0.1", port=free_port()),
        destinations=(peer,),
    )
    done = RUN.invoke(app, ["check", "--config", _config(tmp_path, settings), "--json"])
    bad = {check["name"] for check in json.loads(done.stdout) if not check["is_good"]}
    assert done.exit_code == 1
    assert bad == {"data folder", "callers", "peer GONE"}


def test_wrong_configuration_ends_with_its_own_code(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("receive:\n  port: many\n")
    done = RUN.invoke(app, ["check", "--config", str(path)])
    assert done.exit_code == 2
    assert "line 2: receive.port" in done.stderr


def test_echo_of_an_unknown_name_lists_the_known(tmp_path: Path) -> None:
    done = RUN.invoke(app, ["echo", "NOBODY", "--config", _config(tmp_path, Settings())])
    assert done.exit_code == 1
    assert "configured: none" in done.stderr


def test_serve_refuses_a_port_in_use(tmp_path: Path, free_port: Callable[[], int]) -> None:
    with running_archive(tmp_path / "archive") as archive:
        config = _config(tmp_path, _settings(tmp_path, archive.port))
        done = RUN.invoke(app, ["serve", "--config", config])
    assert done.exit_code == 3
    assert f"port {archive.port}" in " ".join(done.stderr.split())


def test_serve_refuses_a_data_folder_that_cannot_be_made(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    (tmp_path / "data").write_text("a file stands where the folder should be")
    config = _config(tmp_path, _settings(tmp_path, free_port()))
    done = RUN.invoke(app, ["serve", "--config", config])
    assert done.exit_code == 3
    assert "data" in done.stderr


def test_simulate_writes_images_and_truth(tmp_path: Path) -> None:
    done = RUN.invoke(app, ["simulate", str(tmp_path / "exam"), "--truth", str(tmp_path / "t.npz")])
    assert done.exit_code == 0, done.stderr
    assert len(list((tmp_path / "exam").glob("*.dcm"))) == 252
    assert (tmp_path / "t.npz").stat().st_size > 0


def test_simulate_writes_random_protocols(tmp_path: Path) -> None:
    options = ["--protocol", "random", "--seed", "5006", "--truth", str(tmp_path / "t.npz")]
    done = RUN.invoke(app, ["simulate", str(tmp_path / "exam"), *options])
    assert done.exit_code == 0, done.stderr
    protocol = random_protocol(5006)
    n_echoes = 1 if protocol.arterial_second_echo_time_s is None else 2
    n_images = protocol.n_beats * (protocol.n_slices + n_echoes)
    assert len(list((tmp_path / "exam").glob("*.dcm"))) == n_images
    with np.load(tmp_path / "t.npz", allow_pickle=False) as truth:
        assert truth["slices.0.truth.flow_ml_min_g"].shape == protocol.reconstruction.delivered(
            protocol.matrix
        )


def test_simulate_speaks_any_dialect(tmp_path: Path) -> None:
    words = ["--vendor", "philips", "--form", "enhanced", "--syntax", "jpegls"]
    options = ["--shuffle", "--pd-series", "--second-echo"]
    done = RUN.invoke(app, ["simulate", str(tmp_path), *words, *options])
    assert done.exit_code == 0, done.stderr
    assert "4 philips enhanced files" in done.stdout
    images = [dcmread(path) for path in tmp_path.glob("*.dcm")]
    counts = {image.SeriesNumber: image.NumberOfFrames for image in images}
    assert counts == {11: 2 * 60, 12: 3 * 60, 13: 2 * 3, 14: 3 * 3}
    assert {image.file_meta.TransferSyntaxUID for image in images} == {JPEGLSLossless}


def test_simulate_refuses_a_peer_it_cannot_read(tmp_path: Path) -> None:
    done = RUN.invoke(app, ["simulate", str(tmp_path), "--send", "nowhere"])
    assert done.exit_code == 1
    assert "AETITLE@host:port" in done.stderr


def test_process_writes_results_and_says_why_there_is_no_flow(tmp_path: Path) -> None:
    write_small_exam(tmp_path / "all")
    for path in series(sorted((tmp_path / "all").iterdir()), 11):
        path.unlink()
    (tmp_path / "all" / "notes.txt").write_text("not DICOM")
    done = RUN.invoke(app, ["process", str(tmp_path / "all"), str(tmp_path / "out")])
    assert done.exit_code == 1
    assert "left out notes.txt" in done.stderr
    assert "P05" in done.stderr
    names = {path.name.partition("_")[2] for path in (tmp_path / "out" / "study1").iterdir()}
    assert {"moco.dcm", "failure.dcm", "available.png", "stress.png"} <= names
    numbers = json.loads((tmp_path / "out" / "study1" / "measurements.json").read_text())
    assert [exam["state"] for exam in numbers["exams"]] == ["stress"]


@pytest.mark.parametrize("source", ["empty", "absent"])
def test_process_of_nothing_is_refused(tmp_path: Path, source: str) -> None:
    (tmp_path / "empty").mkdir()
    done = RUN.invoke(app, ["process", str(tmp_path / source), str(tmp_path / "out")])
    assert done.exit_code == 1
    assert "error:" in done.stderr
    assert not (tmp_path / "out").exists()


def test_study_commands_tell_the_history_and_retry_sends_the_same_objects(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    with running_archive(tmp_path / "archive") as archive:
        peer = Destination(name="A", ae_title="ARCHIVE", address="127.0.0.1", port=archive.port)
        settings = quick_settings(tmp_path / "data", free_port(), (peer,))
        with running_node(tmp_path, settings) as node:
            node.send(series(write_small_exam(tmp_path / "scanner"), 12))
            reference = node.wait_for(StudyState.FAILED).reference
            before = {path.name: path.read_bytes() for path in archive.files()}
            config = ["--config", str(tmp_path / "config.yaml")]
            assert RUN.invoke(app, ["study", "retry", reference, *config]).exit_code == 0
            node.wait_for(StudyState.FAILED, revision=2)
            after = {path.name: path.read_bytes() for path in archive.files()}
        shown = json.loads(RUN.invoke(app, ["study", "show", reference, *config, "--json"]).stdout)
        listed = json.loads(RUN.invoke(app, ["studies", *config, "--json"]).stdout)
        counted = json.loads(RUN.invoke(app, ["status", *config, "--json"]).stdout)
    assert after == before
    assert shown["failure_code"] == "P05"
    assert [event["state"] for event in shown["events"]][-1] == "failed"
    assert [row["reference"] for row in listed] == [reference]
    assert counted["studies"]["failed"] == 1
    assert RUN.invoke(app, ["study", "show", "S-nobody", *config]).exit_code == 1
