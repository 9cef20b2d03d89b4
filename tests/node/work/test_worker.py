"""One job to its end, with real tables: attempts, failures, superseded work, a stop in order."""

import threading
import time
from collections.abc import Callable

import pytest

from node.errors import UnusableStudyError
from node.settings import ComputeSettings
from node.work.threads import threads_per_worker
from node.work.worker import JobRunner, Pace
from pipeline.findings import Code
from storage.catalogue import Catalogue
from storage.records import Failure, Outgoing, Run, Study, StudyState
from tests.fakes.records import outgoing, received, result

MAX_ATTEMPTS = 3


@pytest.fixture
def study(catalogue: Catalogue) -> Study:
    catalogue.record_instance(received())
    (study,) = catalogue.studies()
    catalogue.force(study.id)
    return study


def runner_of(
    catalogue: Catalogue,
    compute: Callable[[Run], None],
    give_up: Callable[[Run, Failure], None] | None = None,
) -> JobRunner:
    return JobRunner(
        catalogue=catalogue,
        compute=compute,
        give_up=give_up,
        max_attempts=MAX_ATTEMPTS,
        pace=Pace(retry_pause_s=0.001),
    )


def test_a_computed_study_leaves_running(catalogue: Catalogue, study: Study) -> None:
    def compute(run: Run) -> None:
        catalogue.commit_results(run.study_id, run.revision, outgoing([result(1)], ["PACS"]))

    runner_of(catalogue, compute)(study.id, 1)
    assert catalogue.study(study.id).state is StudyState.SENDING


def test_an_error_is_tried_again_with_the_same_run(catalogue: Catalogue, study: Study) -> None:
    runs: list[Run] = []

    def compute(run: Run) -> None:
        runs.append(run)
        if len(runs) < MAX_ATTEMPTS:
            raise OSError("disk trouble")
        catalogue.commit_results(run.study_id, run.revision, Outgoing())

    runner_of(catalogue, compute)(study.id, 1)
    assert catalogue.study(study.id).state is StudyState.DONE
    assert [run.attempt for run in runs] == [1, 2, 3]
    assert len({(run.id, run.started_at) for run in runs}) == 1


def test_after_the_last_attempt_the_study_fails_with_p14(
    catalogue: Catalogue, study: Study
) -> None:
    attempts: list[int] = []

    def compute(run: Run) -> None:
        attempts.append(run.attempt)
        raise ValueError("DOE^JANE")

    runner_of(catalogue, compute)(study.id, 1)
    failed = catalogue.study(study.id)
    assert (failed.state, failed.failure_code) == (StudyState.FAILED, Code.TECHNICAL_ERROR)
    assert failed.failure_text is not None
    assert study.reference in failed.failure_text
    assert "DOE" not in failed.failure_text
    assert attempts == [1, 2, 3]


def test_a_computation_that_forgets_to_commit_ends_failed(
    catalogue: Catalogue, study: Study
) -> None:
    runner_of(catalogue, lambda _run: None)(study.id, 1)
    assert catalogue.study(study.id).state is StudyState.FAILED


def test_a_study_that_cannot_be_used_fails_at_once(catalogue: Catalogue, study: Study) -> None:
    def compute(_run: Run) -> None:
        raise UnusableStudyError(Code.NO_PERFUSION_SERIES, "only localisers")

    runner_of(catalogue, compute)(study.id, 1)
    failed = catalogue.study(study.id)
    assert (failed.failure_code, failed.failure_text) == ("P01", "only localisers")
    assert any("attempt" in event.reason for event in catalogue.events(study.id)) is False


def test_the_failure_page_goes_out_and_its_own_failure_costs_only_the_page(
    catalogue: Catalogue, study: Study, outbox
) -> None:
    def compute(_run: Run) -> None:
        raise ValueError

    def give_up(run: Run, failure: Failure) -> None:
        catalogue.commit_results(
            run.study_id, run.revision, outgoing([result(1)], ["PACS"]), failure
        )

    runner_of(catalogue, compute, give_up)(study.id, 1)
    assert catalogue.study(study.id).state is StudyState.FAILED
    assert len(outbox.due(10)) == 1
    again = catalogue.retry(study.id)

    def give_up_badly(_run: Run, _failure: Failure) -> None:
        raise ValueError

    runner_of(catalogue, compute, give_up_badly)(study.id, again.revision)
    assert catalogue.study(study.id).failure_code == "P14"


def test_superseded_work_is_dropped(catalogue: Catalogue, study: Study) -> None:
    def compute(run: Run) -> None:
        catalogue.record_instance(received(instance=2))
        assert not catalogue.commit_results(run.study_id, run.revision, Outgoing())

    runner = runner_of(catalogue, compute)
    runner(study.id, 1)
    assert catalogue.study(study.id).state is StudyState.RECEIVING
    runner(study.id, 1)
    assert catalogue.study(study.id).revision == 2


def test_an_unknown_study_is_left(catalogue: Catalogue) -> None:
    runner_of(catalogue, lambda _run: None)(999, 1)


def test_a_stop_in_good_order_costs_no_attempt(catalogue: Catalogue, study: Study) -> None:
    go = threading.Event()
    attempts: list[int] = []

    def compute(run: Run) -> None:
        attempts.append(run.attempt)
        go.wait(30)
        catalogue.commit_results(run.study_id, run.revision, Outgoing())

    runner = runner_of(catalogue, compute)
    thread = threading.Thread(target=runner, args=(study.id, 1))
    thread.start()
    while not attempts:
        time.sleep(0.001)
    assert runner.is_busy
    runner.interrupt()
    assert catalogue.start(study.id, 1).attempt == 1  # type: ignore[union-attr]  # fails the test
    go.set()
    thread.join()
    assert not runner.is_busy


def test_cores_are_shared_between_workers() -> None:
    one = threads_per_worker(ComputeSettings(workers=1))
    assert threads_per_worker(ComputeSettings(workers=64)) >= 1
    assert threads_per_worker(ComputeSettings(workers=2)) <= one
    assert threads_per_worker(ComputeSettings(threads=7)) == 7
