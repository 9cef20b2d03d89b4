"""`perfnode simulate`: a phantom exam as a scanner would write or send it."""

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from node.cli.console import OUT, counting_bars, reported_errors
from node.errors import RefusalError

_PEER = re.compile(r"(?P<title>[^@]{1,16})@(?P<address>[^:]+):(?P<port>\d+)")
CALLING_TITLE = "VIRTUALSCANNER"


def simulate(
    output: Annotated[Path, typer.Argument(help="Folder for the DICOM files.")],
    vendor: Annotated[Literal["siemens"], typer.Option(help="Dialect of the headers.")] = "siemens",
    state: Annotated[Literal["stress", "rest", "both"], typer.Option(help="Bolus runs.")] = (
        "stress"
    ),
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same exam.")] = 1,
    protocol: Annotated[
        Literal["default", "random"],
        typer.Option(help="How it is acquired: as shipped, or drawn from the seed."),
    ] = "default",
    truth: Annotated[Path | None, typer.Option(help="Also write the truth to this .npz.")] = None,
    send: Annotated[str | None, typer.Option(help="Send it too: AETITLE@host:port.")] = None,
) -> None:
    """Write a phantom stress perfusion exam as DICOM files, and send it if asked."""
    from models.phantom import Protocol, make_exam, random_protocol
    from node.scanner import save_truth, send_files, write_exam

    with reported_errors():
        peer = _parse_peer(send) if send else None
        files: list[Path] = []
        acquired = random_protocol(seed) if protocol == "random" else Protocol()
        states = ("stress", "rest") if state == "both" else (state,)
        for name in states:
            exam = make_exam(seed, state=name, protocol=acquired)
            files += write_exam(exam, output / name if state == "both" else output)
            if truth is not None:
                save_truth(exam, truth if len(states) == 1 else truth.with_suffix(f".{name}.npz"))
        OUT.print(f"{len(files)} {vendor} images in {output}")
        if peer is not None:
            with counting_bars() as bars:
                task = bars.add_task("sending", total=len(files))
                send_files(
                    files,
                    address=peer["address"],
                    port=int(peer["port"]),
                    called_ae=peer["title"],
                    calling_ae=CALLING_TITLE,
                    progress=lambda _, fraction: bars.update(
                        task, completed=round(fraction * len(files))
                    ),
                )


def _parse_peer(text: str) -> dict[str, str]:
    found = _PEER.fullmatch(text)
    if found is None or not 0 < int(found["port"]) < 65536:
        raise RefusalError(f"{text!r} is not a peer; write AETITLE@host:port")
    return found.groupdict()
