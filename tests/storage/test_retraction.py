"""What was superseded or rejected is taken back where it may be, and nowhere else."""

from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine, text

from storage.catalogue import Catalogue
from storage.database import FILE_NAME, _alembic_config, open_database
from storage.errors import IllegalTransitionError, TransientStorageError
from storage.outbox import Outbox
from storage.records import (
    Delivery,
    Failure,
    Outgoing,
    Recipient,
    ResultFile,
    StudyState,
)
from tests.fakes.records import outgoing, received, result
from tests.fakes.ticking_clock import START

LATER = START + timedelta(seconds=30)


def compute(catalogue: Catalogue, sent: Outgoing, failure: Failure | None = None) -> int:
    """Bring the study through one more revision; return its number."""
    n_instances = sum(study.n_instances for study in catalogue.studies())
    catalogue.record_instance(received(instance=n_instances + 1))
    study = catalogue.studies()[0]
    catalogue.force(study.id)
    assert catalogue.start(study.id, study.revision) is not None
    assert catalogue.commit_results(study.id, study.revision, sent, failure)
    return study.id


def deliver(outbox: Outbox, *sop_uids: str, destination: str = "PACS") -> None:
    for delivery in outbox.due(100, destination=destination):
        if not sop_uids or delivery.sop_uid in sop_uids:
            assert outbox.begin(delivery.id)
            outbox.mark_sent(delivery.id, None)


def retractions(outbox: Outbox, destination: str = "PACS") -> list[list[str]]:
    """Return the identifiers in every retraction for a destination, oldest first."""
    rows = sorted(outbox.deliveries(1), key=lambda row: row.id)
    return [
        row.path.split()
        for row in rows
        if row.kind == "retraction" and row.destination == destination
    ]


def waiting(outbox: Outbox, sop_uid: str) -> Delivery:
    (found,) = [row for row in outbox.pending(1) if row.sop_uid == sop_uid]
    return found


def test_a_destination_gets_the_kinds_it_takes(catalogue: Catalogue, outbox: Outbox) -> None:
    results = (result(1), result(2, kind="page"), result(3, kind="failure"))
    recipients = (
        Recipient(name="PACS", kinds=None),
        Recipient(name="OLD", kinds=frozenset({"page", "failure"})),
    )
    study_id = compute(catalogue, Outgoing(results=results, recipients=recipients))
    sent = {(row.destination, row.kind) for row in outbox.pending(study_id)}
    assert sent == {("PACS", kind) for kind in ("flow", "page", "failure")} | {
        ("OLD", kind) for kind in ("page", "failure")
    }


def test_a_study_of_which_nobody_takes_anything_is_done(catalogue: Catalogue) -> None:
    nobody = Recipient(name="PACS", kinds=frozenset())
    compute(catalogue, Outgoing(results=(result(1),), recipients=(nobody,)))
    assert catalogue.studies()[0].state is StudyState.DONE


def test_each_destination_is_told_only_of_what_it_has(catalogue: Catalogue, outbox: Outbox) -> None:
    compute(catalogue, outgoing([result(1), result(2)], ["PACS", "VIEWER", "IDLE"]))
    deliver(outbox)
    deliver(outbox, "2.25.1.2", destination="VIEWER")
    compute(catalogue, outgoing([result(1, revision=2)], ["PACS", "VIEWER", "IDLE"]))
    assert retractions(outbox) == [["2.25.1.1", "2.25.1.2"]]
    assert retractions(outbox, "VIEWER") == [["2.25.1.2"]]
    assert retractions(outbox, "IDLE") == []


def test_destinations_with_the_same_objects_share_a_retraction(
    catalogue: Catalogue, outbox: Outbox
) -> None:
    compute(catalogue, outgoing([result(1)], ["PACS", "VIEWER"]))
    deliver(outbox)
    deliver(outbox, destination="VIEWER")
    study_id = compute(catalogue, outgoing([result(1, revision=2)], ["PACS", "VIEWER"]))
    kinds = [file.kind for file in catalogue.results(study_id, 2)]
    assert kinds == ["flow", "retraction"]


