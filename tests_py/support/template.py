"""What tests begin from: the data directory of a migrated gateway, made once for a run and copied.

Nothing in it belongs to one gateway: no master key, no customer, no token. What is tested from nothing is so by
leaving it out.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

import psycopg
from psycopg import sql

from onevault.database import open_database
from onevault.embedded import DATABASE, make_home
from onevault.migrate import migrate
from onevault.seed import sync_price_book
from onevault.settings import load_settings

EMPTY = "onevault_empty"
"""A database that is migrated, and nothing more."""
STOCKED = DATABASE
"""One with the price book in it, as every start leaves it."""
_VARIABLE = "TESTS_TEMPLATE"


def promise_template(environ: MutableMapping[str, str]) -> Path:
    """A place for the directory, which this process and its children will find; the caller removes it."""
    path = Path(tempfile.mkdtemp(prefix="ov-"))
    path.chmod(0o711)
    environ[_VARIABLE] = str(path)
    return path


def lay_data(home: Path) -> None:
    """Puts a copy of the data into `home`, where `onevault up` finds it; makes the original if nobody has yet."""
    template = Path(os.environ[_VARIABLE])
    with (template / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (template / "made").exists():
            _make(template / "home")
            (template / "made").touch()
    make_home(home)
    # With its owner, the system user of PostgreSQL.
    subprocess.run(["cp", "-a", str(template / "home" / "pg"), str(home / "pg")], check=True)


def copy_database(connection: psycopg.Connection[tuple[object, ...]], template: str, name: str) -> None:
    """A new database like `template`, its rights included, which PostgreSQL does not copy."""
    connection.execute(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template)))
    connection.execute(
        "update pg_catalog.pg_database set datacl ="
        " (select d.datacl from pg_catalog.pg_database as d where d.datname = %s) where datname = %s",
        (template, name),
    )


def _make(home: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    database = open_database(load_settings({"ONEVAULT_HOME": str(home)}, None))
    try:
        migrate(database.dsn("owner"))
        with psycopg.connect(database.dsn("owner"), dbname="postgres", autocommit=True) as connection:
            copy_database(connection, STOCKED, EMPTY)
        with psycopg.connect(database.dsn("dba")) as connection:
            sync_price_book(connection)
    finally:
        database.close()
