"""What a file, a computation and an operator do to the catalogue."""

import pytest

from storage.catalogue import Catalogue
from storage.errors import IllegalTransitionError, UnknownStudyError
from storage.outbox import Outbox
from storage.records import (
    Admission,
    CompletedBy,
    DeliveryStatus,
    Failure,
    InstanceStatus,
    Outgoing,
    Run,
    Study,
    StudyState,
)
from tests.fakes.records import outgoing, received, result
from tests.fakes.ticking_clock import START, TickingClock


def only(catalogue: Catalogue) -> Study:
    (study,) = catalogue.studies()
    return study


def running(catalogue: Catalogue) -> Run:
    """Bring a study with one instance to its computation."""
    catalogue.record_instance(received())
    study = only(catalogue)
    assert catalogue.complete(study.id, study.revision, CompletedBy.GRID)
    run = catalogue.start(study.id, study.revision)
    assert run is not None
    return run


def test_first_instance_makes_the_study(catalogue: Catalogue) -> None:
    assert catalogue.record_instance(received()) is Admission.NEW
    study = only(catalogue)
    assert (study.state, study.revision, study.n_instances) == (StudyState.RECEIVING, 1, 1)
    assert study.first_received_at == study.last_received_at == START
    assert study.reference.startswith("S-")
    assert len(study.reference) == 8
    assert catalogue.find_study(study.reference) == study == catalogue.study(study.id)
    assert catalogue.find_study("S-nobody") is None
    assert [event.reason for event in catalogue.events(study.id)] == ["first instance"]


