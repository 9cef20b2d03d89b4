"""Alembic's entry: run the pending changes on the connection that `open_database` hands over.

There is no offline mode and no address of a database here; both would be second ways to connect.
"""

from alembic import context
from sqlalchemy import Connection

from storage.schema import Table


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        render_as_batch=True,  # SQLite changes a table by copying it
        transaction_per_migration=False,  # the caller's transaction holds them all
    )
    context.run_migrations()


_migrate(context.config.attributes["connection"])
