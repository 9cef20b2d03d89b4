"""The loop over studies: complete, in step with the engine, undisturbed by clocks and trouble."""

from datetime import timedelta
from pathlib import Path

import pytest

from node.settings import CompleteSettings
from node.work.janitor import Janitor
from node.work.port import Job
from storage.catalogue import Catalogue
from storage.records import CompletedBy, StudyState
from tests.fakes.recording_engine import RecordingEngine
from tests.fakes.records import outgoing, received, result
from tests.fakes.ticking_clock import TickingClock

SETTINGS = CompleteSettings(quiet_s=5, idle_s=60, check_every_s=1)


class Seconds:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def engine() -> RecordingEngine:
    return RecordingEngine()


@pytest.fixture
def janitor(
    tmp_path: Path,
    catalogue: Catalogue,
    engine: RecordingEngine,
    clock: TickingClock,
    seconds: Seconds,
) -> Janitor:
    return Janitor(
        catalogue=catalogue,
        engine=engine,
        settings=SETTINGS,
        data_folder=tmp_path,
        clock=clock,
        monotonic=seconds,
    )


def receive(catalogue: Catalogue, *, is_open: bool = False) -> int:
    association = catalogue.open_association("SCANNER", "127.0.0.1")
    catalogue.record_instance(received(association_id=association))
    if not is_open:
        catalogue.close_association(association)
    return association


def test_a_released_study_is_queued_after_the_quiet_time(
    janitor: Janitor, catalogue: Catalogue, engine: RecordingEngine, seconds: Seconds
) -> None:
    receive(catalogue)
    janitor.look()
    seconds.now_s += SETTINGS.quiet_s - 0.1
    janitor.look()
    assert engine.submitted == []
    seconds.now_s += 0.2
    janitor.look()
    (study,) = catalogue.studies()
    assert (study.state, study.completed_by) == (StudyState.QUEUED, CompletedBy.RELEASE)
    assert engine.submitted == [Job(study_id=study.id, revision=1)]
    assert engine.wanted == engine.submitted


def test_an_open_association_waits_for_the_idle_timer(
    janitor: Janitor, catalogue: Catalogue, seconds: Seconds
) -> None:
    receive(catalogue, is_open=True)
    janitor.look()
    seconds.now_s += SETTINGS.idle_s - 0.1
    janitor.look()
    assert catalogue.studies()[0].state is StudyState.RECEIVING
    seconds.now_s += 0.2
    janitor.look()
    assert catalogue.studies()[0].completed_by is CompletedBy.IDLE


def test_every_instance_and_association_starts_the_waiting_anew(
    janitor: Janitor, catalogue: Catalogue, seconds: Seconds
) -> None:
    association = receive(catalogue, is_open=True)
    for number in range(2, 5):
        janitor.look()
        seconds.now_s += SETTINGS.quiet_s - 1
        catalogue.record_instance(received(instance=number, association_id=association))
    janitor.look()
    catalogue.close_association(association)
    seconds.now_s += SETTINGS.quiet_s - 1
    janitor.look()
    assert catalogue.studies()[0].state is StudyState.RECEIVING
    seconds.now_s += SETTINGS.quiet_s
    janitor.look()
    assert catalogue.studies()[0].state is StudyState.QUEUED


@pytest.mark.parametrize("jump", [timedelta(days=1), timedelta(hours=-1)])
def test_a_clock_step_completes_nothing(
    janitor: Janitor, catalogue: Catalogue, clock: TickingClock, seconds: Seconds, jump: timedelta
) -> None:
    receive(catalogue)
    janitor.look()
    clock.now += jump
    seconds.now_s += 1
    janitor.look()
    assert catalogue.studies()[0].state is StudyState.RECEIVING


def test_a_late_instance_makes_a_new_revision_that_is_queued_again(
    janitor: Janitor, catalogue: Catalogue, engine: RecordingEngine, seconds: Seconds
) -> None:
    for instance in (1, 2):
        catalogue.record_instance(received(instance=instance))
        janitor.look()
        seconds.now_s += SETTINGS.idle_s
        janitor.look()
    assert [job.revision for job in engine.submitted] == [1, 2]


def test_an_engine_that_is_down_stops_nothing_else(
    janitor: Janitor, catalogue: Catalogue, engine: RecordingEngine, seconds: Seconds
) -> None:
    engine.is_down = True
    receive(catalogue)
    janitor.look()
    seconds.now_s += SETTINGS.quiet_s
    janitor.look()
    assert catalogue.studies()[0].state is StudyState.QUEUED
    engine.is_down = False
    janitor.look()
    assert engine.wanted == [Job(study_id=catalogue.studies()[0].id, revision=1)]


def test_a_study_without_pending_deliveries_is_settled(
    janitor: Janitor, catalogue: Catalogue, outbox, seconds: Seconds
) -> None:
    receive(catalogue)
    (study,) = catalogue.studies()
    catalogue.force(study.id)
    catalogue.start(study.id, 1)
    catalogue.commit_results(study.id, 1, outgoing([result(1)], ["PACS"]))
    janitor.look()
    assert catalogue.study(study.id).state is StudyState.SENDING
    (delivery,) = outbox.due(10)
    outbox.mark_sent(delivery.id)
    janitor.look()
    assert catalogue.study(study.id).state is StudyState.DONE


def test_only_recent_heartbeats_count_as_living(
    janitor: Janitor, catalogue: Catalogue, engine: RecordingEngine, clock: TickingClock
) -> None:
    catalogue.touch_heartbeat("worker-1", 1)
    clock.advance(61)
    catalogue.touch_heartbeat("worker-2", 2)
    janitor.look()
    assert engine.living == {"worker-2"}
