"""Brings a database to the state of this release: migrations/ once, sql/ whenever it changed.

    MigrateError                 the database cannot be brought to this release
     ├── DatabaseIsNewer         it has migrations that this release does not know
     ├── MigrationChanged        a migration was edited after it had been applied
     └── SqlFailed               a statement failed; names the file and the line

Everything happens in one transaction (a migration marked `-- transactional: false` splits it):
an upgrade happens whole or not at all. An advisory lock lets one migrate at a time in. yoyo's
tables and the digests below live in the schema `yoyo`; when the digests say that nothing changed,
a migrate is one query.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection

from onevault import __version__
from onevault.errors import OperatorError
from onevault.log import get_log

ROOT = Path(__file__).resolve().parent.parent
MIGRATIONS = ROOT / "migrations"
SQL = ROOT / "sql"
OLDEST_SERVER = 180000

_ADVISORY_LOCK = int.from_bytes(b"onevault")
_LOCK_SECONDS = 120
# DDL waits this long for running statements, then gives up: it must not stall the road.
_DDL_LOCK_SECONDS = 30

_OWN_TABLES = """
create schema if not exists yoyo;
create table if not exists yoyo.migration_digest (
    migration_id text primary key,
    sha256 text not null,
    applied_at timestamp with time zone not null default pg_catalog.now()
);
create table if not exists yoyo.install_digest (
    only_row boolean primary key default true,
    sha256 text not null,
    release text not null,
    installed_at timestamp with time zone not null default pg_catalog.now(),
    constraint there_is_one_row check (only_row)
);
comment on table yoyo.migration_digest is 'Content of each applied migration';
comment on table yoyo.install_digest is 'Content of sql/ as it was applied last';
"""

log = get_log("migrate")


class MigrateError(OperatorError):
    """The database cannot be brought to this release. The text says why and what to do."""


class DatabaseIsNewer(MigrateError):
    """The database has migrations that this release does not know."""


class MigrationChanged(MigrateError):
    """A migration's file differs from what was applied."""


class SqlFailed(MigrateError):
    """A statement of a file failed."""


class Report(NamedTuple):
    """What a migrate did: ids of the migrations it applied, whether it applied sql/."""

    migrations: tuple[str, ...]
    installed: bool


class Piece(NamedTuple):
    """Statements to run as one: their text, the file they stand in and the line they begin at."""

    text: str
    path: Path
    line: int


def migrate(dsn: str, *, migrations: Path = MIGRATIONS, sql: Path = SQL) -> Report:
    """Applies what is missing to the database `dsn` (a login that may do so). Raises MigrateError.

    `migrations` is a flat folder of yoyo migrations; `sql` holds install.sql, whose `\\ir` lines
    name the files to run.
    """
    known = _migration_digests(migrations)
    digest = _tree_digest(sql)
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            _check_server(connection)
            if _is_current(connection, known, digest):
                return Report((), installed=False)
            _lock(connection)
            if _is_current(connection, known, digest):
                return Report((), installed=False)
            return _upgrade(connection, known, digest, migrations, sql)
    except psycopg.OperationalError as error:
        raise MigrateError(f"the database cannot be reached: {str(error).strip()}") from error


