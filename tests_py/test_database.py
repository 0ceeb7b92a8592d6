"""The embedded PostgreSQL: who may reach it, who starts and stops it, what it logs."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import stat
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from onevault import embedded, refuge
from onevault.database import Database, DatabaseError, open_database
from onevault.embedded import EmbeddedServer
from onevault.server_settings import memory_bytes, shared_buffers
from onevault.settings import Settings, load_settings
from tests_py.support.cluster import clean_environ

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has PostgreSQL run as somebody else")


def settings_at(home: Path) -> Settings:
    return load_settings({"ONEVAULT_HOME": str(home)}, None)


def setting(database: Database, name: str) -> str:
    with psycopg.connect(database.dsn("owner")) as connection:
        row = connection.execute("select pg_catalog.current_setting(%s)", (name,)).fetchone()
    assert row is not None
    return str(row[0])


def test_starts_once_and_the_last_user_stops_it(place: Path) -> None:
    settings = settings_at(place / "home")
    first = open_database(settings)
    second = open_database(settings)
    assert (first.started, second.started) == (True, False)
    assert setting(second, "shared_buffers") == "64MB"
    assert first.close() is False, "somebody still uses it"
    assert setting(second, "listen_addresses") == ""
    assert second.close() is True
    assert not EmbeddedServer(settings.home).running()
    assert second.close() is False


def test_a_killed_user_leaves_it_for_the_next(place: Path) -> None:
    settings = settings_at(place / "home")
    killed = (
        "import os; from onevault.database import open_database; from onevault.settings import load_settings;"
        " open_database(load_settings(dotenv=None)); os._exit(9)"
    )
    environ = {**clean_environ(os.environ), "ONEVAULT_HOME": str(settings.home)}
    assert subprocess.run([sys.executable, "-c", killed], env=environ, check=False).returncode == 9
    assert EmbeddedServer(settings.home).running()
    next_user = open_database(settings)
    assert next_user.started is False
    assert next_user.close() is True


def test_a_server_started_by_somebody_else_is_left_alone(place: Path) -> None:
    settings = settings_at(place / "home")
    mine = open_database(settings)
    marker = settings.home / "run" / "postgres.started"
    pid = marker.read_text()
    marker.unlink()
    assert mine.close() is False
    assert EmbeddedServer(settings.home).running()
    again = open_database(settings)
    marker.write_text(pid)
    assert again.close() is True


def _open_and_close(home: str) -> bool:
    database = open_database(settings_at(Path(home)))
    try:
        return setting(database, "server_encoding") == "UTF8"
    finally:
        database.close()


def test_many_processes_may_come_and_go_at_once(place: Path) -> None:
    home = str(place / "home")
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert all(pool.map(_open_and_close, [home] * 12))
    assert not EmbeddedServer(Path(home)).running()


def test_without_start_nothing_is_touched(place: Path) -> None:
    home = place / "home"
    database = open_database(settings_at(home), start=False)
    assert database.dsn("app").startswith("postgresql://onevault_app@/onevault?host=")
    assert not home.exists()


def test_nobody_else_can_look_in(place: Path) -> None:
    settings = settings_at(place / "home")
    database = open_database(settings)
    try:
        assert database.server is not None
        for path, mode in ((settings.home / "pg", 0o700), (settings.home / "run", 0o700)):
            assert stat.S_IMODE(path.stat().st_mode) == mode
        assert stat.S_IMODE(database.server.log.stat().st_mode) == 0o600
        assert setting(database, "unix_socket_permissions") == "0700"
    finally:
        database.close()


def test_a_long_name_moves_the_socket_not_the_data(place: Path) -> None:
    settings = settings_at(place / ("x" * 120) / "home")
    database = open_database(settings)
    try:
        assert database.server is not None
        socket_dir = database.server.socket_dir
        assert stat.S_IMODE(socket_dir.stat().st_mode) == 0o700
        assert setting(database, "data_directory") == str(settings.home / "pg")
    finally:
        database.close()
    shutil.rmtree(socket_dir)


def test_an_interrupted_first_start_is_begun_again(place: Path) -> None:
    home = place / "home"
    (home / "pg.new" / "base").mkdir(parents=True)
    home.chmod(0o711)
    database = open_database(settings_at(home))
    assert database.close() is True
    assert not (home / "pg.new").exists()


def test_data_of_another_postgresql_is_refused(place: Path) -> None:
    home = place / "home"
    settings = settings_at(home)
    open_database(settings).close()
    (home / "pg" / "PG_VERSION").write_text("17\n")
    with pytest.raises(DatabaseError, match="belongs to PostgreSQL 17"):
        open_database(settings)


def test_a_start_that_fails_says_what_the_server_said(place: Path) -> None:
    home = place / "home"
    settings = settings_at(home)
    open_database(settings).close()
    with (home / "pg" / "postgresql.auto.conf").open("a") as file:
        file.write("max_connections = 'many'\n")
    with pytest.raises(DatabaseError, match="max_connections"):
        open_database(settings)


def test_a_dba_overrides_a_setting(place: Path) -> None:
    settings = settings_at(place / "home")
    database = open_database(settings)
    with psycopg.connect(database.dsn("owner"), autocommit=True) as connection:
        connection.execute("alter system set work_mem = '5MB'")
    database.close()
    database = open_database(settings)
    assert setting(database, "work_mem") == "5MB"
    database.close()


def test_a_server_with_much_data_keeps_more_of_it(place: Path) -> None:
    """Catches: a vault of gigabytes that is read through 64 MB, and a server that takes a small machine's memory."""
    settings = settings_at(place / "home")
    open_database(settings).close()
    data = settings.home / "pg" / "base"
    with (data / "as_if_it_were_data").open("wb") as file:
        file.truncate(2 << 30)
    assert shared_buffers(data, 64 << 30) == "512MB"
    assert shared_buffers(data, 2 << 30) == "256MB"
    assert shared_buffers(data, 256 << 20) == "64MB"
    database = open_database(settings)
    of_memory = max(memory_bytes() // 8 >> 26, 1) * 64
    with psycopg.connect(database.dsn("owner")) as connection:
        found = connection.execute(
            "select setting::bigint * 8 >> 10 from pg_settings where name = 'shared_buffers'"
        ).fetchall()
    assert found == [(min(512, of_memory),)]
    database.close()


def test_the_log_holds_no_value_of_a_failed_statement(place: Path) -> None:
    canary = "canary-77aa"
    settings = settings_at(place / "home")
    database = open_database(settings)
    assert database.server is not None
    with psycopg.connect(database.dsn("owner"), autocommit=True) as connection:
        connection.execute("create table public.t (a text primary key, check (a <> 'x'))")
        for statement in ("insert into public.t values (%s)", "insert into public.t values (%s)"):
            with contextlib.suppress(psycopg.errors.UniqueViolation):
                connection.execute(statement.encode(), (canary,))
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute(f"select '{canary}', 1 / 0".encode())
    text = database.server.log.read_text()
    database.close()
    assert "division by zero" in text
    assert canary not in text


@as_root
def test_root_may_work_where_nobody_else_may_enter(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refuge, "REFUGE", place / "refuge")
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    settings = settings_at(closed / "home")
    for _ in range(2):
        database = open_database(settings)
        assert database.server is not None
        assert setting(database, "data_directory").startswith(str(place / "refuge"))
        assert (settings.home / "pg" / "PG_VERSION").exists()
        assert (settings.home / "logs" / "postgres.log").read_text()
        assert stat.S_IMODE((settings.home / "pg").stat().st_mode) == 0o700
        assert database.close() is True
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    # One room for the data, besides the binaries, if they were closed too.
    assert len([room for room in (place / "refuge").iterdir() if not room.name.startswith("postgres-")]) == 1


@as_root
def test_binaries_that_only_root_can_reach_are_copied(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refuge, "REFUGE", place / "refuge")
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    for source in (real := embedded.install_directory().parent, real.with_name(f"{real.name}.libs")):
        shutil.copytree(source, closed / source.name, symlinks=True)
    monkeypatch.setattr(embedded, "install_directory", lambda: closed / real.name / "pginstall")
    settings = settings_at(place / "home")
    for _ in range(2):
        database = open_database(settings)
        assert setting(database, "data_directory") == str(settings.home / "pg")
        assert database.close() is True
    (copy,) = (place / "refuge").iterdir()
    assert copy.name.startswith("postgres-")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@as_root
def test_data_that_was_closed_afterwards_is_refused_by_name(place: Path) -> None:
    outer = place / "outer"
    outer.mkdir(mode=0o711)
    settings = settings_at(outer / "home")
    open_database(settings).close()
    outer.chmod(0o700)
    with pytest.raises(DatabaseError, match=rf"chmod o\+x {outer}"):
        open_database(settings)
    assert stat.S_IMODE(outer.stat().st_mode) == 0o700


def test_each_role_has_its_url() -> None:
    url = "postgresql://owner:pw@db.example:5433/gateway"
    settings = load_settings({"DATABASE_URL": url, "ONEVAULT_WORKER_DATABASE_URL": "postgresql://w@db/gateway"}, None)
    database = open_database(settings)
    assert not database.embedded
    assert database.dsn("owner") == url
    assert database.dsn("worker") == "postgresql://w@db/gateway"
    app = conninfo_to_dict(database.dsn("app"))
    assert (app["user"], app["dbname"], app["options"]) == ("owner", "gateway", "-c role=onevault_app")
    assert database.close() is False


def test_options_of_a_url_are_kept() -> None:
    settings = load_settings({"DATABASE_URL": "postgresql://o@db/g?options=-c%20work_mem%3D8MB"}, None)
    options = conninfo_to_dict(open_database(settings).dsn("app"))["options"]
    assert options == "-c work_mem=8MB -c role=onevault_app"


def test_a_service_with_its_own_url_needs_no_owner() -> None:
    settings = load_settings({"ONEVAULT_APP_DATABASE_URL": "postgresql://app@db/g"}, None)
    database = open_database(settings)
    assert database.dsn("app") == "postgresql://app@db/g"
    with pytest.raises(DatabaseError, match="set DATABASE_URL"):
        database.dsn("owner")
