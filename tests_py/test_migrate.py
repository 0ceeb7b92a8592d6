"""Migrate: whole or not at all, once, in order, and never onto a database it does not fit."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from onevault import migrate as module
from onevault.database import Role
from onevault.embedded import install_directory
from onevault.migrate import (
    MIGRATIONS,
    DatabaseIsNewer,
    MigrateError,
    MigrationChanged,
    Report,
    SqlFailed,
    migrate,
    pending,
)
from tests_py.support.cluster import ClonedDatabase, Cluster


@pytest.fixture
def empty(cluster: Cluster) -> Iterator[ClonedDatabase]:
    """A database with nothing in it."""
    clone = cluster.clone("template1")
    yield clone
    cluster.drop(clone)


class Release:
    """A small release of one's own: migrations/ and sql/ in a directory."""

    def __init__(self, place: Path) -> None:
        self.migrations = place / "migrations"
        self.sql = place / "sql"
        self.migrations.mkdir()
        (self.sql / "area").mkdir(parents=True)
        self.write("0001-a-exists.sql", "create schema a;\ncreate table a.t (i integer);\n")
        self.install("select 1;\n\\ir area/f.sql\n", "create or replace function a.f() returns int return 1;\n")

    def write(self, name: str, text: str) -> None:
        (self.migrations / name).write_text(text)

    def install(self, contents: str, function: str) -> None:
        (self.sql / "install.sql").write_text(contents)
        (self.sql / "area" / "f.sql").write_text(function)

    def migrate(self, database: ClonedDatabase) -> Report:
        return migrate(database.dsn(), migrations=self.migrations, sql=self.sql)


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return Release(tmp_path)


def dump(database: ClonedDatabase) -> str:
    """The schema as pg_dump writes it, less the line that is random."""
    result = subprocess.run(
        [install_directory() / "bin" / "pg_dump", "--schema-only", database.dsn()],
        capture_output=True,
        text=True,
        check=True,
    )
    return "\n".join(line for line in result.stdout.splitlines() if "restrict" not in line)


def exists(database: ClonedDatabase, relation: str) -> bool:
    return bool(database.query("select pg_catalog.to_regclass(%s) is not null", relation)[0][0])


def test_a_second_migrate_changes_nothing(database: ClonedDatabase) -> None:
    before = dump(database)
    assert migrate(database.dsn()) == Report((), installed=False)
    assert not pending(database.dsn())
    assert dump(database) == before


def test_sql_applied_again_changes_nothing(database: ClonedDatabase) -> None:
    before = dump(database)
    with database.connect() as connection:
        connection.execute("update yoyo.install_digest set sha256 = 'another'")
    assert migrate(database.dsn()) == Report((), installed=True)
    assert dump(database) == before


def test_an_upgraded_database_equals_a_fresh_one(
    database: ClonedDatabase, empty: ClonedDatabase, tmp_path: Path
) -> None:
    """Migrated one by one, each in a release of its own, against all at once."""
    fresh = dump(database)
    old, no_sql = tmp_path / "migrations", tmp_path / "sql"
    old.mkdir()
    no_sql.mkdir()
    (no_sql / "install.sql").write_text("-- nothing yet\n")
    for path in sorted(path for path in MIGRATIONS.iterdir() if path.suffix in (".sql", ".py")):
        shutil.copy(path, old)
        (no_sql / "install.sql").write_text(f"-- as of {path.name}\n")
        assert migrate(empty.dsn(), migrations=old, sql=no_sql) == Report((path.stem,), installed=True)
    assert migrate(empty.dsn()) == Report((), installed=True)
    assert dump(empty) == fresh