def test_what_still_holds_is_not_taken_back(catalogue: Catalogue, outbox: Outbox) -> None:
    compute(catalogue, outgoing([result(1), result(2)], ["PACS"]))
    deliver(outbox)
    study_id = compute(catalogue, outgoing([result(1)], ["PACS"]))
    assert retractions(outbox) == [["2.25.1.2"]]
    assert catalogue.retracted_uids(study_id) == {"2.25.1.2"}
    deliver(outbox)
    compute(catalogue, outgoing([result(9)], ["PACS"]))
    assert retractions(outbox) == [["2.25.1.2"], ["2.25.1.1"]]


def test_a_try_without_an_answer_is_taken_back_by_an_object_of_its_own(
    catalogue: Catalogue, outbox: Outbox
) -> None:
    compute(catalogue, outgoing([result(n) for n in (1, 2, 3)], ["PACS"]))
    deliver(outbox, "2.25.1.1")
    in_doubt = waiting(outbox, "2.25.1.2")
    assert outbox.begin(in_doubt.id)
    outbox.mark_retry(in_doubt.id, "no answer", LATER, is_answered=False)
    compute(catalogue, outgoing([result(1, revision=2)], ["PACS"]))
    assert sorted(retractions(outbox)) == [["2.25.1.1"], ["2.25.1.2"]]


def test_a_refused_object_is_not_there_and_is_not_taken_back(
    catalogue: Catalogue, outbox: Outbox
) -> None:
    compute(catalogue, outgoing([result(1), result(2)], ["PACS"]))
    first, second = outbox.due(2)
    for delivery in (first, second):
        assert outbox.begin(delivery.id)
    outbox.mark_retry(first.id, "the peer is out of resources", LATER, is_answered=True)
    outbox.abandon(second.id, "refused: 0xC000")
    compute(catalogue, outgoing([result(1, revision=2)], ["PACS"]))
    assert retractions(outbox) == []


def test_a_later_refusal_does_not_answer_an_earlier_try(
    catalogue: Catalogue, outbox: Outbox
) -> None:
    compute(catalogue, outgoing([result(1)], ["PACS"]))
    (delivery,) = outbox.due(1)
    for is_answered in (False, True):
        assert outbox.begin(delivery.id)
        outbox.mark_retry(delivery.id, "trouble", START, is_answered=is_answered)
    compute(catalogue, outgoing([result(1, revision=2)], ["PACS"]))
    assert retractions(outbox) == [["2.25.1.1"]]


def test_an_object_under_way_when_it_is_superseded(catalogue: Catalogue, outbox: Outbox) -> None:
    """It arrives and is taken back; what was read from the outbox before is not begun any more."""
    compute(catalogue, outgoing([result(1), result(2)], ["PACS"]))
    under_way, still_here = outbox.due(2)
    assert outbox.begin(under_way.id)
    compute(catalogue, outgoing([result(1, revision=2)], ["PACS"]))
    outbox.mark_sent(under_way.id, None)
    assert not outbox.begin(still_here.id)
    assert retractions(outbox) == [["2.25.1.1"]]


def test_a_failure_page_goes_when_a_result_comes(catalogue: Catalogue, outbox: Outbox) -> None:
    page = result(1, kind="failure")
    compute(catalogue, outgoing([page], ["PACS"]), Failure(code="P13", text="incomplete"))
    deliver(outbox)
    compute(catalogue, outgoing([result(1, revision=2)], ["PACS"]))
    assert retractions(outbox) == [[page.sop_uid]]


def test_a_retraction_outlives_later_revisions(catalogue: Catalogue, outbox: Outbox) -> None:
    compute(catalogue, outgoing([result(1)], ["PACS"]))
    deliver(outbox)
    compute(catalogue, outgoing([result(1, revision=2)], ["PACS"]))
    compute(catalogue, outgoing([result(1, revision=3)], ["PACS"]))
    pending = {row.kind: row.revision for row in outbox.pending(1)}
    assert pending == {"retraction": 2, "flow": 3}


def test_a_destination_that_is_not_configured_is_told_when_it_is_back(
    catalogue: Catalogue, outbox: Outbox
) -> None:
    compute(catalogue, outgoing([result(1)], ["PACS", "GONE"]))
    deliver(outbox, destination="GONE")
    compute(catalogue, outgoing([result(1, revision=2)], ["PACS"]))
    assert retractions(outbox, "GONE") == []
    compute(catalogue, outgoing([result(1, revision=3)], ["PACS", "GONE"]))
    assert retractions(outbox, "GONE") == [["2.25.1.1"]]


