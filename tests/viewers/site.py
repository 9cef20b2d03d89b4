"""One web address for a viewer and the archive behind it, as a hospital's web server offers it.

A browser lets a page read only from the address it came from, so the viewer's files and the
archive's DICOMweb are served together; nothing leaves the loopback interface.
"""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.peers.orthanc import Orthanc

_OF_THE_ARCHIVE = ("/dicom-web/", "/wado", "/web-viewer/", "/studies/", "/series/", "/instances/")


@contextmanager
def running_site(
    folder: Path, orthanc: Orthanc, *, replaced: Mapping[str, str], port: int
) -> Iterator[str]:
    """Serve a viewer's files and an archive; yield the address.

    Parameters
    ----------
    folder
        Files of the viewer; a path that names none of them gets its `index.html`, because such a
        viewer draws every page itself.
    orthanc
        The archive, of which the web paths are passed on.
    replaced
        Text served in place of a file, by path.
    port
        Loopback port to listen on.

    """

    def make_handler(*arguments: Any, **keywords: Any) -> _Handler:
        return _Handler(*arguments, directory=str(folder), **keywords)

    server = _Server(("127.0.0.1", port), make_handler)
    server.orthanc, server.replaced = orthanc, dict(replaced)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    orthanc: Orthanc
    replaced: dict[str, str]


class _Handler(SimpleHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.split("?", maxsplit=1)[0]
        if path.startswith(_OF_THE_ARCHIVE):
            self._pass_on()
        elif path in self.server.replaced:
            self._answer(200, "text/javascript", self.server.replaced[path].encode())
        else:
            if not Path(self.translate_path(path)).is_file():
                self.path = "/index.html"
            super().do_GET()

    def end_headers(self) -> None:
        # A page may use shared memory, and with it decoders in threads, only with these two.
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - name of the parent
        """Say nothing: a test fails on what the page shows."""

    def _pass_on(self) -> None:
        address = f"http://127.0.0.1:{self.server.orthanc.http_port}{self.path}"
        # The archive builds the addresses of bulk data from the host it was asked as.
        wanted = {name: self.headers[name] for name in ("Accept", "Host") if name in self.headers}
        try:
            with urllib.request.urlopen(urllib.request.Request(address, headers=wanted)) as answer:
                status, kind, body = answer.status, answer.headers["Content-Type"], answer.read()
        except urllib.error.HTTPError as error:
            status, kind, body = error.code, "text/plain", error.read()
        self._answer(status, kind, body)

    def _answer(self, status: int, kind: str | None, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind or "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
