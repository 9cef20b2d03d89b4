"""The database is durable, migrated, and never opened by a version that does not know it."""

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, text

from storage import database as module
from storage.database import FILE_NAME, Database, open_database
from storage.errors import (
    DatabaseTooNewError,
    DataFolderError,
    StorageError,
    TransientStorageError,
)
from storage.schema import HeartbeatRow, Table
from tests.fakes.ticking_clock import START


@pytest.fixture
def plain_engine(database: Database, tmp_path: Path) -> Engine:
    """Return an engine on the same file, without any of our settings."""
    return create_engine(f"sqlite:///{tmp_path / FILE_NAME}")


def test_migrated_schema_equals_the_models(plain_engine: Engine) -> None:
    with plain_engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Table.metadata) == []
    plain_engine.dispose()


def test_autogenerate_would_notice_a_difference(plain_engine: Engine) -> None:
    """The test above can fail: a dropped index is found."""
    with plain_engine.begin() as connection:
        connection.execute(text("DROP INDEX uq_instance_without_conflict"))
        context = MigrationContext.configure(connection)
        assert len(compare_metadata(context, Table.metadata)) == 1
    plain_engine.dispose()


def test_every_connection_is_set_to_lose_nothing(database: Database) -> None:
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30000}
    barrier = threading.Barrier(4)
    seen: list[dict[str, object]] = []

    def ask() -> None:
        with database.read() as session:
            barrier.wait()  # four connections at a time
            seen.append(
                {name: session.execute(text(f"PRAGMA {name}")).scalar() for name in expected}
            )

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [expected] * 4


def test_a_build_of_sqlite_that_ignores_a_setting_is_refused(tmp_path: Path) -> None:
    class DeafConnection(sqlite3.Connection):
        def execute(self, sql: str) -> sqlite3.Cursor:  # type: ignore[override] # no arguments
            return super().execute(sql.replace("synchronous=2", "synchronous=1"))

    connection = sqlite3.connect(tmp_path / "x", factory=DeafConnection)
    with pytest.raises(StorageError, match="synchronous=2"):
        module._configure_sqlite(connection, None)  # type: ignore[arg-type] # entry is not read
    connection.close()


def test_reopening_keeps_rows(tmp_path: Path) -> None:
    first = open_database(tmp_path)
    with first.write() as session:
        session.add(HeartbeatRow(process="receiver", pid=1, at=START))
    first.close()
    second = open_database(tmp_path)
    with second.read() as session:
        assert session.get(HeartbeatRow, "receiver") is not None
    second.close()


def test_a_newer_database_is_refused_and_untouched(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(DatabaseTooNewError, match=r"9999.*newer perfnode"):
        open_database(tmp_path)
    engine = create_engine(f"sqlite:///{tmp_path / FILE_NAME}")
    with engine.connect() as connection:
        assert "study" in inspect(connection).get_table_names()
    engine.dispose()


def test_a_failed_block_keeps_nothing(database: Database) -> None:
    def fail_after_flush() -> None:
        with database.write() as session:
            session.add(HeartbeatRow(process="receiver", pid=1, at=START))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_flush()
    with database.read() as session:
        assert session.get(HeartbeatRow, "receiver") is None


def test_a_locked_database_is_a_transient_error(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.close()
    monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 0)
    impatient = open_database(tmp_path)
    other = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(TransientStorageError, match="locked"), impatient.write() as session:
        session.execute(text("SELECT 1"))  # even a question takes the lock: no late surprise
    other.rollback()
    other.close()
    with impatient.write() as session:
        session.add(HeartbeatRow(process="receiver", pid=1, at=START))
    impatient.close()


def test_errors_do_not_show_values(database: Database) -> None:
    with pytest.raises(StorageError) as caught, database.write() as session:
        session.execute(text("INSERT INTO event VALUES (:secret)"), {"secret": "DOE^JANE"})
    assert "DOE" not in f"{caught.value} {caught.value.__cause__}"


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataFolderError, match=r"file/data.*check node\.data"):
        open_database(tmp_path / "file" / "data")


def test_processes_that_open_a_new_database_at_once_all_succeed(tmp_path: Path) -> None:
    """The first switch to the write-ahead log is a race that a busy timeout does not cover."""
    script = (
        "import sys; from pathlib import Path; from storage.database import open_database\n"
        "open_database(Path(sys.argv[1])).close()"
    )
    processes = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path)]) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4


def test_writers_of_many_threads_queue_up(database: Database) -> None:
    def add(number: int) -> None:
        for _ in range(5):
            with database.write() as session:
                session.merge(HeartbeatRow(process=f"p{number}", pid=number, at=START))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert session.query(HeartbeatRow).count() == 8
