"""One PostgreSQL for a test session, and databases cloned from those of the template."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from onevault.database import Database, Role, open_database
from onevault.settings import Settings, load_settings
from tests_py.support.template import EMPTY, copy_database, lay_data

_WAITS = "select exists (select from pg_catalog.pg_stat_activity as a where a.pid = %s and a.wait_event_type = 'Lock')"


class ClonedDatabase:
    """A database of its own for one test: migrated, empty, dropped afterwards."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.name = name

    def dsn(self, role: Role = "owner") -> str:
        """The connection string of a role on this database."""
        return self.cluster.dsn(self.name, role)

    def connect(self, role: Role = "owner", *, autocommit: bool = True) -> psycopg.Connection[Any]:
        """A new connection; the caller closes it."""
        return psycopg.connect(self.dsn(role), autocommit=autocommit)

    def query(self, statement: str, *parameters: Any, role: Role = "owner") -> list[tuple[Any, ...]]:
        """The rows of one statement, run on a connection of its own."""
        with self.connect(role) as connection:
            return connection.execute(statement.encode(), parameters or None).fetchall()

    def wait_until_blocked(self, connection: psycopg.Connection[Any]) -> None:
        """Returns when what runs on a connection waits for a lock; fails after twenty seconds and more."""
        for _ in range(2000):
            if self.query(_WAITS, connection.info.backend_pid) == [(True,)]:
                return
            threading.Event().wait(0.01)
        raise AssertionError("it does not wait")

    def environ(self, home: Path) -> dict[str, str]:
        """Variables under which a process works on this database with `home` as data directory."""
        return {
            "ONEVAULT_HOME": str(home),
            "DATABASE_URL": self.dsn("owner"),
            "ONEVAULT_APP_DATABASE_URL": self.dsn("app"),
            "ONEVAULT_WORKER_DATABASE_URL": self.dsn("worker"),
        }

    def settings(self, home: Path, **changes: Any) -> Settings:
        """Settings of a gateway on this database, with `changes` by field name."""
        return msgspec.structs.replace(load_settings(self.environ(home), None), **changes)


class Cluster:
    """An embedded server in a directory of its own, tuned to forget quickly, unless it is to be `durable`."""

    def __init__(self, *, durable: bool = False) -> None:
        # Not pytest's directory: it is closed to the system user that PostgreSQL runs as.
        self.home = Path(tempfile.mkdtemp(prefix="ov-"))
        self.home.chmod(0o711)
        self._numbers = itertools.count(1)
        lay_data(self.home)
        self._database: Database = open_database(load_settings({"ONEVAULT_HOME": str(self.home)}, None))
        with self.maintenance() as connection:
            for setting in () if durable else ("fsync", "full_page_writes", "autovacuum"):
                connection.execute(sql.SQL("alter system set {} = off").format(sql.Identifier(setting)))
            connection.execute("select pg_catalog.pg_reload_conf()")

    def dsn(self, database: str, role: Role = "owner") -> str:
        """The connection string of a role on any database of this server."""
        return make_conninfo(self._database.dsn(role), dbname=database)

    def maintenance(self) -> psycopg.Connection[Any]:
        """A superuser's connection to the database `postgres`."""
        return psycopg.connect(self.dsn("postgres"), autocommit=True)

    def clone(self, template: str = EMPTY) -> ClonedDatabase:
        """A new database like `template`, its rights included."""
        name = f"t{next(self._numbers)}"
        with self.maintenance() as connection:
            copy_database(connection, template, name)
        return ClonedDatabase(self, name)

    def drop(self, database: ClonedDatabase) -> None:
        """Drops a clone, whoever is still connected."""
        with self.maintenance() as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(database.name)))

    def close(self) -> None:
        """Stops the server and removes its directory."""
        self._database.close()
        shutil.rmtree(self.home)


def clean_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` less every variable that would change what a gateway started by a test does."""
    foreign = ("ONEVAULT_", "DATABASE_URL", "PG", "OPENAI_", "ANTHROPIC_", "GEMINI_")
    return {name: value for name, value in environ.items() if not name.startswith(foreign)}
