"""What a received instance does to the catalogue: a new row, a conflict, or nothing at all."""

import hashlib
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.records import Admission, InstanceStatus, ReceivedInstance, StudyState
from storage.schema import InstanceRow, ResultRow, StudyRow
from storage.transitions import Move, apply, note

FIRST_REVISION = 1
REFERENCE_DIGITS = 6


def admit(session: Session, received: ReceivedInstance, at: datetime) -> Admission:
    """Record one durable file.

    The same identifiers with the same bytes change nothing: peers repeat what they are unsure of.
    The same identifiers with other bytes are kept as a conflict. Only an accepted new instance
    re-opens a study; what processing does not use cannot change its result. An object this node
    made itself comes back when the archive routes everything here: it is ignored, or each result
    would ask for the next one.
    """
    study = session.scalar(select(StudyRow).where(StudyRow.study_uid == received.study_uid))
    if study is None:
        study = _new_study(session, received.study_uid, at)
    siblings = _digests(session, study, received)
    if received.file.sha256 in siblings:
        return Admission.DUPLICATE
    status = _status(session, received, is_conflict=bool(siblings))
    session.add(_row(study, received, status, at))
    study.last_received_at = at
    if status is InstanceStatus.CONFLICT:
        note(session, study, "instance with known identifiers and other bytes kept aside", at=at)
        return Admission.CONFLICT
    if status is InstanceStatus.ACCEPTED and study.state is not StudyState.RECEIVING:
        apply(session, study, Move.REOPEN, at=at)
    return Admission.NEW


def _new_study(session: Session, study_uid: str, at: datetime) -> StudyRow:
    study = StudyRow(
        study_uid=study_uid,
        reference=_free_reference(session, study_uid),
        state=StudyState.RECEIVING,
        revision=FIRST_REVISION,
        progress_fraction=0.0,
        progress_stage="",
        first_received_at=at,
        last_received_at=at,
        state_changed_at=at,
    )
    session.add(study)
    session.flush()
    note(session, study, "first instance", at=at)
    return study


def _free_reference(session: Session, study_uid: str) -> str:
    """Return `S-` and six digits of a digest; further digits where another study has those.

    A digest and not a counter: a catalogue rebuilt from the files gives the same reference that
    stands on the pages in PACS.
    """
    digest = hashlib.sha256(study_uid.encode()).hexdigest()
    for start in range(len(digest) - REFERENCE_DIGITS):
        reference = f"S-{digest[start : start + REFERENCE_DIGITS]}"
        if session.scalar(select(StudyRow.id).where(StudyRow.reference == reference)) is None:
            break
    return reference


def _digests(session: Session, study: StudyRow, received: ReceivedInstance) -> set[str]:
    """Return the digests of the rows with the same identifiers."""
    return set(
        session.scalars(
            select(InstanceRow.sha256).where(
                InstanceRow.study_id == study.id,
                InstanceRow.series_uid == received.series_uid,
                InstanceRow.sop_uid == received.sop_uid,
            )
        )
    )


def _status(session: Session, received: ReceivedInstance, *, is_conflict: bool) -> InstanceStatus:
    if is_conflict:
        return InstanceStatus.CONFLICT
    is_own_result = session.scalar(
        select(ResultRow.id).where(ResultRow.sop_uid == received.sop_uid).limit(1)
    )
    if received.is_ignored or is_own_result is not None:
        return InstanceStatus.IGNORED
    return InstanceStatus.ACCEPTED


def _row(
    study: StudyRow, received: ReceivedInstance, status: InstanceStatus, at: datetime
) -> InstanceRow:
    return InstanceRow(
        study_id=study.id,
        series_uid=received.series_uid,
        sop_uid=received.sop_uid,
        sop_class_uid=received.sop_class_uid,
        transfer_syntax_uid=received.transfer_syntax_uid,
        path=received.file.path,
        sha256=received.file.sha256,
        size_bytes=received.file.size_bytes,
        patient_digest=received.patient_digest,
        status=status,
        calling_ae=received.calling_ae,
        source_address=received.source_address,
        association_id=received.association_id,
        received_at=at,
    )
