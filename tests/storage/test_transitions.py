"""No sequence of events brings a study where the table does not lead."""

import tempfile
from itertools import pairwise
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from storage.catalogue import Catalogue
from storage.database import open_database
from storage.errors import IllegalTransitionError
from storage.outbox import Outbox
from storage.records import (
    Admission,
    CompletedBy,
    Delivery,
    DeliveryStatus,
    Failure,
    StudyState,
)
from storage.retraction import RETRACTION
from storage.transitions import TRANSITIONS, Move, is_allowed
from tests.fakes.records import outgoing, received, result
from tests.fakes.ticking_clock import TickingClock

STEPS = {
    (source, transition.target, transition.is_new_revision)
    for transition in TRANSITIONS.values()
    for source in transition.sources
}


def test_every_state_can_be_left_and_reached_from_the_first() -> None:
    reached = {StudyState.RECEIVING}
    while more := {target for source, target, _ in STEPS if source in reached} - reached:
        reached |= more
    assert reached == set(StudyState)
    assert {source for source, _, _ in STEPS} == set(StudyState)


def test_only_a_revision_leads_back() -> None:
    """Within one revision a study never returns to a state it has left."""
    order = list(StudyState)
    for source, target, is_new_revision in STEPS:
        assert is_new_revision == (order.index(target) < order.index(source))


class StudyLife(RuleBasedStateMachine):
    """One study under everything that peers, workers and operators may do, in any order."""

    revisions = st.integers(min_value=1, max_value=4)

    @initialize()
    def open(self) -> None:
        memory = Path("/dev/shm")  # the order of events is at stake here, not the disk
        self.folder = tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
        self.database = open_database(Path(self.folder.name))
        self.clock = TickingClock(step_s=1)
        self.catalogue = Catalogue(self.database, self.clock)
        self.outbox = Outbox(self.database, self.clock)
        self.catalogue.record_instance(received())
        self.n_results = 0
        self.n_sent = 0
        self.archives: dict[str, set[str]] = {"A": set(), "B": set()}
        self.told: set[str] = set()
        self.deaf: set[str] = set()
        self.holds: set[str] = set()

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    def _state(self) -> StudyState:
        return self.catalogue.study(1).state

    def _allows(self, move: Move, revision: int) -> bool:
        study = self.catalogue.study(1)
        return is_allowed(study.state, move) and study.revision == revision

    @rule(instance=st.integers(min_value=1, max_value=6), content=st.sampled_from(["", "x"]))
    def receive(self, instance: int, content: str) -> None:
        before = self.catalogue.study(1)
        admission = self.catalogue.record_instance(received(instance=instance, content=content))
        after = self.catalogue.study(1)
        reopens = admission is Admission.NEW and before.state is not StudyState.RECEIVING
        assert after.revision == before.revision + reopens
        if not reopens:
            assert after.state is before.state

    @rule(revision=revisions)
    def complete(self, revision: int) -> None:
        expected = self._allows(Move.COMPLETE, revision)
        assert self.catalogue.complete(1, revision, CompletedBy.IDLE) == expected

    @rule()
    def force(self) -> None:
        expected = is_allowed(self._state(), Move.FORCE)
        assert self.catalogue.force(1) == expected

    @rule(revision=revisions)
    def start(self, revision: int) -> None:
        is_restart = self._state() is StudyState.RUNNING
        expected = self._allows(Move.START, revision) or (
            is_restart and self.catalogue.study(1).revision == revision
        )
        run = self.catalogue.start(1, revision)
        assert (run is not None) == expected
        assert run is None or (run.attempt > 1) == is_restart

    @rule(
        revision=revisions,
        fails=st.booleans(),
        destinations=st.sampled_from([[], ["A"], ["B", "A"]]),
    )
    def commit(self, revision: int, fails: bool, destinations: list[str]) -> None:
        expected = self._allows(Move.SEND, revision)
        self.n_results += 1
        failure = Failure(code="P14", text="") if fails else None
        results = [result(self.n_results)]
        done = self.catalogue.commit_results(1, revision, outgoing(results, destinations), failure)
        assert done == expected
        if done:
            self.told, self.holds = set(destinations), {results[0].sop_uid}

    @rule(
        arrives=st.booleans(),
        is_answered=st.booleans(),
        interruption=st.sampled_from([None, None, "reject", "receive"]),
    )
    def deliver(self, arrives: bool, is_answered: bool, interruption: str | None) -> None:
        for delivery in self.outbox.due(1):
            assert self.outbox.begin(delivery.id)
            if arrives:
                self._arrive(delivery)
            if interruption == "reject":
                self.reject()
            if interruption == "receive":
                self.receive(instance=5, content="")
            if not is_answered:
                at = self.clock()
                self.outbox.mark_retry(delivery.id, "no answer", at, is_answered=False)
            elif arrives:
                self.outbox.mark_sent(delivery.id, None)
                self.n_sent += 1
            else:
                self.outbox.abandon(delivery.id, "refused")
                if delivery.kind == RETRACTION:
                    self.deaf.add(delivery.destination)

    def _arrive(self, delivery: Delivery) -> None:
        archive = self.archives[delivery.destination]
        if delivery.kind != RETRACTION:
            archive.add(delivery.sop_uid)
            return
        retracted = set(delivery.path.split())
        assert retracted
        archive -= retracted
        assert not retracted & self.holds

    @rule()
    def reject(self) -> None:
        is_legal = is_allowed(self._state(), Move.REJECT)
        try:
            self.catalogue.reject(1, outgoing([], ["A", "B"]), "quality")
        except IllegalTransitionError:
            assert not is_legal
        else:
            assert is_legal
            self.told, self.holds = {"A", "B"}, set()

    @rule()
    def settle(self) -> None:
        expected = self._state() is StudyState.SENDING and not self.outbox.pending(1)
        assert self.catalogue.settle(1) == expected

    @rule()
    def retry(self) -> None:
        is_legal = is_allowed(self._state(), Move.RETRY)
        try:
            self.catalogue.retry(1)
        except IllegalTransitionError:
            assert not is_legal
        else:
            assert is_legal

    @invariant()
    def history_is_a_path_through_the_table(self) -> None:
        events = self.catalogue.events(1)
        study = self.catalogue.study(1)
        assert (events[-1].state, events[-1].revision) == (study.state, study.revision)
        for before, after in pairwise(events):
            grows = after.revision - before.revision
            stays = before.state is after.state and grows == 0
            assert stays or (before.state, after.state, grows == 1) in STEPS

    @invariant()
    def what_was_sent_stays_sent(self) -> None:
        deliveries = self.outbox.deliveries(1)
        assert sum(d.status is DeliveryStatus.SENT for d in deliveries) == self.n_sent

    @invariant()
    def no_older_revision_waits_beside_a_newer_result(self) -> None:
        waiting = [row for row in self.outbox.pending(1) if row.kind != RETRACTION]
        assert len({row.revision for row in waiting}) <= 1

    @invariant()
    def archives_show_only_what_holds(self) -> None:
        """Where nothing waits, what is superseded or rejected has been taken back everywhere."""
        waiting = {delivery.destination for delivery in self.outbox.pending(1)}
        for name in self.told - waiting - self.deaf:
            assert self.archives[name] <= self.holds


StudyLife.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestStudyLife = StudyLife.TestCase