def test_reference_is_the_same_in_a_rebuilt_catalogue_and_unique(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue.record_instance(received(study=1))
    first = only(catalogue).reference
    monkeypatch.setattr("storage.admission.REFERENCE_DIGITS", 1)
    for number in range(2, 12):
        catalogue.record_instance(received(study=number))
    references = [study.reference for study in catalogue.studies()]
    assert first == "S-4974ae"
    assert len(set(references)) == 11


def test_last_received_is_written_with_each_instance(
    catalogue: Catalogue, clock: TickingClock
) -> None:
    catalogue.record_instance(received(instance=1))
    clock.advance(3)
    catalogue.record_instance(received(instance=2))
    assert (only(catalogue).last_received_at - START).total_seconds() == 3


def test_the_same_bytes_again_change_nothing(catalogue: Catalogue, clock: TickingClock) -> None:
    run = running(catalogue)
    catalogue.commit_results(run.study_id, run.revision, Outgoing())
    before = only(catalogue), catalogue.events(run.study_id), catalogue.instances(run.study_id)
    clock.advance(60)
    assert catalogue.record_instance(received()) is Admission.DUPLICATE
    after = only(catalogue), catalogue.events(run.study_id), catalogue.instances(run.study_id)
    assert after == before


def test_other_bytes_are_kept_as_conflict_and_do_not_reopen(catalogue: Catalogue) -> None:
    run = running(catalogue)
    assert catalogue.record_instance(received(content="x")) is Admission.CONFLICT
    assert catalogue.record_instance(received(content="x")) is Admission.DUPLICATE
    assert catalogue.record_instance(received(content="y")) is Admission.CONFLICT
    statuses = [instance.status for instance in catalogue.instances(run.study_id)]
    assert statuses == [InstanceStatus.ACCEPTED, *[InstanceStatus.CONFLICT] * 2]
    study = only(catalogue)
    assert (study.state, study.n_instances) == (StudyState.RUNNING, 1)
    assert "other bytes" in catalogue.events(run.study_id)[-1].reason


def test_the_same_instance_in_two_series_is_kept_twice(catalogue: Catalogue) -> None:
    catalogue.record_instance(received())
    twin = received()
    moved = type(twin)(
        **{name: getattr(twin, name) for name in twin.__dataclass_fields__}
        | {"series_uid": "1.2.3.1.99"}
    )
    assert catalogue.record_instance(moved) is Admission.NEW
    assert only(catalogue).n_instances == 2


@pytest.mark.parametrize(
    "state", [state for state in StudyState if state is not StudyState.RECEIVING]
)
def test_a_late_instance_reopens_as_a_new_revision(catalogue: Catalogue, state: StudyState) -> None:
    catalogue.record_instance(received())
    study = only(catalogue)
    catalogue.complete(study.id, 1, CompletedBy.IDLE)
    if state is not StudyState.QUEUED:
        catalogue.start(study.id, 1)
    failure = Failure(code="P04", text="no bolus") if state is StudyState.FAILED else None
    if state not in (StudyState.QUEUED, StudyState.RUNNING):
        destinations = [] if state is StudyState.DONE else ["PACS"]
        catalogue.commit_results(study.id, 1, outgoing([result(1)], destinations), failure)
    if state is StudyState.REJECTED:
        catalogue.reject(study.id, outgoing([], ["PACS"]), "quality")
    assert only(catalogue).state is state
    assert catalogue.record_instance(received(instance=2)) is Admission.NEW
    study = only(catalogue)
    assert (study.state, study.revision) == (StudyState.RECEIVING, 2)
    assert (study.completed_by, study.failure_code, study.progress_fraction) == (None, None, 0)
    assert not catalogue.complete(study.id, 1, CompletedBy.GRID)
    assert catalogue.start(study.id, 1) is None
    assert not catalogue.commit_results(study.id, 1, Outgoing())


def test_what_processing_does_not_use_neither_reopens_nor_queues(catalogue: Catalogue) -> None:
    catalogue.record_instance(received(is_ignored=True))
    study = only(catalogue)
    assert study.n_instances == 0
    assert not catalogue.complete(study.id, 1, CompletedBy.IDLE)
    assert not catalogue.force(study.id)
    catalogue.record_instance(received(instance=2))
    assert catalogue.complete(study.id, 1, CompletedBy.IDLE)
    catalogue.record_instance(received(instance=3, is_ignored=True))
    assert only(catalogue).state is StudyState.QUEUED


def test_an_own_result_that_comes_back_is_ignored(catalogue: Catalogue) -> None:
    run = running(catalogue)
    own = result(1)
    catalogue.commit_results(run.study_id, run.revision, outgoing([own], []))
    echo = received()
    returned = type(echo)(
        **{name: getattr(echo, name) for name in echo.__dataclass_fields__}
        | {"series_uid": own.series_uid, "sop_uid": own.sop_uid}
    )
    assert catalogue.record_instance(returned) is Admission.NEW
    assert catalogue.instances(run.study_id)[-1].status is InstanceStatus.IGNORED
    assert only(catalogue).state is StudyState.DONE


def test_associations_are_counted_per_study(catalogue: Catalogue, clock: TickingClock) -> None:
    first = catalogue.open_association("SCANNER", "10.0.0.1")
    second = catalogue.open_association("SCANNER", "10.0.0.1")
    catalogue.record_instance(received(instance=1, association_id=first))
    catalogue.record_instance(received(instance=2, association_id=first))
    catalogue.record_instance(received(instance=3, association_id=second))
    catalogue.record_instance(received(study=2, association_id=second))
    study, other = catalogue.studies()
    assert (study.n_open_associations, other.n_open_associations) == (2, 1)
    assert catalogue.association_last_released_at(study.id) is None
    clock.advance(1)
    catalogue.close_association(first)
    assert catalogue.study(study.id).n_open_associations == 1
    assert catalogue.association_last_released_at(study.id) == clock.now
    assert catalogue.association_last_released_at(other.id) is None
    clock.advance(1)
    catalogue.close_association(second)
    assert catalogue.association_last_released_at(study.id) == clock.now


def test_a_cut_association_is_no_release(catalogue: Catalogue, clock: TickingClock) -> None:
    released = catalogue.open_association("SCANNER", "10.0.0.1")
    cut = catalogue.open_association("SCANNER", "10.0.0.1")
    catalogue.record_instance(received(instance=1, association_id=released))
    catalogue.record_instance(received(instance=2, association_id=cut))
    study = only(catalogue)
    catalogue.close_association(released)
    assert catalogue.association_last_released_at(study.id) == clock.now
    clock.advance(1)
    catalogue.close_association(cut, is_released=False)
    catalogue.close_association(cut)  # closing twice changes nothing
    assert catalogue.association_last_released_at(study.id) is None
    assert only(catalogue).n_open_associations == 0


def test_a_restart_closes_what_was_open(catalogue: Catalogue) -> None:
    number = catalogue.open_association("SCANNER", "10.0.0.1")
    catalogue.record_instance(received(association_id=number))
    catalogue.close_all_associations()
    study = only(catalogue)
    assert study.n_open_associations == 0
    assert catalogue.association_last_released_at(study.id) is None


def test_completion_is_recorded_and_only_for_the_present_revision(catalogue: Catalogue) -> None:
    catalogue.record_instance(received())
    study = only(catalogue)
    assert not catalogue.complete(study.id, 2, CompletedBy.GRID)
    assert catalogue.complete(study.id, 1, CompletedBy.RELEASE)
    assert not catalogue.complete(study.id, 1, CompletedBy.IDLE)
    study = only(catalogue)
    assert (study.state, study.completed_by) == (StudyState.QUEUED, CompletedBy.RELEASE)
    assert "association released" in catalogue.events(study.id)[-1].reason


def test_a_restarted_computation_keeps_its_run(catalogue: Catalogue, clock: TickingClock) -> None:
    run = running(catalogue)
    clock.advance(100)
    again = catalogue.start(run.study_id, run.revision)
    assert again is not None
    assert (again.id, again.started_at, again.attempt) == (run.id, run.started_at, 2)


def test_progress_is_shown_only_while_computing(catalogue: Catalogue) -> None:
    run = running(catalogue)
    catalogue.progress(run.study_id, run.revision, 0.25, "motion correction")
    catalogue.progress(run.study_id, run.revision + 1, 0.75, "from the future")
    study = only(catalogue)
    assert (study.progress_fraction, study.progress_stage) == (0.25, "motion correction")
    catalogue.commit_results(run.study_id, run.revision, Outgoing())
    catalogue.progress(run.study_id, run.revision, 0.5, "too late")
    assert only(catalogue).progress_fraction == 1.0


def test_results_outbox_and_state_are_one_commit(catalogue: Catalogue, outbox: Outbox) -> None:
    run = running(catalogue)
    results = [result(1), result(2)]
    assert catalogue.commit_results(run.study_id, 1, outgoing(results, ["PACS", "TEACHING"]))
    assert catalogue.results(run.study_id, 1) == tuple(results)
    deliveries = outbox.deliveries(run.study_id)
    assert [(d.destination, d.sop_uid) for d in deliveries] == [
        ("PACS", "2.25.1.1"),
        ("PACS", "2.25.1.2"),
        ("TEACHING", "2.25.1.1"),
        ("TEACHING", "2.25.1.2"),
    ]
    assert only(catalogue).state is StudyState.SENDING
    assert not catalogue.commit_results(run.study_id, 1, outgoing(results, ["PACS"]))


def test_a_failed_study_still_sends_its_page(catalogue: Catalogue, outbox: Outbox) -> None:
    run = running(catalogue)
    failure = Failure(code="P04", text="bolus not covered")
    catalogue.commit_results(
        run.study_id, 1, outgoing([result(1, kind="failure")], ["PACS"]), failure
    )
    study = only(catalogue)
    assert (study.state, study.failure_code) == (StudyState.FAILED, "P04")
    assert study.failure_text == "bolus not covered"
    assert len(outbox.pending(study.id)) == 1
    assert not catalogue.settle(study.id)


def test_without_destination_the_study_is_done(catalogue: Catalogue) -> None:
    run = running(catalogue)
    catalogue.commit_results(run.study_id, 1, outgoing([result(1)], []))
    assert only(catalogue).state is StudyState.DONE


def test_a_new_revision_abandons_what_was_not_sent(catalogue: Catalogue, outbox: Outbox) -> None:
    run = running(catalogue)
    catalogue.commit_results(run.study_id, 1, outgoing([result(1), result(2)], ["PACS"]))
    outbox.mark_sent(outbox.deliveries(run.study_id)[0].id, None)
    catalogue.record_instance(received(instance=2))
    catalogue.force(run.study_id)
    catalogue.start(run.study_id, 2)
    catalogue.commit_results(run.study_id, 2, outgoing([result(1, revision=2)], ["PACS"]))
    by_id = sorted(outbox.deliveries(run.study_id), key=lambda delivery: delivery.id)
    assert [(d.revision, d.kind, d.status, d.is_retracted) for d in by_id] == [
        (1, "flow", DeliveryStatus.SENT, True),
        (1, "flow", DeliveryStatus.ABANDONED, False),
        (2, "flow", DeliveryStatus.PENDING, False),
        (2, "retraction", DeliveryStatus.PENDING, False),
    ]
    assert by_id[1].last_error == "superseded by revision 2"


def test_sending_settles_when_nothing_waits(catalogue: Catalogue, outbox: Outbox) -> None:
    run = running(catalogue)
    catalogue.commit_results(run.study_id, 1, outgoing([result(1), result(2)], ["PACS"]))
    first, second = outbox.deliveries(run.study_id)
    outbox.mark_sent(first.id, None)
    assert not catalogue.settle(run.study_id)
    outbox.abandon(second.id, "refused: SOP class not supported")
    assert catalogue.settle(run.study_id)
    assert not catalogue.settle(run.study_id)
    assert only(catalogue).state is StudyState.DONE


def test_retry_queues_a_finished_study_as_a_new_revision(catalogue: Catalogue) -> None:
    run = running(catalogue)
    with pytest.raises(IllegalTransitionError, match="S-4974ae is running"):
        catalogue.retry(run.study_id)
    catalogue.commit_results(run.study_id, 1, Outgoing(), Failure(code="P14", text="crash"))
    study = catalogue.retry(run.study_id)
    assert (study.state, study.revision) == (StudyState.QUEUED, 2)
    assert (study.completed_by, study.failure_code) == (CompletedBy.FORCED, None)
    again = catalogue.start(study.id, 2)
    assert again is not None
    assert again.id != run.id


def test_unknown_studies_are_refused(catalogue: Catalogue) -> None:
    with pytest.raises(UnknownStudyError):
        catalogue.study(1)
    with pytest.raises(UnknownStudyError):
        catalogue.force(1)


def test_studies_are_found_by_state(catalogue: Catalogue) -> None:
    catalogue.record_instance(received(study=1))
    catalogue.record_instance(received(study=2))
    catalogue.force(1)
    assert [study.id for study in catalogue.studies(StudyState.QUEUED)] == [1]
    assert [study.id for study in catalogue.studies()] == [1, 2]
    assert catalogue.studies(StudyState.DONE, StudyState.FAILED) == ()


def test_recorded_paths_are_listed(catalogue: Catalogue) -> None:
    catalogue.record_instance(received())
    assert catalogue.instance_paths() == {received().file.path}


def test_heartbeats_keep_the_last_sign_of_life(catalogue: Catalogue, clock: TickingClock) -> None:
    catalogue.touch_heartbeat("receiver", 10)
    clock.advance(5)
    catalogue.touch_heartbeat("receiver", 11)
    (beat,) = catalogue.heartbeats()
    assert (beat.process, beat.pid, beat.at) == ("receiver", 11, clock.now)
