"""`perfnode serve`: the node, one supervised tree of processes."""

import logging
import threading
from pathlib import Path
from typing import Annotated

import typer

from node import app
from node.cli.console import DEFAULT_CONFIG, ConfigOption, reported_errors
from node.configuration import load_settings
from node.log import event, set_up_logging
from node.work.child import run_child, stop_on_signals

_log = logging.getLogger("perfnode.node")


def serve(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Receive, compute and send until stopped (Ctrl-C or SIGTERM)."""
    with reported_errors():
        settings = load_settings(config)
        set_up_logging(settings.node.log_level, "node")
        event(
            _log,
            logging.INFO,
            "node starts",
            ae_title=settings.node.ae_title,
            port=settings.receive.port,
            callers=len(settings.receive.allow),
            destinations=len(settings.destinations),
        )
        with stop_on_signals() as stop:
            app.supervise(settings, config.resolve()).run(stop)
        event(_log, logging.INFO, "node stopped")


def child(
    name: Annotated[str, typer.Argument(help="Process of the tree.")],
    config: ConfigOption = Path("config.yaml"),
) -> None:
    """Run one process of the tree (started by serve, not by people)."""

    def _work(stop: threading.Event) -> None:
        settings = load_settings(config)
        set_up_logging(settings.node.log_level, name)
        app.run_process(name, settings, stop)

    raise typer.Exit(run_child(_work))
