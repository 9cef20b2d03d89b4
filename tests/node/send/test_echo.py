"""What `perfnode check` says about a peer, for every way it can fail."""

import socket
import subprocess
import time
from collections.abc import Callable

from node.send.echo import echo
from node.settings import Destination
from tests.fakes.archive import Archive

TIMEOUT_S = 1.0


def ask(destination: Destination):
    return echo(destination, calling_ae="NODE", timeout_s=TIMEOUT_S)


def test_a_good_peer(destination: Destination, port: int) -> None:
    with Archive().listening(port):
        result = ask(destination)
    assert result.is_good
    assert result.text == f"ARCHIVE at 127.0.0.1:{port} answers"


def test_a_good_peer_by_host_name(destination: Destination, port: int) -> None:
    """`localhost` may mean IPv6 first, where nobody listens."""
    with Archive().listening(port):
        assert ask(destination.model_copy(update={"address": "localhost"})).is_good


def test_dcmtk(destination: Destination, port: int, program: Callable[[str], str]) -> None:
    storescp = subprocess.Popen([program("storescp"), "--ignore", str(port)])
    try:
        wait_for(port)
        assert ask(destination).is_good
    finally:
        storescp.terminate()
        storescp.wait()


def test_nobody_listens(destination: Destination) -> None:
    result = ask(destination)
    assert not result.is_good
    assert "Connection refused" in result.text
    assert "is the peer running?" in result.text


def test_an_unknown_host(destination: Destination) -> None:
    result = ask(destination.model_copy(update={"address": "no-such-host.invalid"}))
    assert not result.is_good
    assert "host name no-such-host.invalid is not known" in result.text


def test_a_peer_that_does_not_know_us(destination: Destination, port: int) -> None:
    with Archive().listening(port, callers=("OTHER",)):
        result = ask(destination)
    assert not result.is_good
    assert "rejected" in result.text
    assert "calling ae title not recognised" in result.text


def test_a_socket_that_says_nothing(destination: Destination, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        result = ask(destination)
    assert not result.is_good
    assert "does not answer as a DICOM node" in result.text


def test_a_socket_that_stops_in_mid_answer(destination: Destination, port: int) -> None:
    """Half a header must not hold the caller for ever."""
    with socket.create_server(("127.0.0.1", port)) as server:
        server.settimeout(10)
        began = time.monotonic()
        import threading

        def half_answer() -> None:
            connection, _ = server.accept()
            connection.recv(1)
            connection.sendall(b"\x02\x00\x00")
            time.sleep(3 * TIMEOUT_S)
            connection.close()

        thread = threading.Thread(target=half_answer)
        thread.start()
        result = ask(destination)
        waited_s = time.monotonic() - began
        thread.join()
    assert not result.is_good
    assert waited_s < 3 * TIMEOUT_S


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("the peer did not start")
