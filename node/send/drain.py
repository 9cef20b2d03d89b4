"""The loop that empties the outbox: one thread per destination, so that none waits for another."""

import logging
import random
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from datetime import datetime, timedelta

from node.log import event
from node.ports import Clock
from node.send.association import AssociationFailedError, NothingAcceptedError
from node.send.scu import Answer, Outcome, StoreSession, open_session
from node.settings import Destination, SendSettings, Settings
from storage.catalogue import Catalogue
from storage.errors import TransientStorageError
from storage.outbox import Outbox
from storage.records import Delivery

BATCH = 200
"""Most objects of one association; a study has about as many."""
LOOK_EVERY_S = 0.5
JITTER_FRACTION = 0.1
_REFUSAL = "refused: "

_log = logging.getLogger("perfnode.send")


def drain(
    settings: Settings,
    *,
    catalogue: Catalogue,
    outbox: Outbox,
    clock: Clock,
    stop: threading.Event,
    look_every_s: float = LOOK_EVERY_S,
) -> None:
    """Deliver until told to stop.

    Parameters
    ----------
    settings
        The configuration: destinations, `send`, our AE title and data folder.
    catalogue, outbox
        The tables.
    clock
        Local time, the same as that of the tables.
    stop
        Set to end the loop; deliveries under way are finished.
    look_every_s
        How often the outbox is looked at while nothing is due.

    """
    senders = [
        DestinationSender(
            destination, settings=settings, catalogue=catalogue, outbox=outbox, clock=clock
        )
        for destination in settings.destinations
    ]
    if not senders:
        stop.wait()
        return
    with ThreadPoolExecutor(len(senders), thread_name_prefix="send") as threads:
        loops = [threads.submit(sender.run, stop, look_every_s) for sender in senders]
        wait(loops, return_when=FIRST_EXCEPTION)
        # One failed unexpectedly: end all, so that the supervisor starts the process again.
        stop.set()
    for loop in loops:
        loop.result()


def retry_delay_s(settings: SendSettings, n_failures: int, jitter: float) -> float:
    """Return the pause after the n-th failure in a row.

    Parameters
    ----------
    settings
        Section `send`; the last of `retry_after_s` repeats.
    n_failures
        Failures so far, at least 1.
    jitter
        From -1 to 1: spreads the tries of several nodes.

    """
    schedule_s = settings.retry_after_s
    pause_s = schedule_s[min(n_failures, len(schedule_s)) - 1]
    return pause_s * (1.0 + JITTER_FRACTION * jitter)


class DestinationSender:
    """Deliver what is due for one destination."""

    def __init__(
        self,
        destination: Destination,
        *,
        settings: Settings,
        catalogue: Catalogue,
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        self._destination = destination
        self._send = settings.send
        self._calling_ae = settings.node.ae_title
        self._data_folder = settings.node.data
        self._catalogue = catalogue
        self._outbox = outbox
        self._clock = clock
        self._n_failures = 0

    def run(self, stop: threading.Event, look_every_s: float) -> None:
        """Deliver until told to stop; after a failed association wait by the schedule."""
        while not stop.is_set():
            try:
                due = self._outbox.due(BATCH, destination=self._destination.name)
                is_good = self.deliver(due, stop) if due else True
            except TransientStorageError:
                event(_log, logging.WARNING, "outbox not available", **self._who)
                stop.wait(look_every_s)
                continue
            if not is_good:
                stop.wait(retry_delay_s(self._send, self._n_failures, random.uniform(-1, 1)))
            elif not due:
                stop.wait(look_every_s)

    def deliver(self, due: Sequence[Delivery], stop: threading.Event) -> bool:
        """Deliver a batch over one association.

        Returns
        -------
        False when the association could not be made or broke: the destination shall rest.

        """
        try:
            with open_session(
                self._destination,
                due,
                calling_ae=self._calling_ae,
                timeout_s=self._send.timeout_s,
            ) as session:
                return self._deliver_each(session, due, stop)
        except NothingAcceptedError as error:
            # As if every object had been refused by itself: one that is never taken, alone in the
            # outbox, would otherwise be tried for ever.
            for delivery in due:
                self._refuse(delivery, str(error))
            return True
        except AssociationFailedError as error:
            self._hold_back(due[0], str(error), self._clock())
            return False
        finally:
            self._settle({delivery.study_id for delivery in due})

    @property
    def _who(self) -> dict[str, str]:
        return {"destination": self._destination.name}

    def _deliver_each(
        self, session: StoreSession, due: Sequence[Delivery], stop: threading.Event
    ) -> bool:
        for delivery in due:
            if stop.is_set():
                break
            if not self._outbox.begin(delivery.id):
                continue  # superseded since the batch was read
            try:
                outcome = session.store(delivery, self._data_folder / delivery.path)
            except AssociationFailedError as error:
                # This object also waits by itself: one that the peer cannot survive would
                # otherwise stand before all others for ever.
                self._hold_back(delivery, str(error), self._next_try(delivery))
                return False
            self._note_reachable()
            self._record(delivery, outcome)
        return True

    def _refuse(self, delivery: Delivery, reason: str) -> None:
        if self._outbox.begin(delivery.id):
            self._record(delivery, Outcome(answer=Answer.REFUSED, text=reason))

    def _record(self, delivery: Delivery, outcome: Outcome) -> None:
        if outcome.answer is Answer.DELIVERED:
            self._outbox.mark_sent(delivery.id, outcome.text or None)
        elif outcome.answer is Answer.LATER:
            self._postpone(delivery, outcome.text)
        elif self._is_final_refusal(delivery):
            self._outbox.abandon(delivery.id, _REFUSAL + outcome.text)
        else:
            self._postpone(delivery, _REFUSAL + outcome.text)
        if outcome.answer is not Answer.DELIVERED:
            self._log_failure(delivery, outcome.text)

    def _postpone(self, delivery: Delivery, reason: str) -> None:
        self._outbox.mark_retry(delivery.id, reason, self._next_try(delivery), is_answered=True)

    def _is_final_refusal(self, delivery: Delivery) -> bool:
        """Whether the schedule is through and the try before was refused as well."""
        was_refused = (delivery.last_error or "").startswith(_REFUSAL)
        return was_refused and delivery.tries >= len(self._send.retry_after_s)

    def _next_try(self, delivery: Delivery) -> datetime:
        pause_s = retry_delay_s(self._send, delivery.tries + 1, random.uniform(-1, 1))
        return self._clock() + timedelta(seconds=pause_s)

    def _note_reachable(self) -> None:
        if self._n_failures:
            event(_log, logging.INFO, "destination answers again", **self._who)
        self._n_failures = 0

    def _hold_back(self, delivery: Delivery, error: str, next_try_at: datetime) -> None:
        """Let the destination rest; the object that was tried shows why."""
        self._n_failures += 1
        self._outbox.mark_retry(delivery.id, error, next_try_at, is_answered=False)
        if self._n_failures == 1:
            event(_log, logging.WARNING, "destination fails", reason=error, **self._who)

    def _log_failure(self, delivery: Delivery, reason: str) -> None:
        reference = self._catalogue.study(delivery.study_id).reference
        event(_log, logging.WARNING, "not delivered", study=reference, reason=reason, **self._who)

    def _settle(self, study_ids: set[int]) -> None:
        for study_id in study_ids:
            if self._catalogue.settle(study_id):
                study = self._catalogue.study(study_id)
                event(_log, logging.INFO, "study done", study=study.reference)
