"""The computation of one study as a job: files from the catalogue, results into the outbox.

Everything is written before the one transaction that makes it visible; a kill before it leaves
files that the next attempt writes again under the same names.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

from node.log import event
from node.settings import Settings
from node.translate.encode_retraction import Reason
from node.translate.renew import renew
from node.work.compute import compute_study, fail_study
from node.work.networks import TrainedNetworks
from node.work.outcome import Outcome
from node.work.outgoing import accepted_files, keep_result, make_retract, recipients
from node.work.stamp import make_stamp
from pipeline.findings import Code
from storage.catalogue import Catalogue
from storage.files import FileStore
from storage.records import Failure, Outgoing, ResultFile, Run

_log = logging.getLogger("perfnode.work")
_SHOWN_STEP = 0.1
_RECORDED_STEP = 0.02


class StudyJob:
    """Compute studies of one data folder.

    Parameters
    ----------
    settings
        The configuration.
    catalogue
        The tables.
    files
        The files.
    trained
        The networks of this process.

    """

    def __init__(
        self, settings: Settings, catalogue: Catalogue, files: FileStore, trained: TrainedNetworks
    ) -> None:
        self._settings = settings
        self._trained = trained
        self._catalogue = catalogue
        self._files = files

    def compute(self, run: Run) -> None:
        """Compute one study and commit its results, or its failure with a page.

        Raises
        ------
        TransientError, TransientStorageError
            Disk trouble: trying again may help.

        """
        reference = self._catalogue.study(run.study_id).reference
        outcome = compute_study(
            self._accepted(run),
            settings=self._settings,
            trained=self._trained,
            stamp=make_stamp(self._settings, run.started_at, self._trained),
            reference=reference,
            progress=_ProgressLine(self._catalogue, run, reference),
        )
        self._commit(run, reference, outcome)

    def give_up(self, run: Run, failure: Failure) -> None:
        """Commit a failure with its page in PACS; the images themselves are not touched."""
        reference = self._catalogue.study(run.study_id).reference
        outcome = fail_study(
            self._accepted(run),
            failure,
            settings=self._settings,
            stamp=make_stamp(self._settings, run.started_at, self._trained),
            reference=reference,
        )
        self._commit(run, reference, outcome)

    def _accepted(self, run: Run) -> Sequence[Path]:
        return accepted_files(self._catalogue, self._files, run.study_id)

    def _commit(self, run: Run, reference: str, outcome: Outcome) -> None:
        earlier = self._earlier_results(run)
        results = tuple(
            earlier.get(str(result.dataset.SOPInstanceUID)) or keep_result(self._files, result)
            for result in renew(outcome.results, self._catalogue.retracted_uids(run.study_id))
        )
        is_current = self._catalogue.commit_results(
            run.study_id, run.revision, self._outgoing(run, results), outcome.failure
        )
        fields = {"study": reference, "revision": run.revision, "results": len(results)}
        if not is_current:
            event(_log, logging.INFO, "results dropped, newer images came", **fields)
        elif outcome.failure is None:
            event(_log, logging.INFO, "study computed", **fields)
        else:
            code = Code(outcome.failure.code)
            event(_log, logging.WARNING, "study failed", code=code.value, **fields)

    def _outgoing(self, run: Run, results: tuple[ResultFile, ...]) -> Outgoing:
        return Outgoing(
            results=results,
            recipients=recipients(self._settings.destinations),
            retract=make_retract(
                self._settings,
                self._files,
                Reason.SUPERSEDED,
                run.started_at,
                received=lambda: self._accepted(run),
            ),
        )

    def _earlier_results(self, run: Run) -> dict[str, ResultFile]:
        """Return what earlier revisions made: one UID means one content, so it is sent again.

        A UID follows from input, software and configuration; only time stamps would differ.
        """
        return {
            result.sop_uid: result
            for revision in range(1, run.revision)
            for result in self._catalogue.results(run.study_id, revision)
            if self._files.absolute(result.file.path).is_file()
        }


class _ProgressLine:
    """Write progress into the tables every few percent and into the log every ten."""

    def __init__(self, catalogue: Catalogue, run: Run, reference: str) -> None:
        self._catalogue = catalogue
        self._run = run
        self._reference = reference
        self._recorded = -1.0
        self._shown = 0.0

    def __call__(self, stage: str, fraction: float) -> None:
        if fraction - self._recorded >= _RECORDED_STEP:
            self._recorded = fraction
            self._catalogue.progress(self._run.study_id, self._run.revision, fraction, stage)
        if fraction - self._shown >= _SHOWN_STEP:
            self._shown = fraction
            percent = f"{100 * fraction:.0f}%"
            event(
                _log,
                logging.INFO,
                "computing",
                study=self._reference,
                percent=percent,
                stage=stage.replace(" ", "_"),
            )
