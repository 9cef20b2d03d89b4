"""The loop that moves studies on: complete ones into the queue, sent ones to their end.

It also keeps the job engine in step with our tables, and gives the jobs of dead workers to
living ones. Everything is idempotent; a second janitor would do no harm.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from node.errors import TransientError
from node.log import event
from node.ports import Clock
from node.settings import CompleteSettings
from node.work.child import describe
from node.work.completeness import Activity, Verdict, judge
from node.work.facts import FactReader
from node.work.port import Job, JobEngine
from storage.catalogue import Catalogue
from storage.errors import StorageError
from storage.records import Study, StudyState

LOST_AFTER_S = 60.0
"""A worker without a heartbeat for so long counts as dead."""

_log = logging.getLogger("perfnode.work")


class Janitor:
    """Judge, queue, settle, reconcile, reap.

    Parameters
    ----------
    catalogue
        The tables.
    engine
        The job engine.
    settings
        Section `complete` of the configuration.
    data_folder
        Folder of the stored instances.
    clock
        Local time, the same as that of the tables.
    monotonic
        Seconds that never jump: elapsed times are measured with it.
    lost_after_s
        When a worker counts as dead.

    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        engine: JobEngine,
        settings: CompleteSettings,
        data_folder: Path,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
        lost_after_s: float = LOST_AFTER_S,
    ) -> None:
        self._catalogue = catalogue
        self._engine = engine
        self._settings = settings
        self._facts = FactReader(data_folder)
        self._clock = clock
        self._watch = _QuietWatch(monotonic)
        self._lost_after_s = lost_after_s

    def run(self, stop: threading.Event) -> None:
        """Look after all studies every `complete.check_every_s` until told to stop."""
        while not stop.is_set():
            self.look()
            stop.wait(self._settings.check_every_s)

    def look(self) -> None:
        """Go once through everything; trouble with one step or study does not stop the others."""
        for step in (self._complete_all, self._settle_all, self._keep_in_step, self._reap):
            self._attempt(step)

    def _attempt(self, step: Callable[[], None], **fields: str) -> None:
        try:
            step()
        except (StorageError, TransientError, OSError) as error:
            event(_log, logging.WARNING, "step postponed", **fields, **describe(error))

    def _complete_all(self) -> None:
        receiving = self._catalogue.studies(StudyState.RECEIVING)
        self._facts.forget_except({study.id for study in receiving})
        self._watch.forget_except({study.id for study in receiving})
        for study in receiving:
            self._attempt(partial(self._complete, study), study=study.reference)

    def _complete(self, study: Study) -> None:
        verdict = self._judge(study)
        if verdict.completed_by is None:
            return
        if not self._catalogue.complete(study.id, study.revision, verdict.completed_by):
            return
        event(
            _log,
            logging.INFO,
            "study queued",
            study=study.reference,
            revision=study.revision,
            complete_by=verdict.completed_by.value,
            instances=study.n_instances,
        )
        self._engine.submit(Job(study_id=study.id, revision=study.revision))

    def _judge(self, study: Study) -> Verdict:
        released_at = self._catalogue.association_last_released_at(study.id)
        activity = self._watch.look(study, released_at)
        facts = self._facts.facts(study.id, self._catalogue.instances(study.id))
        return judge(facts, activity, self._settings)

    def _settle_all(self) -> None:
        for study in self._catalogue.studies(StudyState.SENDING):
            if self._catalogue.settle(study.id):
                event(_log, logging.INFO, "study done", study=study.reference)

    def _keep_in_step(self) -> None:
        self._engine.reconcile(self._wanted)

    def _wanted(self) -> Collection[Job]:
        studies = self._catalogue.studies(StudyState.QUEUED, StudyState.RUNNING)
        return [Job(study_id=study.id, revision=study.revision) for study in studies]

    def _reap(self) -> None:
        oldest = self._clock() - timedelta(seconds=self._lost_after_s)
        living = {beat.process for beat in self._catalogue.heartbeats() if beat.at >= oldest}
        n_jobs = self._engine.reap(living)
        if n_jobs:
            event(_log, logging.WARNING, "jobs of dead workers queued again", jobs=n_jobs)


@dataclass(slots=True)
class _Seen:
    """The last change of one study and when, on the monotonic clock, it was noticed."""

    instances: tuple[int, datetime]
    instances_at_s: float
    associations: tuple[int, datetime | None]
    associations_at_s: float


class _QuietWatch:
    """Measure how long a study has been quiet, without the wall clock.

    After a restart the waiting begins anew, which errs on the side of waiting too long.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._seen: dict[int, _Seen] = {}

    def look(self, study: Study, released_at: datetime | None) -> Activity:
        now_s = self._monotonic()
        instances = (study.n_instances, study.last_received_at)
        associations = (study.n_open_associations, released_at)
        seen = self._seen.setdefault(study.id, _Seen(instances, now_s, associations, now_s))
        if seen.instances != instances:
            seen.instances, seen.instances_at_s = instances, now_s
        if seen.associations != associations:
            seen.associations, seen.associations_at_s = associations, now_s
        return Activity(
            n_open_associations=study.n_open_associations,
            was_released=released_at is not None,
            since_instance_s=now_s - seen.instances_at_s,
            since_change_s=now_s - max(seen.instances_at_s, seen.associations_at_s),
        )

    def forget_except(self, study_ids: Collection[int]) -> None:
        for study_id in self._seen.keys() - set(study_ids):
            del self._seen[study_id]
