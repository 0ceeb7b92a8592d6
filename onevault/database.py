"""Which PostgreSQL is in use, and the connection strings of each role on it.

DatabaseError      no usable database; says why and what to do
"""

from __future__ import annotations

import atexit
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from onevault.embedded import DATABASE, SUPERUSER, EmbeddedServer
from onevault.errors import OperatorError
from onevault.server_settings import PORT
from onevault.settings import Settings

Role = Literal["owner", "app", "worker", "dba"]

LOGINS: dict[Role, str] = {
    "owner": SUPERUSER,
    "app": "onevault_app",
    "worker": "onevault_worker",
    "dba": "onevault_dba",
}


class DatabaseError(OperatorError):
    """No usable database. The text says why and what to do."""


class Database:
    """An opened database: the embedded one (`server` is set) or a remote one named by URL.

    `started` says that this process had to start the embedded server: nobody else was using it.
    """

    def __init__(self, settings: Settings, server: EmbeddedServer | None) -> None:
        self.settings = settings
        self.server = server
        self.started = False

    @property
    def embedded(self) -> bool:
        """Whether it is the embedded PostgreSQL of settings.home."""
        return self.server is not None

    def dsn(self, role: Role) -> str:
        """The libpq connection string of `role`; `owner` migrates and administers.

        Raises DatabaseError when no URL of the environment serves that role.
        """
        if self.server is not None:
            return self._embedded_dsn(LOGINS[role], self.server.socket_dir)
        own = {
            "app": self.settings.app_database_url,
            "worker": self.settings.worker_database_url,
        }.get(role)
        if own is not None:
            return own
        if self.settings.database_url is None:
            raise DatabaseError(
                f"no connection for the role {role}: set DATABASE_URL to a login that owns the "
                "database (the ONEVAULT_…_DATABASE_URL variables serve one role each)"
            )
        if role == "owner":
            return self.settings.database_url
        return _with_role(self.settings.database_url, LOGINS[role])

    def close(self) -> bool:
        """Gives the database up; True when this stopped the embedded server (see its `release`)."""
        atexit.unregister(self.close)
        return self.server is not None and self.server.release()

    @staticmethod
    def _embedded_dsn(user: str, socket_dir: Path) -> str:
        # The port is named so that a PGPORT in the environment changes nothing.
        return f"postgresql://{user}@/{DATABASE}?host={quote(str(socket_dir), safe='')}&port={PORT}"


def open_database(settings: Settings, *, start: bool = True) -> Database:
    """The database of `settings`: embedded, unless one of its database URLs is set.

    With `start` the embedded server is started if it is not running, and is kept running until
    `close` or the end of this process; the last process that uses it stops it. Without `start`
    nothing is touched: the caller relies on another process that keeps it.
    Raises DatabaseError.
    """
    if settings.database_url or settings.app_database_url or settings.worker_database_url:
        return Database(settings, None)
    database = Database(settings, EmbeddedServer(settings.home))
    if start:
        _start(database)
    return database


def _start(database: Database) -> None:
    assert database.server is not None
    try:
        database.started = database.server.acquire()
    except OperatorError as error:
        raise DatabaseError(str(error)) from error
    atexit.register(database.close)


def _with_role(url: str, role: str) -> str:
    """The connection string `url`, its session acting as `role` from the first statement on."""
    # Imported here: the supervisor, which only starts the database, stays small.
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    options = conninfo_to_dict(url).get("options")
    setting = f"-c role={role}"
    return make_conninfo(url, options=f"{options} {setting}" if options else setting)