def test_keys_that_customers_had_before_are_on_the_road_after(database: ClonedDatabase) -> None:
    """The road reads them where no release before wrote them."""
    own = "select p.own_keys #> '{maker,any,keys}' is not null, cardinality(p.limit_hks) from ops.principal as p"
    with database.connect() as connection:
        for statement in (
            "insert into admin.tenant (tenant) values ('tenant')",
            "insert into admin.customer (customer, tenant) values ('caller', 'tenant')",
            "select admin.sp_issue_token('caller', sha256('token'), 'ov_', '\\x01', '{}')",
            "insert into admin.provider (provider, api_endpoint) values ('maker', 'http://127.0.0.1:9/v1')",
            "select admin.sp_set_provider_key('maker', 'caller', null, sha256('key'), '\\x01', 'k1', false)",
            "update admin.provider_key set daily_spending_limit = 5, monthly_spending_limit = 50",
            "delete from ops.usage_limit where true",
            "update ops.principal set own_keys = null, limit_hks = null where true",
            "update yoyo.install_digest set sha256 = 'another'",
        ):
            connection.execute(statement)
    assert database.query(own) == [(False, None)]
    assert migrate(database.dsn()).installed
    assert database.query(own) == [(True, 2)]


def test_python_and_sql_migrations_keep_their_order(empty: ClonedDatabase, release: Release) -> None:
    release.write("0002-b.py", "from yoyo import step\n__depends__ = {'0001-a-exists'}\nstep('create table a.b ()')\n")
    release.write("0003-c.sql", "-- depends: 0002-b\nalter table a.b add column c int;\n")
    assert release.migrate(empty).migrations == ("0001-a-exists", "0002-b", "0003-c")


def test_a_later_release_applies_what_is_new(empty: ClonedDatabase, release: Release) -> None:
    release.migrate(empty)
    assert empty.query("select a.f()") == [(1,)]
    release.write("0002-b-exists.sql", "create table a.b (i integer);\n")
    assert release.migrate(empty) == Report(("0002-b-exists",), installed=True)
    release.install("\\ir area/f.sql\n", "create or replace function a.f() returns int return 2;\n")
    assert release.migrate(empty) == Report((), installed=True)
    assert empty.query("select a.f()") == [(2,)]


def test_an_upgrade_happens_whole_or_not_at_all(empty: ClonedDatabase, release: Release) -> None:
    release.migrate(empty)
    release.write("0002-b-exists.sql", "create table a.b (i integer);\n")
    release.install("\\ir area/f.sql\n", "\n\nselect nonsense;\n")
    with pytest.raises(SqlFailed, match=r"f\.sql, line 3: column \"nonsense\" does not exist"):
        release.migrate(empty)
    assert not exists(empty, "a.b")
    release.install("\\ir area/f.sql\n", "select 1;\n")
    assert release.migrate(empty).migrations == ("0002-b-exists",)


def test_a_failed_migration_names_its_file(empty: ClonedDatabase, release: Release) -> None:
    release.write("0002-b-exists.sql", "create table a.b (i integer);\ncreate table nowhere (i integer);\n")
    with pytest.raises(SqlFailed, match="0002-b-exists"):
        release.migrate(empty)
    assert not exists(empty, "a.t"), "not even the first one stays"


def test_one_outside_a_transaction_splits_it(empty: ClonedDatabase, release: Release) -> None:
    release.write("0002-i-exists.sql", "-- transactional: false\ncreate index concurrently i on a.t (i);\n")
    release.write("0003-b-exists.sql", "create table a.b (i integer);\n")
    assert len(release.migrate(empty).migrations) == 3
    assert exists(empty, "a.i")
    assert release.migrate(empty) == Report((), installed=False)


def test_a_role_or_path_left_set_ends_with_its_migration(empty: ClonedDatabase, release: Release) -> None:
    release.write("0002-b.sql", "set local role pg_monitor;\nset local search_path = a;\n")
    release.write("0003-c-exists.sql", "create table a.c (i integer);\n")
    assert len(release.migrate(empty).migrations) == 3
    assert empty.query("select tableowner from pg_catalog.pg_tables where tablename = 'c'") == [("postgres",)]


def test_a_newer_database_is_refused(empty: ClonedDatabase, release: Release) -> None:
    release.write("0002-b-exists.sql", "create table a.b (i integer);\n")
    release.migrate(empty)
    (release.migrations / "0002-b-exists.sql").unlink()
    with pytest.raises(DatabaseIsNewer, match=r"newer than this release.*0002-b-exists"):
        release.migrate(empty)
    with pytest.raises(DatabaseIsNewer):
        pending(empty.dsn(), migrations=release.migrations, sql=release.sql)


