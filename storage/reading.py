"""Questions to the catalogue, answered with detached values."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, distinct, func, select
from sqlalchemy.orm import Session

from storage.errors import UnknownStudyError
from storage.records import (
    Event,
    Instance,
    InstanceStatus,
    ResultFile,
    Run,
    StoredFile,
    Study,
)
from storage.schema import AssociationRow, EventRow, InstanceRow, ResultRow, RunRow, StudyRow

_n_instances = (
    select(func.count(InstanceRow.id))
    .where(
        InstanceRow.study_id == StudyRow.id,
        InstanceRow.status == InstanceStatus.ACCEPTED,
    )
    .correlate(StudyRow)
    .scalar_subquery()
)
_n_open_associations = (
    select(func.count(distinct(AssociationRow.id)))
    .join(InstanceRow, InstanceRow.association_id == AssociationRow.id)
    .where(InstanceRow.study_id == StudyRow.id, AssociationRow.closed_at.is_(None))
    .correlate(StudyRow)
    .scalar_subquery()
)


def find_row(session: Session, study_id: int) -> StudyRow:
    """Return the row of a study.

    Raises
    ------
    UnknownStudyError
        If there is no such study.
    """
    row = session.get(StudyRow, study_id)
    if row is None:
        raise UnknownStudyError(f"there is no study with number {study_id}")
    return row


def list_studies(session: Session, *conditions: ColumnElement[bool]) -> tuple[Study, ...]:
    """Return the studies that meet all conditions, oldest first."""
    rows = session.execute(
        select(StudyRow, _n_instances, _n_open_associations)
        .where(*conditions)
        .order_by(StudyRow.id)
    )
    return tuple(_study(*row) for row in rows)


def list_instances(session: Session, study_id: int) -> tuple[Instance, ...]:
    """Return everything recorded for a study, in the order of arrival."""
    rows = session.scalars(
        select(InstanceRow).where(InstanceRow.study_id == study_id).order_by(InstanceRow.id)
    )
    return tuple(_instance(row) for row in rows)


def list_events(session: Session, study_id: int) -> tuple[Event, ...]:
    """Return the history of a study, oldest first."""
    rows = session.scalars(
        select(EventRow).where(EventRow.study_id == study_id).order_by(EventRow.id)
    )
    return tuple(
        Event(
            study_id=row.study_id,
            at=row.at,
            state=row.state,
            revision=row.revision,
            reason=row.reason,
        )
        for row in rows
    )


def list_results(session: Session, study_id: int, revision: int) -> tuple[ResultFile, ...]:
    """Return the result objects of one revision, in the order they were handed in."""
    rows = session.scalars(
        select(ResultRow)
        .where(ResultRow.study_id == study_id, ResultRow.revision == revision)
        .order_by(ResultRow.id)
    )
    return tuple(map(result_of, rows))


def last_released_at(session: Session, study_id: int) -> datetime | None:
    """Return when the last association that brought instances closed, if by a release.

    None while none has closed, and None when the last one was cut: the peer did not say that it
    had sent everything.
    """
    last: Sequence[AssociationRow] = session.scalars(
        select(AssociationRow)
        .join(InstanceRow, InstanceRow.association_id == AssociationRow.id)
        .where(InstanceRow.study_id == study_id, AssociationRow.closed_at.is_not(None))
        .order_by(AssociationRow.closed_at.desc(), AssociationRow.id.desc())
        .limit(1)
    ).all()
    return last[0].closed_at if last and last[0].is_released else None


def result_of(row: ResultRow) -> ResultFile:
    """Return the value of a row."""
    return ResultFile(
        kind=row.kind,
        series_uid=row.series_uid,
        sop_class_uid=row.sop_class_uid,
        sop_uid=row.sop_uid,
        transfer_syntax_uid=row.transfer_syntax_uid,
        file=StoredFile(path=row.path, sha256=row.sha256, size_bytes=row.size_bytes),
    )


def run_of(row: RunRow) -> Run:
    """Return the value of a row."""
    return Run(
        id=row.id,
        study_id=row.study_id,
        revision=row.revision,
        started_at=row.started_at,
        attempt=row.attempt,
    )


def _study(row: StudyRow, n_instances: int, n_open_associations: int) -> Study:
    return Study(
        id=row.id,
        study_uid=row.study_uid,
        reference=row.reference,
        state=row.state,
        revision=row.revision,
        completed_by=row.completed_by,
        failure_code=row.failure_code,
        failure_text=row.failure_text,
        progress_fraction=row.progress_fraction,
        progress_stage=row.progress_stage,
        n_instances=n_instances,
        n_open_associations=n_open_associations,
        first_received_at=row.first_received_at,
        last_received_at=row.last_received_at,
        state_changed_at=row.state_changed_at,
    )


def _instance(row: InstanceRow) -> Instance:
    return Instance(
        id=row.id,
        study_id=row.study_id,
        series_uid=row.series_uid,
        sop_uid=row.sop_uid,
        sop_class_uid=row.sop_class_uid,
        transfer_syntax_uid=row.transfer_syntax_uid,
        path=row.path,
        sha256=row.sha256,
        patient_digest=row.patient_digest,
        status=row.status,
        received_at=row.received_at,
    )
