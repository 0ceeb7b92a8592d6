"""How a command gets at the database, whether the gateway runs or not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg

from onevault.database import Database, Role, open_database
from onevault.log import configure_logging
from onevault.migrate import migrate
from onevault.settings import Settings, load_settings


@contextlib.contextmanager
def use_database() -> Iterator[tuple[Settings, Database]]:
    """The settings and the opened database of this command.

    An embedded database that does not run is started, brought up to date, and stopped at the end;
    one that runs is used as it is.
    """
    settings = load_settings()
    configure_logging(settings.log_level if settings.log_level == "debug" else "warning", "onevault")
    database = open_database(settings)
    try:
        if database.started:
            migrate(database.dsn("owner"))
        yield settings, database
    finally:
        database.close()


@contextlib.contextmanager
def connect(role: Role = "owner") -> Iterator[tuple[Settings, psycopg.Connection[Any]]]:
    """The settings and one connection as `role`; its transaction commits if nothing is raised."""
    with use_database() as (settings, database), psycopg.connect(database.dsn(role)) as connection:
        yield settings, connection
