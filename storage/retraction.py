"""Which earlier results a destination must be told to forget: never one that it cannot have.

An object counts as being at a destination when the destination accepted it, and when a try to send
it got no answer. Those in doubt are retracted by an object of their own: an archive may refuse a
retraction that names what it does not have, and must not keep the rest for that.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from storage.reading import result_of
from storage.records import DeliveryStatus, Recipient, Retract
from storage.rows import delivery_row, result_row
from storage.schema import DeliveryRow, ResultRow, StudyRow

RETRACTION = "retraction"
"""The kind of the results that retract others; they are never retracted themselves."""

_Objects = Mapping[str, ResultRow]
"""Results by SOP Instance UID."""


def abandon(session: Session, study: StudyRow, reason: str, *, keep_revision: int | None) -> None:
    """Stop all deliveries that were not sent yet, but those of one revision and retractions."""
    stopped = select(ResultRow.id).where(
        ResultRow.study_id == study.id,
        ResultRow.kind != RETRACTION,
        ResultRow.revision != (keep_revision or 0),
    )
    session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.status == DeliveryStatus.PENDING, DeliveryRow.result_id.in_(stopped))
        .values(status=DeliveryStatus.ABANDONED, last_error=reason)
    )


def retract(
    session: Session,
    study: StudyRow,
    recipients: Sequence[Recipient],
    make: Retract,
    *,
    keep: Collection[str],
    at: datetime,
) -> int:
    """Retract whatever the recipients have, or may have, of a study.

    Nothing of it can be sent any more: `abandon` comes first, in the same transaction.

    Parameters
    ----------
    recipients
        Destinations that can be told now; what others have is retracted when they are back.
    make
        Makes the retraction of one set of objects.
    keep
        SOP Instance UIDs that still hold.

    Returns
    -------
    int
        Number of new deliveries.
    """
    n_deliveries = 0
    for objects, destinations in _groups(session, study, recipients, keep):
        files = sorted(map(result_of, objects.values()), key=lambda file: file.sop_uid)
        row = result_row(study, make(tuple(files)))
        session.add(row)
        session.flush()
        session.add_all(delivery_row(row, destination, at) for destination in destinations)
        _mark(session, study, row, objects, destinations)
        n_deliveries += len(destinations)
    return n_deliveries


def retracted_uids(session: Session, study_id: int) -> frozenset[str]:
    """Return the SOP Instance UIDs of a study that a destination was told to forget."""
    return frozenset(
        session.scalars(
            select(ResultRow.sop_uid)
            .join(DeliveryRow, DeliveryRow.result_id == ResultRow.id)
            .where(ResultRow.study_id == study_id, DeliveryRow.retraction_id.is_not(None))
        )
    )


def _groups(
    session: Session, study: StudyRow, recipients: Iterable[Recipient], keep: Collection[str]
) -> Iterator[tuple[_Objects, list[str]]]:
    """Yield every set of objects that is to be retracted, with the destinations that have it."""
    sets: dict[frozenset[str], tuple[_Objects, list[str]]] = {}
    for recipient in recipients:
        for objects in _present(session, study, recipient.name, keep):
            _, destinations = sets.setdefault(frozenset(objects), (objects, []))
            destinations.append(recipient.name)
    yield from sets.values()


def _present(
    session: Session, study: StudyRow, destination: str, keep: Collection[str]
) -> Iterator[_Objects]:
    """Yield what a destination has, and what it may have; neither is ever empty."""
    rows = session.execute(
        select(DeliveryRow, ResultRow)
        .join(ResultRow, ResultRow.id == DeliveryRow.result_id)
        .where(
            DeliveryRow.study_id == study.id,
            DeliveryRow.destination == destination,
            DeliveryRow.retraction_id.is_(None),
            or_(DeliveryRow.status == DeliveryStatus.SENT, DeliveryRow.n_unanswered > 0),
            ResultRow.kind != RETRACTION,
        )
        .order_by(ResultRow.id)
    ).all()
    accepted = {row.sop_uid for sent, row in rows if sent.status is DeliveryStatus.SENT}
    found: defaultdict[bool, dict[str, ResultRow]] = defaultdict(dict)
    for _, row in rows:
        if row.sop_uid not in keep:
            found[row.sop_uid in accepted][row.sop_uid] = row
    yield from found.values()


def _mark(
    session: Session,
    study: StudyRow,
    retraction: ResultRow,
    objects: Collection[str],
    destinations: Collection[str],
) -> None:
    """Record by which result the objects were retracted, in every revision that sent them."""
    same = select(ResultRow.id).where(
        ResultRow.study_id == study.id, ResultRow.sop_uid.in_(objects)
    )
    session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.result_id.in_(same), DeliveryRow.destination.in_(destinations))
        .values(retraction_id=retraction.id)
    )
