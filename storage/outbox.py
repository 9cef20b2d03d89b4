"""The outbox: which result object must still go to which destination, and when to try."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import ColumnElement, Update, func, select, update
from sqlalchemy.orm import Session

from storage.database import Database
from storage.records import Delivery, DeliveryStatus
from storage.schema import DeliveryRow, ResultRow

ERROR_LENGTH = 255


class Outbox:
    """Deliveries and their schedule. Safe to share between threads.

    Parameters
    ----------
    database
        The opened database.
    clock
        Gives local time without zone.

    Raises
    ------
    TransientStorageError
        By every method, when the database cannot be read or written now.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def due(self, limit: int, *, destination: str | None = None) -> tuple[Delivery, ...]:
        """Return at most `limit` deliveries whose time has come, longest waiting first.

        Parameters
        ----------
        destination
            Only those of this destination; None for all. One that is down must not hide others.
        """
        conditions = [
            DeliveryRow.status == DeliveryStatus.PENDING,
            DeliveryRow.next_try_at <= self._clock(),
        ]
        if destination is not None:
            conditions.append(DeliveryRow.destination == destination)
        with self._database.read() as session:
            return _list(session, *conditions, limit=limit)

    def next_due_at(self) -> datetime | None:
        """Return when the next delivery is due, or None if none waits."""
        with self._database.read() as session:
            return session.scalar(
                select(func.min(DeliveryRow.next_try_at)).where(
                    DeliveryRow.status == DeliveryStatus.PENDING
                )
            )

    def pending(self, study_id: int) -> tuple[Delivery, ...]:
        """Return what still waits for a study."""
        with self._database.read() as session:
            return _list(
                session,
                DeliveryRow.study_id == study_id,
                DeliveryRow.status == DeliveryStatus.PENDING,
            )

    def deliveries(self, study_id: int) -> tuple[Delivery, ...]:
        """Return all deliveries of a study, whatever became of them."""
        with self._database.read() as session:
            return _list(session, DeliveryRow.study_id == study_id)

    def begin(self, delivery_id: int) -> bool:
        """Record that a try begins: from now on the destination may have the object.

        Returns
        -------
        bool
            False if the object no longer waits: it was superseded or rejected, and must not go.
        """
        with self._database.write() as session:
            begun = session.execute(
                _still_pending(delivery_id)
                .values(n_unanswered=DeliveryRow.n_unanswered + 1)
                .returning(DeliveryRow.id)
            )
            return begun.scalar() is not None

    def mark_sent(self, delivery_id: int, warning: str | None = None) -> None:
        """Record that the destination accepted the object.

        Also over ABANDONED: what a destination has must be known, to be retracted.

        Parameters
        ----------
        warning
            What the destination remarked on accepting it.
        """
        with self._database.write() as session:
            session.execute(
                update(DeliveryRow)
                .where(DeliveryRow.id == delivery_id)
                .values(
                    status=DeliveryStatus.SENT,
                    tries=DeliveryRow.tries + 1,
                    sent_at=self._clock(),
                    last_error=_cut(warning),
                )
            )
            _count_answer(session, delivery_id)

    def mark_retry(
        self, delivery_id: int, error: str, next_try_at: datetime, *, is_answered: bool
    ) -> None:
        """Record a failed try and when the next one is due; no new try if it no longer waits.

        Parameters
        ----------
        is_answered
            Whether a try that was begun ended with the answer of the destination that it does not
            take the object; without one it may have the object.
        """
        with self._database.write() as session:
            if is_answered:
                _count_answer(session, delivery_id)
            session.execute(
                _still_pending(delivery_id).values(
                    tries=DeliveryRow.tries + 1, next_try_at=next_try_at, last_error=_cut(error)
                )
            )

    def abandon(self, delivery_id: int, error: str) -> None:
        """Give up: the destination refused the object for good. Nothing if it no longer waits."""
        with self._database.write() as session:
            _count_answer(session, delivery_id)
            session.execute(
                _still_pending(delivery_id).values(
                    status=DeliveryStatus.ABANDONED,
                    tries=DeliveryRow.tries + 1,
                    last_error=_cut(error),
                )
            )


def _still_pending(delivery_id: int) -> Update:
    return update(DeliveryRow).where(
        DeliveryRow.id == delivery_id, DeliveryRow.status == DeliveryStatus.PENDING
    )


def _count_answer(session: Session, delivery_id: int) -> None:
    """Uncount the try that was begun: whatever the answer is, it was answered."""
    session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id == delivery_id, DeliveryRow.n_unanswered > 0)
        .values(n_unanswered=DeliveryRow.n_unanswered - 1)
    )


def _cut(text: str | None) -> str | None:
    return None if text is None else text[:ERROR_LENGTH]


def _list(
    session: Session, *conditions: ColumnElement[bool], limit: int | None = None
) -> tuple[Delivery, ...]:
    rows = session.execute(
        select(DeliveryRow, ResultRow)
        .join(ResultRow, ResultRow.id == DeliveryRow.result_id)
        .where(*conditions)
        .order_by(DeliveryRow.next_try_at, DeliveryRow.id)
        .limit(limit)
    )
    return tuple(_delivery(*row) for row in rows)


def _delivery(row: DeliveryRow, result: ResultRow) -> Delivery:
    return Delivery(
        id=row.id,
        study_id=row.study_id,
        revision=result.revision,
        destination=row.destination,
        kind=result.kind,
        sop_class_uid=result.sop_class_uid,
        sop_uid=result.sop_uid,
        transfer_syntax_uid=result.transfer_syntax_uid,
        path=result.path,
        status=row.status,
        tries=row.tries,
        next_try_at=row.next_try_at,
        sent_at=row.sent_at,
        last_error=row.last_error,
        is_retracted=row.retraction_id is not None,
    )
