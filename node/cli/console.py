"""What every command shares: the consoles, options, and how an error ends a command."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from node.errors import ConfigurationError, NodeError, StartupError
from storage.errors import DatabaseTooNewError, DataFolderError, StorageError

OUT = Console()
ERR = Console(stderr=True)

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", help="Configuration file.", show_default=True)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
DEFAULT_CONFIG = Path("config.yaml")


class ExitCode(IntEnum):
    """How a command ended."""

    OK = 0
    FAILED = 1
    CONFIGURATION = 2
    """Also the code of a wrong command line."""
    STARTUP = 3


@contextmanager
def reported_errors() -> Iterator[None]:
    """End the command with a message instead of a traceback for every expected error."""
    try:
        yield
    except (NodeError, StorageError) as error:
        ERR.print(f"error: {error}", style="red", markup=False, highlight=False)
        raise typer.Exit(_exit_code(error)) from error


def _exit_code(error: NodeError | StorageError) -> ExitCode:
    if isinstance(error, ConfigurationError):
        return ExitCode.CONFIGURATION
    if isinstance(error, StartupError | DataFolderError | DatabaseTooNewError):
        return ExitCode.STARTUP
    return ExitCode.FAILED


def fraction_bars() -> Progress:
    """Return progress bars that show percent (plain lines where there is no terminal)."""
    return Progress(
        TextColumn("{task.description:<34}"),
        BarColumn(bar_width=36),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=ERR,
    )


def counting_bars() -> Progress:
    """Return progress bars that count things."""
    return Progress(
        TextColumn("{task.description:<34}"),
        BarColumn(bar_width=36),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=ERR,
    )
