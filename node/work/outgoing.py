"""Results on their way out: files on disk, who gets which of them, and how they are taken back."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path

from pydicom.dataset import Dataset

from node.errors import NotDicomError, TransientError
from node.settings import Destination, Settings
from node.translate import ResultObject, RunStamp, find_reference, to_bytes
from node.translate.document import Reference
from node.translate.encode_retraction import Reason, encode_retraction
from node.translate.files import read_dataset
from node.version import SOFTWARE
from storage.catalogue import Catalogue
from storage.files import RESULTS, FileStore
from storage.records import InstanceStatus, Outgoing, Recipient, ResultFile, Retract, Study

_ALWAYS = frozenset({"failure", "retraction"})
"""No destination can do without: why there is no result, and that one no longer holds."""


def recipients(destinations: Iterable[Destination]) -> tuple[Recipient, ...]:
    """Return who is to get which kinds of results."""
    return tuple(
        Recipient(
            name=destination.name,
            kinds=None if destination.objects is None else _ALWAYS | set(destination.objects),
        )
        for destination in destinations
    )


def keep_result(files: FileStore, result: ResultObject) -> ResultFile:
    """Write a result durably; the same result gives the same file.

    Raises
    ------
    TransientStorageError
        The disk is full, read-only or failing.

    """
    dataset = result.dataset
    return ResultFile(
        kind=result.kind,
        series_uid=str(dataset.SeriesInstanceUID),
        sop_class_uid=str(dataset.SOPClassUID),
        sop_uid=str(dataset.SOPInstanceUID),
        transfer_syntax_uid=result.transfer_syntax_uid,
        file=files.keep([to_bytes(result)], folder=RESULTS),
    )


def make_retract(
    settings: Settings,
    files: FileStore,
    reason: Reason,
    created: datetime,
    received: Callable[[], Sequence[Path]],
) -> Retract:
    """Return the function that makes and keeps a retraction.

    Parameters
    ----------
    settings
        The configuration.
    files
        Where results lie.
    reason
        Why they are taken back.
    created
        Local time of the retraction; from a stored record where the step may be repeated.
    received
        Gives the received files of the study: they identify it where the results are gone.

    """
    run = RunStamp(created=created, software_version=SOFTWARE, configuration_digest="", networks=())

    def retract(results: tuple[ResultFile, ...]) -> ResultFile:
        kept = [files.absolute(result.file.path) for result in results]
        source = _first_readable(kept) or find_reference(received())
        if source is None:
            raise TransientError("no stored object of the study can be read: cannot retract it")
        references = [
            Reference(
                series_uid=result.series_uid,
                sop_uid=result.sop_uid,
                sop_class_uid=result.sop_class_uid,
            )
            for result in results
        ]
        document = encode_retraction(source, references, reason, run=run, settings=settings.results)
        return keep_result(files, document)

    return retract


def reject_study(
    study: Study, reason: str, *, settings: Settings, catalogue: Catalogue, now: datetime
) -> None:
    """Take all results of a study back at the word of an operator.

    Parameters
    ----------
    study
        The study.
    reason
        A value of `Reason`.
    settings
        The configuration.
    catalogue
        The tables.
    now
        Local time, written into the retraction.

    Raises
    ------
    IllegalTransitionError
        The study is being received or computed.
    TransientError, TransientStorageError
        Nothing was changed; trying again may help.

    """
    files = FileStore(settings.node.data)
    outgoing = Outgoing(
        recipients=recipients(settings.destinations),
        retract=make_retract(
            settings,
            files,
            Reason(reason),
            now,
            received=lambda: accepted_files(catalogue, files, study.id),
        ),
    )
    catalogue.reject(study.id, outgoing, reason)


def accepted_files(catalogue: Catalogue, files: FileStore, study_id: int) -> tuple[Path, ...]:
    """Return the received files of a study that count."""
    return tuple(
        files.absolute(instance.path)
        for instance in catalogue.instances(study_id)
        if instance.status is InstanceStatus.ACCEPTED
    )


def _first_readable(paths: Iterable[Path]) -> Dataset | None:
    """Return the header of the first result that is still there.

    A result and not an image: what is retracted must be found under the identity it went out with.
    """
    for path in paths:
        try:
            return read_dataset(path, with_pixels=False)
        except (NotDicomError, TransientError):
            continue
    return None
