"""What a computation does to the catalogue: start, progress, results and outbox in one commit.

Every function takes the revision its caller works on and does nothing when the study has moved
on: a late instance, or an operator, has made that work worthless.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from storage.reading import run_of
from storage.records import (
    CompletedBy,
    DeliveryStatus,
    Failure,
    InstanceStatus,
    ResultFile,
    Run,
    StudyState,
)
from storage.schema import DeliveryRow, InstanceRow, ResultRow, RunRow, StudyRow
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
    results: Sequence[ResultFile],
    destinations: Sequence[str],
    *,
    failure: Failure | None,
    at: datetime,
) -> None:
    """Store the results of the present revision and address them to every destination."""
    abandon_older(session, study)
    rows = [_result_row(study, result) for result in results]
    session.add_all(rows)
    session.flush()
    session.add_all(
        _delivery_row(row, destination, at) for destination in destinations for row in rows
    )
    if failure is not None:
        study.failure_code = failure.code
        study.failure_text = failure.text[:FAILURE_LENGTH]
        apply(session, study, Move.FAIL, at=at, detail=failure.code)
        return
    study.progress_fraction = 1.0
    has_deliveries = bool(rows and destinations)
    apply(session, study, Move.SEND if has_deliveries else Move.FINISH, at=at)


def abandon_older(session: Session, study: StudyRow) -> None:
    """Stop the deliveries of earlier revisions that were not sent yet."""
    older = select(ResultRow.id).where(
        ResultRow.study_id == study.id, ResultRow.revision < study.revision
    )
    session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.status == DeliveryStatus.PENDING, DeliveryRow.result_id.in_(older))
        .values(
            status=DeliveryStatus.ABANDONED,
            last_error=f"superseded by revision {study.revision}",
        )
    )


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


def _result_row(study: StudyRow, result: ResultFile) -> ResultRow:
    return ResultRow(
        study_id=study.id,
        revision=study.revision,
        kind=result.kind,
        series_uid=result.series_uid,
        sop_class_uid=result.sop_class_uid,
        sop_uid=result.sop_uid,
        transfer_syntax_uid=result.transfer_syntax_uid,
        path=result.file.path,
        sha256=result.file.sha256,
        size_bytes=result.file.size_bytes,
    )


def _delivery_row(result: ResultRow, destination: str, at: datetime) -> DeliveryRow:
    return DeliveryRow(
        study_id=result.study_id,
        result_id=result.id,
        destination=destination,
        status=DeliveryStatus.PENDING,
        tries=0,
        next_try_at=at,
    )
