"""The outbox hands out what is due, in order, and remembers what became of it."""

from datetime import timedelta

import pytest

from storage.catalogue import Catalogue
from storage.outbox import Outbox
from storage.records import CompletedBy, DeliveryStatus
from tests.fakes.records import outgoing, received, result
from tests.fakes.ticking_clock import START, TickingClock


@pytest.fixture
def study_id(catalogue: Catalogue) -> int:
    """Return a study with three results for one destination."""
    catalogue.record_instance(received())
    catalogue.complete(1, 1, CompletedBy.GRID)
    catalogue.start(1, 1)
    catalogue.commit_results(1, 1, outgoing([result(1), result(2), result(3)], ["PACS"]))
    return 1


@pytest.mark.usefixtures("study_id")
def test_due_in_order_and_limited(outbox: Outbox) -> None:
    assert [delivery.sop_uid for delivery in outbox.due(2)] == ["2.25.1.1", "2.25.1.2"]
    assert outbox.next_due_at() == START


def test_a_failed_try_waits_for_its_time(
    outbox: Outbox, study_id: int, clock: TickingClock
) -> None:
    first = outbox.due(1)[0]
    outbox.mark_retry(
        first.id, "connection refused", START + timedelta(seconds=30), is_answered=True
    )
    assert first.id not in {delivery.id for delivery in outbox.due(10)}
    clock.advance(30)
    again = outbox.due(10)[-1]
    assert (again.id, again.tries, again.last_error) == (first.id, 1, "connection refused")
    assert len(outbox.pending(study_id)) == 3


def test_sent_is_remembered_with_its_warning(outbox: Outbox, study_id: int) -> None:
    first = outbox.due(1)[0]
    outbox.mark_sent(first.id, "coercion of data elements")
    (sent,) = [d for d in outbox.deliveries(study_id) if d.id == first.id]
    assert (sent.status, sent.tries, sent.sent_at) == (DeliveryStatus.SENT, 1, START)
    assert sent.last_error == "coercion of data elements"
    assert len(outbox.pending(study_id)) == 2


def test_what_is_settled_is_not_tried_again(outbox: Outbox, study_id: int) -> None:
    first, second, _ = outbox.due(3)
    outbox.mark_sent(first.id, None)
    outbox.mark_retry(first.id, "late news", START, is_answered=True)
    outbox.abandon(second.id, "refused")
    outbox.mark_retry(second.id, "late news", START, is_answered=True)
    states = {delivery.id: delivery.status for delivery in outbox.deliveries(study_id)}
    assert (states[first.id], states[second.id]) == (DeliveryStatus.SENT, DeliveryStatus.ABANDONED)


def test_an_acceptance_counts_even_after_giving_up(outbox: Outbox, study_id: int) -> None:
    first = outbox.due(1)[0]
    outbox.abandon(first.id, "superseded")
    outbox.mark_sent(first.id, None)
    assert outbox.deliveries(study_id)[0].status is DeliveryStatus.SENT


def test_nothing_is_due_in_an_empty_outbox(outbox: Outbox) -> None:
    assert outbox.next_due_at() is None
    assert outbox.due(10) == ()


@pytest.mark.usefixtures("study_id")
def test_long_errors_are_cut(outbox: Outbox) -> None:
    first = outbox.due(1)[0]
    outbox.mark_retry(first.id, "x" * 1000, START, is_answered=True)
    assert outbox.due(3)[0].last_error == "x" * 255
