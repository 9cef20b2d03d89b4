"""`perfnode simulate`: a phantom exam as a scanner would write or send it."""

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from node.cli.console import OUT, counting_bars, reported_errors
from node.errors import RefusalError

if TYPE_CHECKING:
    from models.phantom import Protocol

# The words of `node.scanner.dialect`, which takes long to load; a test compares them.
VendorName = Literal["siemens", "philips", "ge", "uih", "canon"]
FormName = Literal["classic", "enhanced", "legacy"]
SyntaxName = Literal["explicit", "implicit", "deflated", "rle", "jpegls", "j2k", "jpeg-lossless"]

_ECHO_SPACING_S = 0.001
_PEER = re.compile(r"(?P<title>[^@]{1,16})@(?P<address>[^:]+):(?P<port>\d+)")
CALLING_TITLE = "VIRTUALSCANNER"


def simulate(
    output: Annotated[Path, typer.Argument(help="Folder for the DICOM files.")],
    *,
    vendor: Annotated[VendorName, typer.Option(help="Whose habits the headers have.")] = "siemens",
    form: Annotated[FormName, typer.Option(help="Kind of object.")] = "classic",
    syntax: Annotated[SyntaxName, typer.Option(help="Transfer syntax.")] = "explicit",
    shuffle: Annotated[bool, typer.Option("--shuffle", help="Write in random order.")] = False,
    pd_series: Annotated[
        bool, typer.Option("--pd-series", help="Proton-density frames as series of their own.")
    ] = False,
    second_echo: Annotated[
        bool, typer.Option("--second-echo", help="Two echoes of the arterial input.")
    ] = False,
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
    from models.phantom import make_exam
    from node.scanner import Dialect, Form, Syntax, Vendor, save_truth, send_files, write_exam

    with reported_errors():
        peer = _parse_peer(send) if send else None
        files: list[Path] = []
        acquired = _protocol(seed, is_random=protocol == "random", has_second_echo=second_echo)
        dialect = Dialect(
            vendor=Vendor(vendor),
            form=Form(form),
            syntax=Syntax(syntax),
            is_shuffled=shuffle,
            has_proton_density_series=pd_series,
        )
        states = ("stress", "rest") if state == "both" else (state,)
        for name in states:
            exam = make_exam(seed, state=name, protocol=acquired)
            folder = output / name if state == "both" else output
            files += write_exam(exam, folder, dialect=dialect)
            if truth is not None:
                save_truth(exam, truth if len(states) == 1 else truth.with_suffix(f".{name}.npz"))
        OUT.print(f"{len(files)} {vendor} {form} files in {output}")
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


def _protocol(seed: int, *, is_random: bool, has_second_echo: bool) -> "Protocol":
    from models.phantom import Protocol, random_protocol

    acquired = random_protocol(seed) if is_random else Protocol()
    if not has_second_echo or acquired.arterial_second_echo_time_s is not None:
        return acquired
    echo_time_s = acquired.arterial.readout.echo_time_s + _ECHO_SPACING_S
    return replace(acquired, arterial_second_echo_time_s=echo_time_s)


def _parse_peer(text: str) -> dict[str, str]:
    found = _PEER.fullmatch(text)
    if found is None or not 0 < int(found["port"]) < 65536:
        raise RefusalError(f"{text!r} is not a peer; write AETITLE@host:port")
    return found.groupdict()