def test_rejecting_stops_what_waits_and_takes_back_the_rest(
    catalogue: Catalogue, outbox: Outbox
) -> None:
    study_id = compute(catalogue, outgoing([result(1), result(2)], ["PACS"]))
    deliver(outbox, "2.25.1.1")
    study = catalogue.reject(study_id, outgoing([], ["PACS"]), "safety")
    assert study.state is StudyState.REJECTED
    assert [row.kind for row in outbox.pending(study_id)] == ["retraction"]
    assert retractions(outbox) == [["2.25.1.1"]]
    assert catalogue.events(study_id)[-1].reason == "rejected by an operator: safety"


def test_rejecting_twice_is_rejecting_once(catalogue: Catalogue, outbox: Outbox) -> None:
    study_id = compute(catalogue, outgoing([result(1)], ["PACS"]))
    deliver(outbox)
    for _ in range(2):
        catalogue.reject(study_id, outgoing([], ["PACS"]), "quality")
    deliver(outbox)
    catalogue.reject(study_id, outgoing([], ["PACS"]), "quality")
    assert retractions(outbox) == [["2.25.1.1"]]
    assert outbox.pending(study_id) == ()


def test_a_study_under_way_cannot_be_rejected(catalogue: Catalogue) -> None:
    catalogue.record_instance(received())
    with pytest.raises(IllegalTransitionError, match="receiving"):
        catalogue.reject(1, outgoing([], ["PACS"]), "quality")


def test_without_the_retraction_there_is_no_new_result(
    catalogue: Catalogue, outbox: Outbox
) -> None:
    """The disk is full while it is written: all is as before, and can be tried again."""

    def fail(_: tuple[ResultFile, ...]) -> ResultFile:
        raise TransientStorageError("no space left")

    study_id = compute(catalogue, outgoing([result(1), result(2)], ["PACS"]))
    deliver(outbox, "2.25.1.1")
    catalogue.record_instance(received(instance=9))
    catalogue.force(study_id)
    catalogue.start(study_id, 2)
    new = outgoing([result(1, revision=2)], ["PACS"])
    broken = Outgoing(results=new.results, recipients=new.recipients, retract=fail)
    with pytest.raises(TransientStorageError):
        catalogue.commit_results(study_id, 2, broken)
    assert catalogue.study(study_id).state is StudyState.RUNNING
    assert [row.sop_uid for row in outbox.pending(study_id)] == ["2.25.1.2"]
    assert catalogue.commit_results(study_id, 2, new)
    assert retractions(outbox) == [["2.25.1.1"]]


ROWS = """
INSERT INTO study VALUES
 (1, '1.2', 'S-1', 'sending', 1, NULL, NULL, NULL, 1.0, '', :at, :at, :at);
INSERT INTO result VALUES (1, 1, 1, 'flow', '1', '1', '2.25.1', '1', 'p', 'd', 1);
INSERT INTO delivery VALUES (1, 1, 1, 'sent', 'sent', 1, :at, :at, NULL);
INSERT INTO delivery VALUES (2, 1, 1, 'tried', 'pending', 2, :at, NULL, 'no answer');
INSERT INTO delivery VALUES (3, 1, 1, 'refused', 'pending', 2, :at, NULL, 'refused: 0xC000');
INSERT INTO delivery VALUES (4, 1, 1, 'superseded', 'abandoned', 1, :at, NULL, 'superseded');
INSERT INTO delivery VALUES (5, 1, 1, 'new', 'pending', 0, :at, NULL, NULL)
"""


def test_tries_of_an_older_database_may_have_arrived_unless_refused(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / FILE_NAME}")
    with engine.begin() as connection:
        command.upgrade(_alembic_config(connection), "0001")
        for row in ROWS.split(";"):
            connection.execute(text(row), {"at": START.isoformat(" ")} if ":at" in row else {})
    engine.dispose()
    database = open_database(tmp_path)
    catalogue = Catalogue(database, lambda: START)
    names = ("sent", "tried", "refused", "superseded", "new")
    catalogue.reject(1, outgoing([], names), "quality")
    told = {row.destination for row in Outbox(database, lambda: START).pending(1)}
    assert told == {"sent", "tried", "superseded"}
    database.close()
