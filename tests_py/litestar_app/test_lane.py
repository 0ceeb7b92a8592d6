"""A lane on a real PostgreSQL: it mends itself, and says at once when there is nothing to mend."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from litestar_app import lane as lane_module
from litestar_app.calls import Reads
from litestar_app.lane import DatabaseAway, Lane
from tests_py.support.cluster import ClonedDatabase

PID = "select pg_catalog.pg_backend_pid()"


class Proxy:
    """A line to PostgreSQL that can be cut, and that can fall silent."""

    def __init__(self, dsn: str, directory: Path) -> None:
        parts = conninfo_to_dict(dsn)
        name = f".s.PGSQL.{parts['port']}"
        self._target = f"{parts['host']}/{name}"
        self._path = directory / name
        self.dsn = make_conninfo(dsn, host=str(directory))
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._talks = asyncio.Event()
        self._talks.set()

    async def open(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, str(self._path))

    async def cut(self) -> None:
        """The server is gone: its connections end, new ones are refused."""
        if self._server is not None:
            self._server.close()
            self._server = None
            for writer in tuple(self._writers):
                writer.transport.abort()
            self._path.unlink(missing_ok=True)
            await asyncio.sleep(0.01)

    def silence(self) -> None:
        """Whoever asks gets no answer."""
        self._talks.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(self._target)
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        self._writers -= {writer, far_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._talks.wait()
                writer.write(data)
        writer.close()


@pytest_asyncio.fixture
async def proxy(database: ClonedDatabase, cluster: object, tmp_path: Path) -> AsyncIterator[Proxy]:
    proxy = Proxy(database.dsn("app"), tmp_path)
    await proxy.open()
    yield proxy
    proxy._talks.set()
    await proxy.cut()


@pytest_asyncio.fixture
async def lane(proxy: Proxy) -> AsyncIterator[Lane]:
    lane = Lane(proxy.dsn)
    yield lane
    await lane.close()


async def test_one_connection_serves_many_statements(lane: Lane) -> None:
    first = await lane.execute(PID, ())
    assert [await lane.execute(PID, ()) for _ in range(10)] == [first] * 10


async def test_a_backend_that_was_terminated_is_replaced_unnoticed(lane: Lane, database: ClonedDatabase) -> None:
    ((pid,),) = await lane.execute(PID, ())
    database.query("select pg_catalog.pg_terminate_backend(%s)", pid)
    await asyncio.sleep(0.1)
    ((other,),) = await lane.execute(PID, ())
    assert other != pid


async def test_a_backend_terminated_in_the_middle_is_replaced(lane: Lane, database: ClonedDatabase) -> None:
    ((pid,),) = await lane.execute(PID, ())
    running = asyncio.create_task(lane.execute("select pg_catalog.pg_sleep(0.3), pg_catalog.pg_backend_pid()", ()))
    await asyncio.sleep(0.1)
    database.query("select pg_catalog.pg_terminate_backend(%s)", pid)
    ((_, other),) = await running
    assert other != pid


async def test_an_error_of_the_statement_is_the_callers_and_the_connection_stays(lane: Lane) -> None:
    first = await lane.execute(PID, ())
    with pytest.raises(psycopg.errors.DivisionByZero):
        await lane.execute("select 1 / %s::int", (0,))
    assert await lane.execute(PID, ()) == first


async def test_a_connection_with_an_answer_half_read_is_replaced(lane: Lane) -> None:
    """Mutant: only connections that are closed are replaced, and every later statement fails."""
    ((first,),) = await lane.execute(PID, ())
    assert lane._connection is not None
    lane._connection.pgconn.send_query(b"select 1")
    ((second,),) = await lane.execute(PID, ())
    assert second != first


async def test_a_surprise_in_a_statement_costs_its_connection(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    ((first,),) = await lane.execute(PID, ())
    with monkeypatch.context() as patched, pytest.raises(LookupError):
        patched.setattr(psycopg.AsyncCursor, "fetchall", surprise)
        await lane.execute(PID, ())
    ((second,),) = await lane.execute(PID, ())
    assert second != first


async def surprise(_: object) -> None:
    raise LookupError


async def test_an_absent_database_is_said_within_a_second_and_then_at_once(lane: Lane, proxy: Proxy) -> None:
    await lane.execute(PID, ())
    await proxy.cut()
    for limit in (1.0, 0.05, 0.05):
        begun = time.monotonic()
        with pytest.raises(DatabaseAway):
            await lane.execute(PID, ())
        assert time.monotonic() - begun < limit


async def test_it_recovers_by_itself(lane: Lane, proxy: Proxy) -> None:
    await proxy.cut()
    with pytest.raises(DatabaseAway):
        await lane.execute(PID, ())
    await proxy.open()
    deadline = time.monotonic() + 3
    while True:
        try:
            await lane.execute(PID, ())
            break
        except DatabaseAway:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)


async def test_a_restart_shorter_than_a_second_is_not_noticed(lane: Lane, proxy: Proxy) -> None:
    await lane.execute(PID, ())
    await proxy.cut()
    running = asyncio.create_task(lane.execute(PID, ()))
    await asyncio.sleep(0.3)
    await proxy.open()
    assert len(await running) == 1


async def test_a_statement_without_an_answer_is_given_up(
    lane: Lane, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lane.execute(PID, ())
    monkeypatch.setattr(lane_module, "STATEMENT_SECONDS", 0.3)
    proxy.silence()
    begun = time.monotonic()
    with pytest.raises(DatabaseAway):
        await lane.execute(PID, ())
    assert time.monotonic() - begun < 1


async def test_a_connection_without_an_answer_is_given_up(lane: Lane, proxy: Proxy) -> None:
    proxy.silence()
    begun = time.monotonic()
    with pytest.raises(DatabaseAway):
        await lane.execute(PID, ())
    assert time.monotonic() - begun < 1


async def test_reads_say_within_a_second_that_the_database_is_away(proxy: Proxy) -> None:
    reads = Reads(proxy.dsn)
    await reads.open()
    try:
        await proxy.cut()
        for _ in range(2):
            begun = time.monotonic()
            with pytest.raises(DatabaseAway):
                await reads.check_ready()
            assert time.monotonic() - begun < 1
    finally:
        await reads.close()