def test_an_edited_migration_is_refused(empty: ClonedDatabase, release: Release) -> None:
    release.migrate(empty)
    release.write("0001-a-exists.sql", "create schema a;\n")
    with pytest.raises(MigrationChanged, match="0001-a-exists was changed"):
        release.migrate(empty)


def test_an_older_server_is_refused(empty: ClonedDatabase, release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OLDEST_SERVER", 990000)
    with pytest.raises(MigrateError, match="the gateway needs 99 or newer"):
        release.migrate(empty)


def test_an_unreachable_server_is_one_sentence(release: Release) -> None:
    with pytest.raises(MigrateError, match="cannot be reached"):
        migrate("postgresql://nobody@127.0.0.1:1/none", migrations=release.migrations, sql=release.sql)


@pytest.mark.parametrize("line", ["\\i area/f.sql", "\\set x 1", "\\ir"])
def test_other_psql_commands_are_refused(empty: ClonedDatabase, release: Release, line: str) -> None:
    release.install(f"select 1;\n{line}\n", "select 1;\n")
    with pytest.raises(MigrateError, match="line 2: only"):
        release.migrate(empty)


def test_a_missing_file_is_named(empty: ClonedDatabase, release: Release) -> None:
    release.install("\\ir area/g.sql\n", "select 1;\n")
    with pytest.raises(MigrateError, match=r"g\.sql cannot be read"):
        release.migrate(empty)


def test_eight_at_once_apply_it_once(empty: ClonedDatabase, release: Release) -> None:
    reports: list[Report] = []
    threads = [threading.Thread(target=lambda: reports.append(release.migrate(empty))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reports) == 8
    assert sum(report.installed for report in reports) == 1


def test_another_migrate_is_waited_for_and_then_named(
    empty: ClonedDatabase, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOCK_SECONDS", 1)
    with empty.connect() as other:
        other.execute("select pg_catalog.pg_advisory_lock(%s)", (int.from_bytes(b"onevault"),))
        with pytest.raises(MigrateError, match="another migrate"):
            release.migrate(empty)


@pytest.mark.parametrize("where", ["0002-slow.sql", "area/f.sql"])
def test_a_killed_migrate_leaves_nothing_and_the_next_goes_through(
    empty: ClonedDatabase, release: Release, where: str
) -> None:
    release.write("0002-slow.sql", "select pg_catalog.pg_sleep(60);\n" if where.startswith("0002") else "select 1;\n")
    release.install("\\ir area/f.sql\n", "select pg_catalog.pg_sleep(60);\n")
    code = f"""
from pathlib import Path
from onevault.migrate import migrate
migrate({empty.dsn()!r}, migrations=Path({str(release.migrations)!r}), sql=Path({str(release.sql)!r}))
"""
    child = subprocess.Popen([sys.executable, "-c", code])
    waiting = "select count(*) from pg_catalog.pg_stat_activity where wait_event = 'PgSleep' and datname = %s"
    while empty.query(waiting, empty.name) == [(0,)]:
        pass
    child.kill()
    child.wait()
    with empty.connect() as connection:
        # The server notices that its client died when the statement ends.
        connection.execute(
            "select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity"
            " where wait_event = 'PgSleep' and datname = %s",
            (empty.name,),
        )
        # What a killed yoyo would leave.
        connection.execute("insert into yoyo.yoyo_lock (locked, ctime, pid) values (1, now(), 4711)")
    assert not exists(empty, "a.t")
    release.write("0002-slow.sql", "select 1;\n")
    release.install("\\ir area/f.sql\n", "select 2;\n")
    assert len(release.migrate(empty).migrations) == 2


def test_the_roles_of_the_services_can_log_in(database: ClonedDatabase) -> None:
    roles: tuple[Role, ...] = ("app", "worker", "dba")
    for role in roles:
        with database.connect(role) as connection:
            assert connection.info.user == f"onevault_{role}"
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("select 1 from gateway.customer_h")
