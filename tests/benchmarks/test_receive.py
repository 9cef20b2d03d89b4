"""Images per second of the receiver, beside dcmtk's storescp in the same run.

They do not promise the same: ours has synced file, folder and row before it answers, storescp
syncs nothing and keeps no index. Run with `pytest -m benchmark -s tests/benchmarks`.
"""

import os
import platform
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes.images import image, save

ROOT = Path(__file__).parents[2]
N_IMAGES = 120
SIZE = 256
ROUNDS = 3


@contextmanager
def running(command: list[str], port: int, environment: dict[str, str]) -> Iterator[None]:
    """Run a receiver in its own process while it listens on a port."""
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    try:
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(60)


def seconds_to_send(
    storescu: str, folders: list[Path], port: int, environment: dict[str, str]
) -> float:
    """Return the seconds that one `storescu` per folder takes, all at the same time."""
    begin = time.perf_counter()
    senders = [
        subprocess.Popen(
            [storescu, "-aec", "PERFNODE", "127.0.0.1", str(port), "+sd", str(folder)],
            env=environment,
        )
        for folder in folders
    ]
    assert [sender.wait() for sender in senders] == [0] * len(senders)
    return time.perf_counter() - begin


def make_folders(root: Path, round_number: int, n_folders: int) -> list[Path]:
    """Write one series per folder, a new study each round."""
    folders = [root / f"{round_number}-{series}" for series in range(1, n_folders + 1)]
    for series, folder in enumerate(folders, start=1):
        images = (
            image(n, series=series, study=f"1.2.3.{round_number}", size=SIZE, fill=n)
            for n in range(1, N_IMAGES + 1)
        )
        save(folder, *images)
    return folders


@pytest.mark.benchmark
@pytest.mark.parametrize("n_associations", [1, 4])
@pytest.mark.parametrize("has_nagle", [False, True], ids=["TCP_NODELAY=1", "as installed"])
def test_images_per_second(
    tmp_path: Path,
    program: Callable[[str], str],
    free_port: Callable[[], int],
    n_associations: int,
    has_nagle: bool,
) -> None:
    """dcmtk's programs wait 40 ms per image for acknowledgements unless told otherwise."""
    environment = dict(os.environ) | ({} if has_nagle else {"TCP_NODELAY": "1"})
    rates: dict[str, list[float]] = {"perfnode": [], "storescp": []}
    for round_number in range(1, ROUNDS + 1):
        folders = make_folders(tmp_path, round_number, n_associations)
        for name, found in rates.items():
            port, data = free_port(), tmp_path / name
            data.mkdir(exist_ok=True)
            command = {
                "perfnode": [
                    *(sys.executable, "-m", "tests.fakes.receiver_process"),
                    *(str(data), str(port), "30"),
                ],
                "storescp": [program("storescp"), "--fork", "+B", "-od", str(data), str(port)],
            }[name]
            with running(command, port, environment):
                seconds = seconds_to_send(program("storescu"), folders, port, environment)
            found.append(N_IMAGES * n_associations / seconds)
    ours, theirs = (statistics.median(rates[name]) for name in ("perfnode", "storescp"))
    print(
        f"\n{n_associations} association(s), {'Nagle on' if has_nagle else 'TCP_NODELAY'}, "
        f"{N_IMAGES} images of {SIZE} x {SIZE} x 16 bit each, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}: perfnode {ours:.0f} images/s, "
        f"storescp {theirs:.0f} images/s, ratio {ours / theirs:.2f}"
    )
