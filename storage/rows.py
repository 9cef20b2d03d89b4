"""New rows of results and of their deliveries."""

from datetime import datetime

from storage.records import DeliveryStatus, ResultFile
from storage.schema import DeliveryRow, ResultRow, StudyRow


def result_row(study: StudyRow, result: ResultFile) -> ResultRow:
    """Return the row of a result of the present revision."""
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


def delivery_row(result: ResultRow, destination: str, at: datetime) -> DeliveryRow:
    """Return a delivery that is due at once."""
    return DeliveryRow(
        study_id=result.study_id,
        result_id=result.id,
        destination=destination,
        status=DeliveryStatus.PENDING,
        tries=0,
        next_try_at=at,
        n_unanswered=0,
    )