def pending(dsn: str, *, migrations: Path = MIGRATIONS, sql: Path = SQL) -> bool:
    """Whether `migrate` would change the database. Raises MigrateError as it does."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        _check_server(connection)
        return not _is_current(connection, _migration_digests(migrations), _tree_digest(sql))


def read_install(path: Path) -> Iterator[Piece]:
    """The pieces of a file and of every file it names in an `\\ir` line, in order.

    Raises MigrateError for a file that is missing or a psql command other than `\\ir`.
    """
    gathered: list[str] = []
    first = 1
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except OSError as error:
        raise MigrateError(f"{path} cannot be read: {error.strerror}") from error
    for number, line in enumerate(lines, 1):
        if not line.startswith("\\"):
            gathered.append(line)
            continue
        if "".join(gathered).strip():
            yield Piece("".join(gathered), path, first)
        gathered, first = [], number + 1
        command = re.fullmatch(r"\\ir\s+(\S+)\s*", line)
        if command is None:
            raise MigrateError(f"{path}, line {number}: only \\ir lines are understood here")
        yield from read_install(path.parent / command[1])
    if "".join(gathered).strip():
        yield Piece("".join(gathered), path, first)


def _migration_digests(folder: Path) -> dict[str, str]:
    return {
        path.stem: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.suffix in (".sql", ".py") and not path.name.endswith(".rollback.sql")
    }


def _tree_digest(folder: Path) -> str:
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*.sql")):
        content = path.read_bytes()
        whole.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        whole.update(content)
    return whole.hexdigest()


def _check_server(connection: Connection[Any]) -> None:
    version = connection.info.server_version
    if version < OLDEST_SERVER:
        raise MigrateError(
            f"the server is PostgreSQL {version // 10000}: the gateway needs {OLDEST_SERVER // 10000} or newer"
        )


def _is_current(connection: Connection[Any], known: dict[str, str], digest: str) -> bool:
    """Whether nothing is to be done. Raises for a database that does not fit the code."""
    found = connection.execute(
        "select to_regclass('yoyo.migration_digest') is not null and to_regclass('yoyo.install_digest') is not null"
    ).fetchone()
    if found is None or not found[0]:
        return False
    applied: dict[str, str] = dict(
        connection.execute("select migration_id, sha256 from yoyo.migration_digest").fetchall()
    )
    installed = connection.execute("select sha256, release from yoyo.install_digest").fetchone()
    release = installed[1] if installed else "unknown"
    unknown = sorted(applied.keys() - known.keys())
    if unknown:
        raise DatabaseIsNewer(
            f"the database is newer than this release ({__version__}): it has {', '.join(unknown)}, "
            f"applied with release {release}. Run that release or a later one"
        )
    changed = sorted(name for name, sha256 in applied.items() if known[name] != sha256)
    if changed:
        raise MigrationChanged(
            f"{', '.join(changed)} was changed after it had been applied to this database: bring "
            "the file back as it was and write the change as a new migration"
        )
    return applied.keys() == known.keys() and installed is not None and installed[0] == digest


def _lock(connection: Connection[Any]) -> None:
    connection.execute("select set_config('lock_timeout', %s, false)", (f"{_LOCK_SECONDS}s",))
    try:
        connection.execute("select pg_advisory_lock(%s)", (_ADVISORY_LOCK,))
    except psycopg.errors.LockNotAvailable as error:
        raise MigrateError(
            f"another migrate has been at work on this database for {_LOCK_SECONDS} seconds: wait for it, or end it"
        ) from error
    connection.execute("select set_config('lock_timeout', %s, false)", (f"{_DDL_LOCK_SECONDS}s",))


def _upgrade(connection: Connection[Any], known: dict[str, str], digest: str, migrations: Path, sql: Path) -> Report:
    from onevault.yoyo_backend import open_backend, read_pending

    connection.execute(_OWN_TABLES)
    backend = open_backend(connection)
    waiting = read_pending(backend, migrations)
    try:
        for migration in waiting:
            if not migration.use_transactions:
                backend.end_transaction()
            else:
                backend.ensure_transaction()
            _apply(backend, migration, known[migration.id])
        backend.ensure_transaction()
        _install(connection, sql / "install.sql", digest)
        backend.end_transaction()
    except BaseException:
        backend.abandon_transaction()
        raise
    return Report(tuple(migration.id for migration in waiting), installed=True)


def _apply(backend: Any, migration: Any, sha256: str) -> None:
    log.info("migration_begins", migration=migration.id)
    try:
        backend.run(migration)
    except psycopg.Error as error:
        raise SqlFailed(f"{migration.path}: {_reason(error)}") from error
    backend.connection.execute(
        "insert into yoyo.migration_digest (migration_id, sha256) values (%s, %s)",
        (migration.id, sha256),
    )


def _install(connection: Connection[Any], path: Path, digest: str) -> None:
    connection.execute("set local search_path = ''")
    for piece in read_install(path):
        try:
            connection.execute(piece.text.encode())
        except psycopg.Error as error:
            offset = int(error.diag.statement_position or 1) - 1
            line = piece.line + piece.text.count("\n", 0, offset)
            raise SqlFailed(f"{piece.path}, line {line}: {_reason(error)}") from error
    connection.execute("reset role")
    connection.execute(
        "insert into yoyo.install_digest (sha256, release) values (%s, %s)"
        " on conflict (only_row) do update"
        " set sha256 = excluded.sha256, release = excluded.release, installed_at = now()",
        (digest, __version__),
    )


def _reason(error: psycopg.Error) -> str:
    parts = [str(error).strip()]
    if error.diag.context:
        parts.append(error.diag.context.strip())
    return "\n".join(parts)
