"""The process tree with real processes: kill, restart, refuse, stop, die together."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from node.errors import StartupError
from node.work.locks import only_one
from node.work.supervise import ChildProcess, Patience, Supervisor

PATIENCE = Patience(
    restart_after_s=(0.05, 0.2), stable_after_s=30, stop_within_s=1, look_every_s=0.01
)
WAIT_S = 30

CHILD = """
import sys, time
from pathlib import Path
from node.errors import StartupError
from node.work.child import run_child
def work(stop):
    {setup}
    Path({mark!r}).open("a").write("started\\n")
    stop.wait()
    Path({mark!r}).open("a").write("stopped\\n")
sys.exit(run_child(work))
"""


def child(folder: Path, name: str = "one", setup: str = "pass") -> ChildProcess:
    code = CHILD.format(setup=setup, mark=str(folder / name))
    return ChildProcess(name=name, command=(sys.executable, "-c", code))


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


@contextmanager
def running(supervisor: Supervisor) -> Iterator[list[BaseException]]:
    """Run a supervisor beside the test; gives the errors that it ended with."""
    stop, errors = threading.Event(), []

    def run() -> None:
        try:
            supervisor.run(stop)
        except StartupError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield errors
    finally:
        stop.set()
        thread.join()


def test_children_run_and_stop_in_good_order(tmp_path: Path) -> None:
    children = [child(tmp_path, name) for name in ("one", "two")]
    supervisor = Supervisor(children, data_folder=tmp_path, patience=PATIENCE)
    with running(supervisor):
        for name in ("one", "two"):
            wait_until(lambda name=name: lines(tmp_path / name) == ["started"])
        pids = supervisor.pids()
        assert set(pids) == {"one", "two"}
    assert not any(psutil.pid_exists(pid) for pid in pids.values())
    assert lines(tmp_path / "one") == lines(tmp_path / "two") == ["started", "stopped"]


def test_a_killed_child_is_started_again(tmp_path: Path) -> None:
    supervisor = Supervisor([child(tmp_path)], data_folder=tmp_path, patience=PATIENCE)
    with running(supervisor):
        for n_starts in (1, 2, 3):
            wait_until(lambda n=n_starts: len(lines(tmp_path / "one")) == n)
            os.kill(supervisor.pids()["one"], signal.SIGKILL)
        wait_until(lambda: len(lines(tmp_path / "one")) == 4)


def test_a_child_that_cannot_start_brings_the_node_down_with_its_reason(tmp_path: Path) -> None:
    bad = child(tmp_path, "bad", "raise StartupError('port 104 is in use: stop the other one')")
    supervisor = Supervisor([child(tmp_path), bad], data_folder=tmp_path, patience=PATIENCE)
    with pytest.raises(StartupError, match="port 104 is in use"):
        supervisor.run(threading.Event())
    assert supervisor.pids() == {}


def test_a_restart_that_cannot_start_is_tried_again(tmp_path: Path) -> None:
    setup = f"if Path({str(tmp_path / 'busy')!r}).exists(): raise StartupError('port in use')"
    supervisor = Supervisor([child(tmp_path, setup=setup)], data_folder=tmp_path, patience=PATIENCE)
    with running(supervisor) as errors:
        wait_until(lambda: len(lines(tmp_path / "one")) == 1)
        (tmp_path / "busy").touch()
        os.kill(supervisor.pids()["one"], signal.SIGKILL)
        time.sleep(0.5)
        (tmp_path / "busy").unlink()
        wait_until(lambda: len(lines(tmp_path / "one")) == 2)
    assert errors == []


def test_a_program_that_does_not_exist_is_a_startup_error(tmp_path: Path) -> None:
    absent = ChildProcess(name="absent", command=(str(tmp_path / "absent"),))
    supervisor = Supervisor([absent], data_folder=tmp_path, patience=PATIENCE)
    with pytest.raises(StartupError, match="cannot start absent"):
        supervisor.run(threading.Event())


def test_a_child_that_does_not_stop_is_killed_at_the_deadline(tmp_path: Path) -> None:
    deaf = child(tmp_path, "deaf", "import signal; signal.signal(15, signal.SIG_IGN)")
    supervisor = Supervisor([deaf], data_folder=tmp_path, patience=PATIENCE)
    with running(supervisor):
        wait_until(lambda: len(lines(tmp_path / "deaf")) == 1)
        pid = supervisor.pids()["deaf"]
    assert not psutil.pid_exists(pid)
    assert lines(tmp_path / "deaf") == ["started"]


def test_two_nodes_on_one_data_folder(tmp_path: Path) -> None:
    first = Supervisor([child(tmp_path)], data_folder=tmp_path, patience=PATIENCE)
    second = Supervisor([child(tmp_path, "two")], data_folder=tmp_path, patience=PATIENCE)
    with running(first):
        wait_until(lambda: len(lines(tmp_path / "one")) == 1)
        with pytest.raises(StartupError, match=f"is running \\(process {os.getpid()}\\)"):
            second.run(threading.Event())
    assert not (tmp_path / "two").exists()


def test_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    code = (
        "import os, pathlib; from node.work.locks import only_one\n"
        f"only_one(pathlib.Path({str(tmp_path / 'lock')!r}), 'node').__enter__(); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    with only_one(tmp_path / "lock", "node"):
        pass


def test_a_lock_in_an_unusable_folder(tmp_path: Path) -> None:
    lock = only_one(tmp_path / "absent" / "lock", "node")
    with pytest.raises(StartupError, match="make the folder writable"), lock:
        pass


def test_children_die_with_a_killed_supervisor_and_stop_on_sigterm(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from node.work.child import stop_on_signals\n"
        "from node.work.supervise import ChildProcess, Supervisor\n"
        f"one = ChildProcess(name='one', command={child(tmp_path).command!r})\n"
        "with stop_on_signals() as stop:\n"
        f"    Supervisor([one], data_folder=Path({str(tmp_path)!r})).run(stop)\n"
    )
    for number, expected in ((signal.SIGKILL, 1), (signal.SIGTERM, 3), (signal.SIGINT, 5)):
        node = subprocess.Popen([sys.executable, "-c", code])
        n_before = len(lines(tmp_path / "one"))
        wait_until(lambda n=n_before: len(lines(tmp_path / "one")) == n + 1)
        (grandchild,) = psutil.Process(node.pid).children()
        node.send_signal(number)
        assert node.wait(WAIT_S) == (-9 if number == signal.SIGKILL else 0)
        wait_until(lambda pid=grandchild: not pid.is_running())
        assert len(lines(tmp_path / "one")) == expected


def test_an_unexpected_error_names_place_and_type_only(tmp_path: Path, capfd) -> None:
    code = (
        "import sys, logging\nfrom node.log import set_up_logging\n"
        "from node.work.child import run_child\nset_up_logging('info', 'one')\n"
        "def work(stop):\n    raise ValueError('DOE^JANE')\n"
        "sys.exit(run_child(work))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 1
    printed = capfd.readouterr().err
    assert "error=ValueError" in printed
    assert "at=work:" in printed
    assert "DOE" not in printed
