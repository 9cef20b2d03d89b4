"""Records for tests: instances and results with made-up identifiers."""

import hashlib
from collections.abc import Iterable

from storage.records import Outgoing, ReceivedInstance, Recipient, ResultFile, StoredFile

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.88.59"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"


def stored_file(content: str, folder: str = "instances") -> StoredFile:
    digest = hashlib.sha256(content.encode()).hexdigest()
    return StoredFile(
        path=f"{folder}/{digest[:2]}/{digest}.dcm", sha256=digest, size_bytes=len(content)
    )


def received(
    study: int = 1,
    instance: int = 1,
    *,
    series: int = 1,
    content: str = "",
    association_id: int | None = None,
    is_ignored: bool = False,
) -> ReceivedInstance:
    """Return an instance; `content` makes a difference in bytes under the same identifiers."""
    sop_uid = f"1.2.3.{study}.{series}.{instance}"
    return ReceivedInstance(
        study_uid=f"1.2.3.{study}",
        series_uid=f"1.2.3.{study}.{series}",
        sop_uid=sop_uid,
        sop_class_uid=MR_IMAGE,
        transfer_syntax_uid=EXPLICIT_LITTLE_ENDIAN,
        file=stored_file(sop_uid + content),
        patient_digest="0" * 64,
        calling_ae="SCANNER",
        source_address="127.0.0.1",
        association_id=association_id,
        is_ignored=is_ignored,
    )


def result(number: int, *, kind: str = "flow", revision: int = 1) -> ResultFile:
    sop_uid = f"2.25.{revision}.{number}"
    return ResultFile(
        kind=kind,
        series_uid=f"2.25.{revision}",
        sop_class_uid=MR_IMAGE,
        sop_uid=sop_uid,
        transfer_syntax_uid=EXPLICIT_LITTLE_ENDIAN,
        file=stored_file(sop_uid, "results"),
    )


def outgoing(results: Iterable[ResultFile], destinations: Iterable[str]) -> Outgoing:
    """Return results for destinations that take everything; what they replace is retracted."""
    return Outgoing(
        results=tuple(results),
        recipients=tuple(Recipient(name=name, kinds=None) for name in destinations),
        retract=retraction,
    )


def retraction(retracted: tuple[ResultFile, ...]) -> ResultFile:
    """Return a result that names the retracted ones in its path."""
    names = " ".join(result.sop_uid for result in retracted)
    file = stored_file(names, "results")
    return ResultFile(
        kind="retraction",
        series_uid="2.25.99",
        sop_class_uid=KEY_OBJECTS,
        sop_uid=f"2.25.99.{int(file.sha256[:15], 16)}",
        transfer_syntax_uid=EXPLICIT_LITTLE_ENDIAN,
        file=StoredFile(path=names, sha256=file.sha256, size_bytes=file.size_bytes),
    )
