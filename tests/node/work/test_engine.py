"""Durable jobs for real: processes killed at the worst moment, a database deleted, a poison job.

The engine runs in processes of its own, as in the product: its registry is global to a process.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

import pytest

from node.errors import TransientError
from node.work.engine import EngineClient
from node.work.port import Job
from node.work.worker import ENGINE_FILE
from storage.catalogue import Catalogue
from storage.database import Database
from storage.records import Study, StudyState
from tests.fakes.records import received

PATIENCE_S = 60
StartWorker = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def catalogue(database: Database) -> Catalogue:
    return Catalogue(database, datetime.now)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[EngineClient]:
    client = EngineClient(tmp_path / ENGINE_FILE)
    yield client
    client.close()


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[StartWorker]:
    workers: list[subprocess.Popen[bytes]] = []

    def start(behaviour: str, slot: str = "worker-1") -> subprocess.Popen[bytes]:
        command = [sys.executable, "-W", "error", "-m", "tests.fakes.worker_process"]
        workers.append(subprocess.Popen([*command, str(tmp_path), slot, behaviour]))
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()
        worker.wait()


def queue_study(catalogue: Catalogue, number: int = 1) -> Study:
    catalogue.record_instance(received(study=number))
    study = catalogue.studies()[-1]
    catalogue.force(study.id)
    return catalogue.study(study.id)


def job(study: Study) -> Job:
    return Job(study_id=study.id, revision=study.revision)


def wanted(catalogue: Catalogue) -> list[Job]:
    return [job(study) for study in catalogue.studies(StudyState.QUEUED, StudyState.RUNNING)]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def test_a_job_runs_once_however_often_it_is_submitted(
    tmp_path: Path, catalogue: Catalogue, client: EngineClient, start_worker: StartWorker
) -> None:
    studies = [queue_study(catalogue, number) for number in (1, 2)]
    for study in studies * 3:
        client.submit(job(study))
    client.reconcile(lambda: wanted(catalogue))
    worker = start_worker("finish")
    wait_until(lambda: len(catalogue.studies(StudyState.DONE)) == 2)
    client.reconcile(lambda: wanted(catalogue))
    assert sorted(lines(tmp_path / "attempts")) == [f"{study.id} 1 1" for study in studies]
    worker.terminate()
    assert worker.wait(PATIENCE_S) == 0


def test_a_killed_worker_finishes_its_job_after_the_restart(
    tmp_path: Path, catalogue: Catalogue, client: EngineClient, start_worker: StartWorker
) -> None:
    study = queue_study(catalogue)
    client.submit(job(study))
    worker = start_worker("wait")
    wait_until(lambda: len(lines(tmp_path / "attempts")) == 1)
    worker.kill()
    worker.wait()
    (tmp_path / "go").touch()
    start_worker("wait")
    wait_until(lambda: catalogue.study(study.id).state is StudyState.DONE)
    assert lines(tmp_path / "attempts") == [f"{study.id} 1 1", f"{study.id} 1 2"]
    assert lines(tmp_path / "finished") == [str(study.id)]


def test_a_stop_during_a_job_is_quick_and_costs_no_attempt(
    tmp_path: Path, catalogue: Catalogue, client: EngineClient, start_worker: StartWorker
) -> None:
    study = queue_study(catalogue)
    client.submit(job(study))
    worker = start_worker("wait")
    wait_until(lambda: len(lines(tmp_path / "attempts")) == 1)
    worker.terminate()
    assert worker.wait(PATIENCE_S) == 0
    assert catalogue.study(study.id).state is StudyState.RUNNING
    start_worker("finish")
    wait_until(lambda: catalogue.study(study.id).state is StudyState.DONE)
    assert lines(tmp_path / "attempts") == [f"{study.id} 1 1"] * 2


def test_the_job_of_a_lost_worker_goes_to_another_slot(
    tmp_path: Path, catalogue: Catalogue, client: EngineClient, start_worker: StartWorker
) -> None:
    study = queue_study(catalogue)
    client.submit(job(study))
    lost = start_worker("wait", "worker-1")
    wait_until(lambda: len(lines(tmp_path / "attempts")) == 1)
    assert client.reap({"worker-1"}) == 0
    lost.kill()
    lost.wait()
    (tmp_path / "go").touch()
    start_worker("wait", "worker-2")
    assert client.reap({"worker-2"}) == 1
    wait_until(lambda: catalogue.study(study.id).state is StudyState.DONE)


def test_a_deleted_database_is_rebuilt_from_our_tables(
    tmp_path: Path, catalogue: Catalogue, client: EngineClient, start_worker: StartWorker
) -> None:
    waiting = queue_study(catalogue, 1)
    client.submit(job(waiting))
    worker = start_worker("wait")
    wait_until(lambda: len(lines(tmp_path / "attempts")) == 1)
    (tmp_path / ENGINE_FILE).unlink()
    assert worker.wait(PATIENCE_S) == 0, "a worker with a job leaves in good order"
    client.reconcile(lambda: wanted(catalogue))
    (tmp_path / "go").touch()
    start_worker("finish")
    wait_until(lambda: catalogue.study(waiting.id).state is StudyState.DONE)
    late = queue_study(catalogue, 2)
    client.submit(job(late))
    wait_until(lambda: catalogue.study(late.id).state is StudyState.DONE)
    assert lines(tmp_path / "attempts")[:2] == [f"{waiting.id} 1 1"] * 2, "the stop cost no attempt"


def test_a_job_that_kills_its_process_ends_failed_with_p14(
    tmp_path: Path, catalogue: Catalogue, client: EngineClient, start_worker: StartWorker
) -> None:
    study = queue_study(catalogue)
    client.submit(job(study))
    for _ in range(2):
        assert start_worker("die").wait(PATIENCE_S) == -signal.SIGKILL
    start_worker("die")
    wait_until(lambda: catalogue.study(study.id).state is StudyState.FAILED)
    assert catalogue.study(study.id).failure_code == "P14"
    client.reconcile(lambda: wanted(catalogue))
    assert lines(tmp_path / "attempts") == [f"{study.id} 1 1", f"{study.id} 1 2"]


def test_a_job_that_ended_for_the_engine_only_runs_again(
    tmp_path: Path, catalogue: Catalogue, client: EngineClient, start_worker: StartWorker
) -> None:
    """As after our database was restored from a backup: the engine thinks it is all done."""
    study = queue_study(catalogue)
    client.submit(job(study))
    start_worker("finish")
    wait_until(lambda: len(lines(tmp_path / "finished")) == 1)
    again = catalogue.retry(study.id)
    client.submit(Job(study_id=study.id, revision=1))
    client.reconcile(lambda: wanted(catalogue))
    wait_until(lambda: catalogue.study(again.id).state is StudyState.DONE)
    assert lines(tmp_path / "attempts") == [f"{study.id} 1 1", f"{study.id} 2 1"]


def test_two_workers_in_one_slot_are_refused(
    tmp_path: Path, catalogue: Catalogue, start_worker: StartWorker, capfd
) -> None:
    start_worker("wait")
    wait_until(lambda: bool(catalogue.heartbeats()))
    assert start_worker("wait").wait(PATIENCE_S) == 3
    assert "another worker-1 is running" in capfd.readouterr().err


def test_a_log_left_by_a_deleted_database_is_not_replayed(tmp_path: Path) -> None:
    file = tmp_path / ENGINE_FILE
    client = EngineClient(file)
    client.submit(Job(study_id=1, revision=1))
    file.unlink()
    client.submit(Job(study_id=2, revision=1))
    assert client.reap({"nobody"}) == 0
    client.close()
    second = EngineClient(file)
    second.reconcile(list)
    second.close()


def test_an_unusable_database_is_transient(tmp_path: Path, client: EngineClient) -> None:
    file = tmp_path / ENGINE_FILE
    file.unlink()
    file.mkdir()
    with pytest.raises(TransientError):
        client.submit(Job(study_id=1, revision=1))
    file.rmdir()
    client.submit(Job(study_id=1, revision=1))


def test_the_paid_part_of_the_engine_is_not_installed() -> None:
    assert find_spec("dbos_enterprise") is None


def test_nothing_personal_reaches_the_engine(
    tmp_path: Path, catalogue: Catalogue, client: EngineClient, start_worker: StartWorker, capfd
) -> None:
    study = queue_study(catalogue)
    client.submit(job(study))
    start_worker("raise")
    wait_until(lambda: catalogue.study(study.id).state is StudyState.FAILED)
    written = b"".join(
        file.read_bytes() for file in tmp_path.glob(f"{ENGINE_FILE}*") if file.is_file()
    )
    assert b"PATIENT^NAME" not in written
    assert "PATIENT^NAME" not in capfd.readouterr().err
    assert (tmp_path / ENGINE_FILE).exists()
