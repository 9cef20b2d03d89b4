"""The tables. A change here needs a new file in `migrations/versions`; a test compares the two.

study ─┬─ instance ── association
       ├─ event
       ├─ run
       ├─ result ── delivery
       └─ delivery ── result (its retraction)    heartbeat (stands alone)
"""

from datetime import datetime

from sqlalchemy import BigInteger, Enum, ForeignKey, Index, MetaData, String, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeEngine

from storage.records import CompletedBy, DeliveryStatus, InstanceStatus, StudyState

UID = String(64)
DIGEST = String(64)
PATH = String(255)


def _words(
    enum: type[StudyState | CompletedBy | InstanceStatus | DeliveryStatus],
) -> TypeEngine[str]:
    """Return a text column that holds the values of an enumeration, readable in any SQL shell."""
    return Enum(
        enum,
        native_enum=False,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


class Table(DeclarativeBase):
    """Base of the mapped classes; names every constraint so that a migration can drop it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class StudyRow(Table):
    """One study, in one state, at one revision."""

    __tablename__ = "study"
    id: Mapped[int] = mapped_column(primary_key=True)
    study_uid: Mapped[str] = mapped_column(UID, unique=True)
    reference: Mapped[str] = mapped_column(String(16), unique=True)
    state: Mapped[StudyState] = mapped_column(_words(StudyState), index=True)
    revision: Mapped[int]
    completed_by: Mapped[CompletedBy | None] = mapped_column(_words(CompletedBy))
    failure_code: Mapped[str | None] = mapped_column(String(16))
    failure_text: Mapped[str | None] = mapped_column(String(1024))
    progress_fraction: Mapped[float]
    progress_stage: Mapped[str] = mapped_column(String(64))
    first_received_at: Mapped[datetime]
    last_received_at: Mapped[datetime]
    state_changed_at: Mapped[datetime]


class AssociationRow(Table):
    """One connection of a peer that brought at least one object."""

    __tablename__ = "association"
    id: Mapped[int] = mapped_column(primary_key=True)
    calling_ae: Mapped[str] = mapped_column(String(16))
    address: Mapped[str] = mapped_column(String(64))
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None] = mapped_column(index=True)
    is_released: Mapped[bool]
    """Closed by a release: the peer said that it had finished. False after an abort or a crash."""


class InstanceRow(Table):
    """One received file."""

    __tablename__ = "instance"
    __table_args__ = (
        UniqueConstraint("study_id", "series_uid", "sop_uid", "sha256"),
        # One instance counts; other bytes under the same identifiers are kept as conflicts.
        Index(
            "uq_instance_without_conflict",
            "study_id",
            "series_uid",
            "sop_uid",
            unique=True,
            sqlite_where=text("status != 'conflict'"),
            postgresql_where=text("status != 'conflict'"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"))
    series_uid: Mapped[str] = mapped_column(UID)
    sop_uid: Mapped[str] = mapped_column(UID)
    sop_class_uid: Mapped[str] = mapped_column(UID)
    transfer_syntax_uid: Mapped[str] = mapped_column(UID)
    path: Mapped[str] = mapped_column(PATH)
    sha256: Mapped[str] = mapped_column(DIGEST)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    patient_digest: Mapped[str] = mapped_column(DIGEST)
    status: Mapped[InstanceStatus] = mapped_column(_words(InstanceStatus))
    calling_ae: Mapped[str] = mapped_column(String(16))
    source_address: Mapped[str] = mapped_column(String(64))
    association_id: Mapped[int | None] = mapped_column(ForeignKey("association.id"), index=True)
    received_at: Mapped[datetime]


class EventRow(Table):
    """One line of the history of a study."""

    __tablename__ = "event"
    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"), index=True)
    at: Mapped[datetime]
    state: Mapped[StudyState] = mapped_column(_words(StudyState))
    revision: Mapped[int]
    reason: Mapped[str] = mapped_column(String(255))


class RunRow(Table):
    """One computation of one revision; a restart after a crash keeps the row."""

    __tablename__ = "run"
    __table_args__ = (UniqueConstraint("study_id", "revision"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"))
    revision: Mapped[int]
    started_at: Mapped[datetime]
    attempt: Mapped[int]


class ResultRow(Table):
    """One result object of one revision."""

    __tablename__ = "result"
    __table_args__ = (UniqueConstraint("study_id", "revision", "sop_uid"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"))
    revision: Mapped[int]
    kind: Mapped[str] = mapped_column(String(32))
    series_uid: Mapped[str] = mapped_column(UID)
    sop_class_uid: Mapped[str] = mapped_column(UID)
    sop_uid: Mapped[str] = mapped_column(UID, index=True)
    transfer_syntax_uid: Mapped[str] = mapped_column(UID)
    path: Mapped[str] = mapped_column(PATH)
    sha256: Mapped[str] = mapped_column(DIGEST)
    size_bytes: Mapped[int] = mapped_column(BigInteger)


class DeliveryRow(Table):
    """One result object for one destination: the outbox."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("result_id", "destination"),
        Index(None, "status", "next_try_at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"), index=True)
    result_id: Mapped[int] = mapped_column(ForeignKey("result.id"))
    destination: Mapped[str] = mapped_column(String(64))
    status: Mapped[DeliveryStatus] = mapped_column(_words(DeliveryStatus))
    tries: Mapped[int]
    next_try_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(255))
    n_unanswered: Mapped[int]
    """Tries that were begun and got no answer: the destination may have the object all the same."""
    retraction_id: Mapped[int | None] = mapped_column(ForeignKey("result.id"))
    """The result that told the destination to forget this one."""


class HeartbeatRow(Table):
    """The last sign of life of one process of the node."""

    __tablename__ = "heartbeat"
    process: Mapped[str] = mapped_column(String(64), primary_key=True)
    pid: Mapped[int]
    at: Mapped[datetime]
