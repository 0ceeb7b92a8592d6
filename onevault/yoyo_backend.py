"""yoyo on a connection of ours: a migration and its mark are committed together.

yoyo by itself runs a migration on a second connection and marks it afterwards, so that a process
killed in between leaves a migration applied and not marked; it also skips a migration that cannot
be loaded. Here everything runs on one connection, in a transaction its user opens and ends.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

from psycopg import Connection
from yoyo import read_migrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI
from yoyo.migrations import default_migration_table

SCHEMA = "yoyo"


class Backend(PostgresqlPsycopgBackend):  # type: ignore[misc]
    """yoyo's PostgreSQL backend over one given autocommit connection."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._given = connection
        uri = DatabaseURI("postgresql+psycopg", None, None, None, None, None, {})
        super().__init__(uri, default_migration_table)

    def connect(self, dburi: DatabaseURI) -> Connection[Any]:
        """The connection given; `dburi` is not used."""
        self.schema = SCHEMA
        return self._given

    def ensure_transaction(self) -> None:
        """Begins a transaction unless one is open."""
        if not self._in_transaction:
            self.begin()

    def end_transaction(self) -> None:
        """Commits the open transaction, if any."""
        if self._in_transaction:
            self.commit()

    def abandon_transaction(self) -> None:
        """Rolls the open transaction back, if any."""
        if self._in_transaction and not self._given.closed:
            self.rollback()

    def run(self, migration: Any) -> None:
        """Applies `migration` and marks it applied. Raises psycopg.Error.

        It starts as the connection's own role, with an empty search_path: every name in it must
        be qualified. A role or search_path it leaves behind ends with it.
        """
        self.execute("set search_path = ''")
        with contextlib.redirect_stdout(io.StringIO()):  # yoyo prints what a `select` returns
            migration.process_steps(self, "apply")
        self.execute("reset role")
        self.execute(f"set search_path = {SCHEMA}")
        self.mark_one(migration)


def open_backend(connection: Connection[Any]) -> Backend:
    """A backend whose tables exist. The caller holds the lock that keeps other migrates out.

    That lock makes a row in yoyo's own lock table a leftover of a killed process: it is removed.
    """
    backend = Backend(connection)
    backend.create_lock_table()
    backend.break_lock()
    backend.ensure_internal_schema_updated()
    return backend


def read_pending(backend: Backend, folder: Path) -> list[Any]:
    """The migrations of `folder` that are not applied, each after those it depends on."""
    waiting = list(backend.to_apply(read_migrations(str(folder))))
    for migration in waiting:
        migration.load()
    return waiting
