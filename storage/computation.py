"""What a computation does to the catalogue: start, progress, results and outbox in one commit.

Every function takes the revision its caller works on and does nothing when the study has moved
on: a late instance, or an operator, has made that work worthless.
"""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.reading import run_of
from storage.records import (
    CompletedBy,
    DeliveryStatus,
    Failure,
    InstanceStatus,
    Outgoing,
    Run,
    StudyState,
)
from storage.retraction import abandon, retract
from storage.rows import delivery_row, result_row
from storage.schema import DeliveryRow, InstanceRow, RunRow, StudyRow
from storage.transitions import Move, apply, note

FAILURE_LENGTH = 1024


def queue(session: Session, study: StudyRow, by: CompletedBy, at: datetime) -> bool:
    """Queue a study that is being received; False if nothing of it can be processed."""
    if study.state is not StudyState.RECEIVING or not _has_accepted(session, study):
        return False
    move = Move.FORCE if by is CompletedBy.FORCED else Move.COMPLETE
    apply(session, study, move, at=at, detail=by.value)
    study.completed_by = by
    return True


def begin(session: Session, study: StudyRow, at: datetime) -> Run | None:
    """Begin a computation, or begin it again after a crash with the time stamp of the first try."""
    run = session.scalar(
        select(RunRow).where(RunRow.study_id == study.id, RunRow.revision == study.revision)
    )
    if study.state is StudyState.QUEUED:
        apply(session, study, Move.START, at=at)
    elif study.state is StudyState.RUNNING and run is not None:
        note(session, study, f"computation started again, attempt {run.attempt + 1}", at=at)
    else:
        return None
    if run is None:
        run = RunRow(study_id=study.id, revision=study.revision, started_at=at, attempt=0)
        session.add(run)
    run.attempt += 1
    session.flush()
    return run_of(run)


def interrupt(session: Session, study: StudyRow, at: datetime) -> None:
    """Uncount the attempt of a running computation that the node itself stopped."""
    run = session.scalar(
        select(RunRow).where(RunRow.study_id == study.id, RunRow.revision == study.revision)
    )
    if study.state is StudyState.RUNNING and run is not None and run.attempt > 0:
        run.attempt -= 1
        note(session, study, "computation interrupted: the node stops", at=at)


def finish(
    session: Session,
    study: StudyRow,
    outgoing: Outgoing,
    *,
    failure: Failure | None,
    at: datetime,
) -> None:
    """Store the results of the present revision, address them, and retract what they replace."""
    reason = f"superseded by revision {study.revision}"
    abandon(session, study, reason, keep_revision=study.revision)
    n_deliveries = _address(session, study, outgoing, at)
    if outgoing.retract is not None:
        keep = {result.sop_uid for result in outgoing.results}
        n_deliveries += retract(
            session, study, outgoing.recipients, outgoing.retract, keep=keep, at=at
        )
    if failure is not None:
        study.failure_code = failure.code
        study.failure_text = failure.text[:FAILURE_LENGTH]
        apply(session, study, Move.FAIL, at=at, detail=failure.code)
        return
    study.progress_fraction = 1.0
    apply(session, study, Move.SEND if n_deliveries else Move.FINISH, at=at)


def reject(
    session: Session, study: StudyRow, outgoing: Outgoing, *, at: datetime, detail: str
) -> None:
    """Take everything back: stop what was not sent, retract what was.

    Raises
    ------
    IllegalTransitionError
        If the study is being received or computed.
    """
    apply(session, study, Move.REJECT, at=at, detail=detail)
    abandon(session, study, Move.REJECT.value, keep_revision=None)
    if outgoing.retract is not None:
        retract(session, study, outgoing.recipients, outgoing.retract, keep=(), at=at)


def settle(session: Session, study: StudyRow, at: datetime) -> bool:
    """End the sending of a study when nothing of it waits any more."""
    n_pending = session.scalar(
        select(func.count(DeliveryRow.id)).where(
            DeliveryRow.study_id == study.id, DeliveryRow.status == DeliveryStatus.PENDING
        )
    )
    if study.state is not StudyState.SENDING or n_pending:
        return False
    apply(session, study, Move.SETTLE, at=at)
    return True


def _has_accepted(session: Session, study: StudyRow) -> bool:
    accepted = select(InstanceRow.id).where(
        InstanceRow.study_id == study.id, InstanceRow.status == InstanceStatus.ACCEPTED
    )
    return session.scalar(accepted.limit(1)) is not None


def _address(session: Session, study: StudyRow, outgoing: Outgoing, at: datetime) -> int:
    """Store the results, each for the recipients that take its kind; return how many deliveries."""
    rows = [result_row(study, result) for result in outgoing.results]
    session.add_all(rows)
    session.flush()
    deliveries = [
        delivery_row(row, recipient.name, at)
        for recipient in outgoing.recipients
        for row in rows
        if recipient.takes(row.kind)
    ]
    session.add_all(deliveries)
    return len(deliveries)
