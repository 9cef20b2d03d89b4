"""The receiver: listening socket, guard, handlers and start-up repair put together."""

import errno
import logging
import threading
import warnings

from pydicom.uid import UID
from pynetdicom import AE, _config, evt

from node.errors import StartupError
from node.receive.callers import CallerList
from node.receive.contexts import supported_contexts
from node.receive.conversation import Reception
from node.receive.guard import GuardedServer, Limits
from node.receive.recover import recover
from node.settings import ReceiveSettings, Settings
from node.version import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from storage.catalogue import Catalogue
from storage.errors import StorageError
from storage.files import FileStore

MEBIBYTE = 1024 * 1024
POLL_S = 0.1
UNLIMITED = 10**9
_REMEDIES = {
    errno.EADDRINUSE: "another program listens there: stop it, or change receive.port",
    errno.EADDRNOTAVAIL: "this machine has no such address: change receive.address",
    errno.EACCES: "ports below 1024 need a privilege: change receive.port, or grant it",
}


class Receiver:
    """Storage and Verification provider. Meant to be alone in its process.

    Parameters
    ----------
    settings
        The configuration; sections `node` and `receive` are used.
    catalogue
        Where instances are recorded.
    files
        Where their bytes are kept.
    """

    def __init__(self, settings: Settings, catalogue: Catalogue, files: FileStore) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._files = files
        self._reception = _make_reception(settings, catalogue, files)
        self._server: GuardedServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Repair what a crash left, then listen; returns when peers are served.

        Raises
        ------
        StartupError
            If the port cannot be had, or the data folder cannot be used.
        """
        _quieten_libraries()
        server = self._listen()  # first: only the owner of the port may sweep the data folder
        try:
            self._files.check_writable()
            recover(self._catalogue, self._files)
        except StorageError as error:
            server.server_close()
            raise StartupError(str(error)) from error
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(POLL_S,), name="receive")
        self._thread.start()

    def stop(self) -> None:
        """Stop accepting, let every object in progress be finished, end all associations."""
        if self._server is None or self._thread is None:
            return
        self._server.stop_accepting()
        self._thread.join()
        self._reception.end_all()
        self._server.close_connections()
        self._server = self._thread = None

    def _listen(self) -> GuardedServer:
        receive = self._settings.receive
        entity = _make_entity(self._settings)
        try:
            return GuardedServer(
                entity,
                (receive.address, receive.port),
                handlers=self._handlers(),
                limits=_limits(receive),
                on_ended=self._reception.on_ended,
            )
        except OSError as error:
            remedy = _REMEDIES.get(error.errno or 0, str(error))
            raise StartupError(
                f"cannot listen on {receive.address} port {receive.port}: {remedy}"
            ) from error

    def _handlers(self) -> list[evt.EventHandlerType]:
        reception = self._reception
        return [
            (evt.EVT_REQUESTED, reception.on_requested),
            (evt.EVT_DATA_RECV, reception.on_data),
            (evt.EVT_DIMSE_RECV, reception.on_message),
            (evt.EVT_C_STORE, reception.on_store),
        ]


def _make_reception(settings: Settings, catalogue: Catalogue, files: FileStore) -> Reception:
    receive = settings.receive
    return Reception(
        catalogue=catalogue,
        files=files,
        callers=CallerList(settings.node.ae_title, receive.allow),
        max_associations=receive.max_associations,
        max_object_bytes=int(receive.max_object_mb * MEBIBYTE),
    )


def _make_entity(settings: Settings) -> AE:
    receive = settings.receive
    entity = AE(ae_title=settings.node.ae_title)
    entity.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
    entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    entity.supported_contexts = supported_contexts(receive.also_store)
    entity.maximum_pdu_size = _limits(receive).max_pdu_bytes
    entity.maximum_associations = UNLIMITED  # counted by `Reception`, which leaves out silent ones
    entity.acse_timeout = receive.timeout_s
    entity.dimse_timeout = receive.timeout_s
    entity.network_timeout = receive.timeout_s
    return entity


def _limits(receive: ReceiveSettings) -> Limits:
    return Limits(max_pdu_bytes=int(receive.max_pdu_mb * MEBIBYTE), timeout_s=receive.timeout_s)


def _quieten_libraries() -> None:
    """Keep identifiers of patients, and whatever a peer likes to send, out of log and stderr.

    It is also faster: pynetdicom formats every command for its log, whoever reads it.
    """
    _config.LOG_HANDLER_LEVEL = "none"
    for library in ("pynetdicom", "pydicom"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", category=UserWarning, module=r"pydicom\.")
