"""`perfnode check` and `perfnode echo`: is this node fit to run, and can it reach its peers."""

import ipaddress
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from node.cli.console import (
    DEFAULT_CONFIG,
    OUT,
    ConfigOption,
    ExitCode,
    JsonOption,
    reported_errors,
)
from node.configuration import load_settings
from node.errors import RefusalError, StartupError
from node.send.echo import echo as echo_peer
from node.settings import Destination, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    is_good: bool
    text: str


def check(config: ConfigOption = DEFAULT_CONFIG, json_output: JsonOption = False) -> None:
    """Validate the configuration, look at folders, ports and device, and echo every peer."""
    with reported_errors():
        settings = load_settings(config)
    checks = [Check(name="configuration", is_good=True, text=f"{config} is valid")]
    checks += [
        *_check_node(settings),
        *(_check_peer(peer, settings) for peer in settings.destinations),
    ]
    if not settings.destinations:
        text = "results go nowhere; add one under destinations"
        checks.append(Check(name="destinations", is_good=False, text=text))
    _report(checks, json_output=json_output)


def echo(
    name: Annotated[str, typer.Argument(help="Name of a destination in the configuration.")],
    config: ConfigOption = DEFAULT_CONFIG,
    json_output: JsonOption = False,
) -> None:
    """Send a C-ECHO to one destination."""
    with reported_errors():
        settings = load_settings(config)
        found = [peer for peer in settings.destinations if peer.name == name]
        if not found:
            known = ", ".join(peer.name for peer in settings.destinations) or "none"
            raise RefusalError(f"no destination is named {name!r}; configured: {known}")
    _report([_check_peer(found[0], settings)], json_output=json_output)


def _report(checks: list[Check], *, json_output: bool) -> None:
    if json_output:
        typer.echo(json.dumps([asdict(item) for item in checks]))
    else:
        for item in checks:
            mark, style = ("ok  ", "green") if item.is_good else ("BAD ", "red")
            OUT.print(f"{mark} {item.name}: {item.text}", style=style, markup=False)
    if not all(item.is_good for item in checks):
        raise typer.Exit(ExitCode.FAILED)


def _check_node(settings: Settings) -> Iterator[Check]:
    yield _check_data(settings.node.data)
    yield _check_port(settings)
    yield _check_callers(settings)
    compute = _check_compute()
    yield compute
    if compute.is_good:
        yield _check_networks(settings)


def _check_data(folder: Path) -> Check:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    is_good = existing.is_dir() and os.access(existing, os.W_OK)
    text = (
        f"{folder} can be written"
        if is_good
        else (f"{folder} cannot be written; give this user the folder, or change node.data")
    )
    return Check(name="data folder", is_good=is_good, text=text)


def _check_port(settings: Settings) -> Check:
    address, port = settings.receive.address, settings.receive.port
    family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            reason = f"{address}:{port}: {error.strerror}; is a node running? see: perfnode status"
            return Check(name="port", is_good=False, text=reason)
    return Check(name="port", is_good=True, text=f"{address}:{port} is free")


def _check_callers(settings: Settings) -> Check:
    callers = settings.receive.allow
    text = (
        f"{len(callers)} may send: " + ", ".join(f"{c.ae_title}@{c.address}" for c in callers)
        if callers
        else "nobody may send; add the scanner under receive.allow"
    )
    return Check(name="callers", is_good=bool(callers), text=text)


def _check_compute() -> Check:
    missing = [
        name
        for name in ("torch", "matplotlib", "jaxtyping", "safetensors")
        if find_spec(name) is None
    ]
    if missing:
        text = f"{', '.join(missing)} not installed; install perfnode[quantify]"
        return Check(name="compute", is_good=False, text=text)
    import torch

    has_gpu = torch.cuda.is_available()
    name = torch.cuda.get_device_name() if has_gpu else f"CPU, {torch.get_num_threads()} threads"
    return Check(name="compute", is_good=True, text=name)


def _check_networks(settings: Settings) -> Check:
    """Load the weights as a worker would; a file that is not that of its card is found here."""
    import torch

    from node.work.networks import load_trained

    try:
        stamps = load_trained(settings, torch.device("cpu")).stamps
    except StartupError as error:
        return Check(name="networks", is_good=False, text=str(error))
    named = ", ".join(f"{stamp.name} {stamp.sha256[:8]}" for stamp in stamps)
    text = named or "none; motion is corrected without networks"
    return Check(name="networks", is_good=True, text=f"{settings.motion.method}: {text}")


def _check_peer(peer: Destination, settings: Settings) -> Check:
    result = echo_peer(peer, calling_ae=settings.node.ae_title, timeout_s=settings.send.timeout_s)
    return Check(name=f"peer {peer.name}", is_good=result.is_good, text=result.text)
