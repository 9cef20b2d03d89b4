"""The catalogue: every study, instance, computation and association the node knows.

Each method is one transaction. What a transaction does is told in `admission` (a file arrives),
`computation` (a result is made) and `transitions` (the states); what is read, in `reading`.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select, update

from storage import admission, computation, reading, retraction
from storage.database import Database
from storage.records import (
    Admission,
    CompletedBy,
    Event,
    Failure,
    Heartbeat,
    Instance,
    Outgoing,
    ReceivedInstance,
    ResultFile,
    Run,
    Study,
    StudyState,
)
from storage.schema import AssociationRow, HeartbeatRow, InstanceRow, StudyRow
from storage.transitions import Move, apply


class Catalogue:
    """Questions to and changes of the catalogue. Safe to share between threads.

    Parameters
    ----------
    database
        The opened database.
    clock
        Gives local time without zone; the only source of times in the tables.

    Raises
    ------
    TransientStorageError
        By every method, when the database cannot be read or written now.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def open_association(self, calling_ae: str, address: str) -> int:
        """Record that a peer has connected to send; return the number of the association."""
        row = AssociationRow(
            calling_ae=calling_ae, address=address, opened_at=self._clock(), is_released=False
        )
        with self._database.write() as session:
            session.add(row)
            session.flush()
            return row.id

    def close_association(self, association_id: int, *, is_released: bool = True) -> None:
        """Record the end of an association: released by the peer, or cut."""
        with self._database.write() as session:
            session.execute(
                update(AssociationRow)
                .where(AssociationRow.id == association_id, AssociationRow.closed_at.is_(None))
                .values(closed_at=self._clock(), is_released=is_released)
            )

    def close_all_associations(self) -> None:
        """Record that none is open: the receiver starts, what was open died with the last one."""
        with self._database.write() as session:
            session.execute(
                update(AssociationRow)
                .where(AssociationRow.closed_at.is_(None))
                .values(closed_at=self._clock())
            )

    def record_instance(self, received: ReceivedInstance) -> Admission:
        """Record a durable file; on return it is committed and may be acknowledged.

        Makes the study, or re-opens it as a new revision when it was no longer receiving.
        """
        with self._database.write() as session:
            return admission.admit(session, received, self._clock())

    def studies(self, *states: StudyState) -> tuple[Study, ...]:
        """Return the studies in any of `states`, oldest first; all studies if none is given."""
        conditions = [StudyRow.state.in_(states)] if states else []
        with self._database.read() as session:
            return reading.list_studies(session, *conditions)

    def study(self, study_id: int) -> Study:
        """Return one study.

        Raises
        ------
        UnknownStudyError
            If there is no such study.
        """
        with self._database.read() as session:
            reading.find_row(session, study_id)
            return reading.list_studies(session, StudyRow.id == study_id)[0]

    def find_study(self, reference: str) -> Study | None:
        """Return the study with a reference such as `S-1f3a9c`, or None."""
        with self._database.read() as session:
            return next(iter(reading.list_studies(session, StudyRow.reference == reference)), None)

    def instances(self, study_id: int) -> tuple[Instance, ...]:
        """Return everything recorded for a study, in the order of arrival."""
        with self._database.read() as session:
            return reading.list_instances(session, study_id)

    def instance_paths(self) -> frozenset[str]:
        """Return the paths of all recorded files, to find files without a row."""
        with self._database.read() as session:
            return frozenset(session.scalars(select(InstanceRow.path)))

    def association_last_released_at(self, study_id: int) -> datetime | None:
        """Return when the peer said that it had sent everything.

        None while no association that brought instances has closed, or when the last one to
        close was cut.
        """
        with self._database.read() as session:
            return reading.last_released_at(session, study_id)

    def events(self, study_id: int) -> tuple[Event, ...]:
        """Return the history of a study, oldest first."""
        with self._database.read() as session:
            return reading.list_events(session, study_id)

    def results(self, study_id: int, revision: int) -> tuple[ResultFile, ...]:
        """Return the result objects of one revision."""
        with self._database.read() as session:
            return reading.list_results(session, study_id, revision)

    def complete(self, study_id: int, revision: int, reason: CompletedBy) -> bool:
        """Queue a study that is complete (RECEIVING → QUEUED).

        Returns
        -------
        bool
            False if the revision moved on, the study is not receiving, or it has no instance
            that processing uses.
        """
        with self._database.write() as session:
            study = reading.find_row(session, study_id)
            is_current = study.revision == revision
            return is_current and computation.queue(session, study, reason, self._clock())

    def force(self, study_id: int) -> bool:
        """Queue a study at the word of an operator; False if it is not receiving, or unusable."""
        with self._database.write() as session:
            study = reading.find_row(session, study_id)
            return computation.queue(session, study, CompletedBy.FORCED, self._clock())

    def start(self, study_id: int, revision: int) -> Run | None:
        """Begin the computation of a revision, or begin it again after a crash.

        Returns
        -------
        Run or None
            The same row at every attempt, with the attempt counted; None when superseded.
        """
        with self._database.write() as session:
            study = reading.find_row(session, study_id)
            is_current = study.revision == revision
            return computation.begin(session, study, self._clock()) if is_current else None

    def interrupt(self, study_id: int, revision: int) -> None:
        """Give an attempt back: the computation was stopped in good order, nothing failed."""
        with self._database.write() as session:
            study = reading.find_row(session, study_id)
            if study.revision == revision:
                computation.interrupt(session, study, self._clock())

    def progress(self, study_id: int, revision: int, fraction: float, stage: str) -> None:
        """Show how far a running computation is (0-1); ignored when superseded."""
        with self._database.write() as session:
            session.execute(
                update(StudyRow)
                .where(
                    StudyRow.id == study_id,
                    StudyRow.revision == revision,
                    StudyRow.state == StudyState.RUNNING,
                )
                .values(progress_fraction=fraction, progress_stage=stage[:64])
            )

    def commit_results(
        self,
        study_id: int,
        revision: int,
        outgoing: Outgoing,
        failure: Failure | None = None,
    ) -> bool:
        """Store results, outbox rows and the new state in one commit.

        RUNNING → SENDING, or → FAILED with the failure page still to be delivered, or → DONE
        where nothing is to be sent. Unsent deliveries of older revisions are abandoned; what a
        destination may have of them, and this revision does not contain, is retracted there.

        Returns
        -------
        bool
            False, and nothing is stored, when the revision is no longer the one being computed.
        """
        with self._database.write() as session:
            study = reading.find_row(session, study_id)
            if study.revision != revision or study.state is not StudyState.RUNNING:
                return False
            computation.finish(session, study, outgoing, failure=failure, at=self._clock())
            return True

    def reject(self, study_id: int, outgoing: Outgoing, detail: str) -> Study:
        """Take back all results of a study (SENDING, DONE, FAILED → REJECTED).

        Repeating it changes nothing, unless a destination can be told now that could not before.

        Parameters
        ----------
        outgoing
            Whom to tell, and how the retraction is made.
        detail
            Why, for the history; without identity of the patient.

        Raises
        ------
        IllegalTransitionError
            If the study is being received or computed.
        UnknownStudyError
            If there is no such study.
        """
        with self._database.write() as session:
            study = reading.find_row(session, study_id)
            computation.reject(session, study, outgoing, at=self._clock(), detail=detail)
            session.flush()
            return reading.list_studies(session, StudyRow.id == study_id)[0]

    def retracted_uids(self, study_id: int) -> frozenset[str]:
        """Return the SOP Instance UIDs that some destination was told to forget."""
        with self._database.read() as session:
            return retraction.retracted_uids(session, study_id)

    def settle(self, study_id: int) -> bool:
        """End the sending (SENDING → DONE) if no delivery waits; False if it goes on."""
        with self._database.write() as session:
            study = reading.find_row(session, study_id)
            return computation.settle(session, study, self._clock())

    def retry(self, study_id: int) -> Study:
        """Queue a finished study again, as a new revision.

        Raises
        ------
        IllegalTransitionError
            If the study is neither DONE nor FAILED.
        UnknownStudyError
            If there is no such study.
        """
        with self._database.write() as session:
            study = reading.find_row(session, study_id)
            apply(session, study, Move.RETRY, at=self._clock())
            study.completed_by = CompletedBy.FORCED
            session.flush()
            return reading.list_studies(session, StudyRow.id == study_id)[0]

    def touch_heartbeat(self, process: str, pid: int) -> None:
        """Record a sign of life of a process."""
        with self._database.write() as session:
            session.merge(HeartbeatRow(process=process, pid=pid, at=self._clock()))

    def heartbeats(self) -> tuple[Heartbeat, ...]:
        """Return the last sign of life of each process."""
        with self._database.read() as session:
            rows = session.scalars(select(HeartbeatRow).order_by(HeartbeatRow.process))
            return tuple(Heartbeat(process=row.process, pid=row.pid, at=row.at) for row in rows)
