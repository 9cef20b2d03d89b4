"""Commands about studies: what state they are in, and what an administrator can do with one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from node.cli.console import DEFAULT_CONFIG, OUT, ConfigOption, JsonOption, reported_errors
from node.configuration import load_settings
from node.errors import RefusalError
from storage.catalogue import Catalogue
from storage.database import open_database
from storage.outbox import Outbox
from storage.records import DeliveryStatus, Study, StudyState

study = typer.Typer(help="Look at one study, or act on it.", no_args_is_help=True)
ReferenceArgument = Annotated[str, typer.Argument(help="Study reference, like S-1f3a9c.")]
ReasonOption = Annotated[
    Literal["quality", "safety"],
    typer.Option(
        help="quality: the result is wrong; safety: it may harm (wrong patient or label)."
    ),
]


@contextmanager
def _opened(config: Path) -> Iterator[tuple[Catalogue, Outbox]]:
    database = open_database(load_settings(config).node.data)
    try:
        yield Catalogue(database, datetime.now), Outbox(database, datetime.now)
    finally:
        database.close()


def status(config: ConfigOption = DEFAULT_CONFIG, json_output: JsonOption = False) -> None:
    """Show how many studies are in each state, what is being computed, what waits to be sent."""
    with reported_errors(), _opened(config) as (catalogue, outbox):
        studies = catalogue.studies(*StudyState)
        counts = {state.value: sum(row.state is state for row in studies) for state in StudyState}
        running = [_row(row) for row in studies if row.state is StudyState.RUNNING]
        waiting = sum(len(outbox.pending(row.id)) for row in studies)
    if json_output:
        typer.echo(json.dumps({"studies": counts, "running": running, "to_send": waiting}))
        return
    table = Table("state", "studies")
    for name, count in counts.items():
        table.add_row(name, str(count))
    OUT.print(table)
    for row in running:
        OUT.print(f"{row['reference']}: {row['stage']} {100 * row['progress_fraction']:.0f} %")
    OUT.print(f"result objects waiting to be sent: {waiting}")


def list_studies(config: ConfigOption = DEFAULT_CONFIG, json_output: JsonOption = False) -> None:
    """List all studies, newest first."""
    with reported_errors(), _opened(config) as (catalogue, _):
        rows = [_row(row) for row in catalogue.studies(*StudyState)]
    rows.sort(key=lambda row: str(row["last_received_at"]), reverse=True)
    if json_output:
        typer.echo(json.dumps(rows))
        return
    table = Table("reference", "state", "revision", "images", "complete by", "last image", "reason")
    for row in rows:
        table.add_row(
            row["reference"],
            row["state"],
            str(row["revision"]),
            str(row["n_instances"]),
            row["completed_by"] or "",
            row["last_received_at"],
            f"{row['failure_code'] or ''} {row['failure_text'] or ''}".strip(),
        )
    OUT.print(table)


@study.command()
def show(
    reference: ReferenceArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    json_output: JsonOption = False,
) -> None:
    """Show the history of a study and where its results have arrived."""
    with reported_errors(), _opened(config) as (catalogue, outbox):
        found = _find(catalogue, reference)
        events = [
            {"at": str(event.at), "state": event.state.value, "reason": event.reason}
            for event in catalogue.events(found.id)
        ]
        deliveries = outbox.deliveries(found.id)
    sent = sum(delivery.status is DeliveryStatus.SENT for delivery in deliveries)
    retracted = sum(delivery.is_retracted for delivery in deliveries)
    if json_output:
        typer.echo(
            json.dumps(
                _row(found)
                | {
                    "events": events,
                    "delivered": sent,
                    "to_deliver": len(deliveries),
                    "retracted": retracted,
                }
            )
        )
        return
    table = Table("time", "state", "reason")
    for event in events:
        table.add_row(event["at"], event["state"], event["reason"])
    OUT.print(table)
    OUT.print(f"{sent} of {len(deliveries)} deliveries done, {retracted} of them taken back")
    for error in sorted({row.last_error for row in deliveries if row.last_error}):
        OUT.print(f"last trouble: {error}", markup=False)


@study.command()
def retry(reference: ReferenceArgument, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Compute a finished or failed study again."""
    with reported_errors(), _opened(config) as (catalogue, _):
        catalogue.retry(_find(catalogue, reference).id)
        OUT.print(f"{reference} is queued again")


@study.command()
def force(reference: ReferenceArgument, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Start computing a study that still waits for more images."""
    with reported_errors(), _opened(config) as (catalogue, _):
        catalogue.force(_find(catalogue, reference).id)
        OUT.print(f"{reference} is queued as it is")


@study.command()
def reject(
    reference: ReferenceArgument,
    reason: ReasonOption,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Take the results of a study back: destinations are told not to show them any more."""
    from node.work.outgoing import reject_study  # brings the numerical libraries with it

    with reported_errors():
        settings = load_settings(config)
        with _opened(config) as (catalogue, outbox):
            found = _find(catalogue, reference)
            reject_study(found, reason, settings=settings, catalogue=catalogue, now=datetime.now())
            n_waiting = len(outbox.pending(found.id))
    OUT.print(f"{reference} is rejected; retractions waiting to be sent: {n_waiting}")


def _find(catalogue: Catalogue, reference: str) -> Study:
    found = catalogue.find_study(reference)
    if found is None:
        raise RefusalError(f"no study has the reference {reference}; see: perfnode studies")
    return found


def _row(found: Study) -> dict[str, Any]:
    return {
        "reference": found.reference,
        "state": found.state.value,
        "revision": found.revision,
        "n_instances": found.n_instances,
        "completed_by": None if found.completed_by is None else found.completed_by.value,
        "failure_code": found.failure_code,
        "failure_text": found.failure_text,
        "progress_fraction": round(found.progress_fraction, 3),
        "stage": found.progress_stage,
        "last_received_at": str(found.last_received_at),
    }
