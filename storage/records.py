"""Values that storage hands out and takes in; plain data, detached from any session."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class StudyState(StrEnum):
    """States of a study; the allowed moves are in `storage.transitions`."""

    RECEIVING = "receiving"
    QUEUED = "queued"
    RUNNING = "running"
    SENDING = "sending"
    DONE = "done"
    FAILED = "failed"
    REJECTED = "rejected"
    """An operator took the results back."""


class CompletedBy(StrEnum):
    """What proved or suggested that a study is complete."""

    GRID = "grid"
    RELEASE = "association released"
    IDLE = "idle timer"
    FORCED = "forced"


class InstanceStatus(StrEnum):
    """What became of an acknowledged instance. Nothing acknowledged is ever dropped."""

    ACCEPTED = "accepted"
    IGNORED = "ignored"
    """Stored, but of a class that processing does not use."""
    CONFLICT = "conflict"
    """Same identifiers as an earlier instance, other bytes: kept, reported, not used."""


class Admission(StrEnum):
    """Answer of `Catalogue.record_instance`."""

    NEW = "new"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


class DeliveryStatus(StrEnum):
    """State of one result object at one destination."""

    PENDING = "pending"
    SENT = "sent"
    ABANDONED = "abandoned"
    """Refused for good by the destination, superseded by a newer revision, or rejected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """Bytes that are durable on disk: fsynced, renamed, folder fsynced."""

    path: str
    """Relative to the data folder, POSIX separators."""
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedInstance:
    """One instance as it is recorded at reception."""

    study_uid: str
    series_uid: str
    sop_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    file: StoredFile
    patient_digest: str
    """SHA-256 of patient ID, name and birth date: tells two patients apart without naming them."""
    calling_ae: str
    source_address: str
    association_id: int | None
    is_ignored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A recorded instance."""

    id: int
    study_id: int
    series_uid: str
    sop_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    path: str
    sha256: str
    patient_digest: str
    status: InstanceStatus
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A study as the catalogue sees it."""

    id: int
    study_uid: str
    reference: str
    """Short reference without identity, for logs and failure pages (`S-1f3a9c`)."""
    state: StudyState
    revision: int
    """Grows by one each time a late or changed instance re-opens the study."""
    completed_by: CompletedBy | None
    failure_code: str | None
    failure_text: str | None
    progress_fraction: float
    n_instances: int
    """Accepted instances: ignored and conflicting ones do not count."""
    n_open_associations: int
    """Associations that brought instances of this study and are still open."""
    first_received_at: datetime
    last_received_at: datetime
    state_changed_at: datetime
    progress_stage: str = ""
    """What the running computation is doing, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The persisted record of one computation: makes a re-run byte-identical."""

    id: int
    study_id: int
    revision: int
    started_at: datetime
    """Local time stamp written into every result object of this revision."""
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFile:
    """One result object, ready for the outbox."""

    kind: str
    """In the words of `results.objects`; besides those `failure` and `retraction`."""
    series_uid: str
    sop_class_uid: str
    sop_uid: str
    transfer_syntax_uid: str
    file: StoredFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A destination and what it is to get."""

    name: str
    kinds: frozenset[str] | None
    """Kinds of result objects; None for all."""

    def takes(self, kind: str) -> bool:
        """Whether it is to get result objects of a kind."""
        return self.kinds is None or kind in self.kinds


Retract = Callable[[tuple[ResultFile, ...]], ResultFile]
"""Makes the result object that retracts the given ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """What a revision sends, to whom, and how it takes back what it replaces."""

    results: tuple[ResultFile, ...] = ()
    recipients: tuple[Recipient, ...] = ()
    retract: Retract | None = None
    """None: what was delivered before is left where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a study has no flow map."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One result object for one destination."""

    id: int
    study_id: int
    revision: int
    destination: str
    kind: str
    sop_class_uid: str
    sop_uid: str
    transfer_syntax_uid: str
    path: str
    status: DeliveryStatus
    tries: int
    next_try_at: datetime
    sent_at: datetime | None
    last_error: str | None
    is_retracted: bool
    """Whether the destination is to be told to forget it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the history of a study."""

    study_id: int
    at: datetime
    state: StudyState
    revision: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """The last sign of life of one process of the node."""

    process: str
    pid: int
    at: datetime
