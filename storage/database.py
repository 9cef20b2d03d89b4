"""The database: opened once, migrated, set to lose nothing that was committed.

SQLite in write-ahead-log mode with `synchronous=FULL`: a commit returns after the log is on disk,
so what was acknowledged survives a power cut. All writes are `BEGIN IMMEDIATE` and queue behind
one lock per process; processes queue behind SQLite's own lock for up to `BUSY_TIMEOUT_S`.
"""

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from storage.errors import (
    DatabaseTooNewError,
    DataFolderError,
    StorageError,
    TransientStorageError,
)

FILE_NAME = "node.sqlite"
BUSY_TIMEOUT_S = 30
CONNECTIONS = 32
"""Most connections of one process: one per association and some for the rest."""
SYNCHRONOUS_FULL = 2
_MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """Sessions on the migrated database. Safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing_engine = engine.execution_options(is_writing=True)
        self._writer = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session on a consistent snapshot; nothing it changes is kept.

        Raises
        ------
        TransientStorageError
            If the database is locked or cannot be read now.
        """
        with _translated(), Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session that commits at the end of the block, or keeps nothing.

        Raises
        ------
        TransientStorageError
            If the database is locked, the disk is full or cannot be written now.
        """
        with (
            _translated(),
            self._writer,
            Session(self._writing_engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def open_database(data_folder: Path, *, url: str | None = None) -> Database:
    """Open the database of a data folder; create it, or bring it to the present shape.

    Parameters
    ----------
    data_folder
        Folder that holds, or will hold, `node.sqlite`.
    url
        SQLAlchemy address of another database; None for the file in `data_folder`.

    Raises
    ------
    DataFolderError
        If the folder cannot be made or written.
    DatabaseTooNewError
        If the database was written by a newer version of the software.
    TransientStorageError
        If another process holds the database for longer than `BUSY_TIMEOUT_S`.
    """
    with _exclusive(data_folder):
        engine = _make_engine(url or f"sqlite:///{data_folder / FILE_NAME}")
        try:
            _prepare(engine)
        except BaseException:
            engine.dispose()
            raise
    return Database(engine)


@contextmanager
def _exclusive(data_folder: Path) -> Iterator[None]:
    """Let one process at a time create or migrate the database.

    The first switch to the write-ahead log fails with "database is locked" when two connections
    try it at once, whatever the busy timeout: it must be done alone.
    """
    try:
        data_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (data_folder / f"{FILE_NAME}.lock").open("w")
    except OSError as error:
        raise DataFolderError(
            f"cannot write to the data folder {data_folder} ({error.strerror}): "
            "check node.data in the configuration and the rights of the folder"
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make_engine(url: str) -> Engine:
    engine = create_engine(
        url,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=BUSY_TIMEOUT_S,
        hide_parameters=True,  # identifiers of patients must not reach a traceback
    )
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: SqliteConnection, _: ConnectionPoolEntry) -> None:
    """Set what SQLite keeps per connection, and check that it was taken.

    Raises
    ------
    StorageError
        If this build of SQLite does not honour a setting.
    """
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
    settings = {
        "busy_timeout": BUSY_TIMEOUT_S * 1000,
        "foreign_keys": 1,
        "synchronous": SYNCHRONOUS_FULL,
    }
    for name, value in settings.items():
        connection.execute(f"PRAGMA {name}={value}")
        if connection.execute(f"PRAGMA {name}").fetchone() != (value,):
            raise StorageError(f"this build of SQLite does not honour {name}={value}")


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at the start: one taken in mid-transaction cannot wait for its turn."""
    is_writing = connection.get_execution_options().get("is_writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


def _prepare(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        _switch_to_write_ahead_log(engine)
    with _translated(), engine.execution_options(is_writing=True).begin() as connection:
        _refuse_newer(connection)
        command.upgrade(_alembic_config(connection), "head")


def _switch_to_write_ahead_log(engine: Engine) -> None:
    with _translated():
        connection = engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute("PRAGMA journal_mode=wal")
            mode = cursor.fetchone()
        finally:
            connection.close()
    if mode != ("wal",):
        raise StorageError(f"SQLite cannot use a write-ahead log on this disk: {mode}")


def _refuse_newer(connection: Connection) -> None:
    known = {script.revision for script in ScriptDirectory(str(_MIGRATIONS)).walk_revisions()}
    present = set(MigrationContext.configure(connection).get_current_heads())
    if present - known:
        raise DatabaseTooNewError(
            f"the database is at {', '.join(sorted(present))}, which this version does not know: "
            "install the newer perfnode again, or restore a backup made by this version"
        )


def _alembic_config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _translated() -> Iterator[None]:
    """Turn errors of the database library into ours."""
    try:
        yield
    except (OperationalError, PoolTimeoutError) as error:
        cause = getattr(error, "orig", None) or error
        raise TransientStorageError(f"the database is not available now: {cause}") from error
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or type(error).__name__
        raise StorageError(f"the database refused: {cause}") from error
