"""aeskulap, a desktop viewer on dcmtk, on a screen that nobody sees."""

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageGrab

SIZE = (1200, 800)
_TIMEOUT_S = 30.0


@contextmanager
def virtual_screen(folder: Path) -> Iterator[str]:
    """Run an X server without a monitor; yield the name of its display."""
    reader, writer = os.pipe()
    # Without -noreset it starts anew when a program leaves, and refuses one that comes just then.
    command = ["Xvfb", "-displayfd", str(writer), "-nolisten", "tcp", "-noreset", "-screen", "0"]
    with (folder / "screen.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "{}x{}x24".format(*SIZE)], pass_fds=(writer,), stderr=log
        )
    os.close(writer)
    try:
        with os.fdopen(reader) as number:
            yield f":{number.readline().strip()}"
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def open_in_aeskulap(files: Sequence[Path], display: str, folder: Path) -> Iterator[None]:
    """Open files as a user does who gives them to the program; fill the screen with its window."""
    # A home of its own: the viewer keeps settings and a cache there.
    environment = {**os.environ, "DISPLAY": display, "HOME": str(folder)}
    with (folder / "aeskulap.log").open("wb") as log:
        process = subprocess.Popen(
            ["aeskulap", *map(str, files)], stdout=log, stderr=log, env=environment, cwd=folder
        )
    try:
        window = _window(environment)
        subprocess.run(
            ["xdotool", "windowmove", window, "0", "0", "windowsize", window, *map(str, SIZE)],
            check=True,
            env=environment,
        )
        time.sleep(4)  # it tells nobody when it has drawn
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def photograph(display: str) -> Image.Image:
    """Return what is on the screen."""
    return ImageGrab.grab(xdisplay=display)


def _window(environment: dict[str, str]) -> str:
    deadline = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < deadline:
        found = subprocess.run(
            ["xdotool", "search", "--name", "Aeskulap Viewer"],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
        if names := found.stdout.split():
            return names[-1]
        time.sleep(0.2)
    raise AssertionError("aeskulap shows no window")
