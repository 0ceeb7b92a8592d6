"""The only SQL of the front: the doors of schema `gateway`, and the connections they go through.

    DatabaseAway       no answer from the database; nothing is known about the statement's fate

`Lane` is one connection of the road: it carries one statement at a time, mends itself, and says
at once when the database is away. `Reads` is a small pool beside it for everything that is not
the road, so that a slow report never holds up a call.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import psycopg
from psycopg import AsyncConnection, AsyncCursor
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from onevault.log import get_log

ROUTE: Final = """
select d.status, d.http_status, d.request_id, d.provider, d.model, d.rate_limit, d.rate_remaining,
       d.rate_reset_ms, d.retry_after_ms, d.deadline_ms, d.message, d.detail
from gateway.sp_route_requests(%s::jsonb, %s::text, %s::boolean) as d
order by d.ordinal
"""
LIST_MODELS: Final = "select gateway.sp_list_models(%s::bytea)::text"
GET_USAGE: Final = "select gateway.sp_get_usage(%s::bytea, %s::jsonb)::text"
GET_BILLING: Final = "select gateway.sp_get_billing(%s::bytea, %s::text)::text"
RELEASE_MESSAGE: Final = "select gateway.sp_release_message(%s::text, %s::bigint, %s::int)"
READ_METRICS: Final = "select gateway.sp_read_metrics()::text"
CHECK_READY: Final = "select gateway.sp_check_ready()::text"

FIRST_CONNECT_SECONDS: Final = 0.8
STATEMENT_SECONDS: Final = 5.0
READ_SECONDS: Final = 15.0
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0
_CONNECTION: Final[dict[str, Any]] = {
    "connect_timeout": 2,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "onevault front",
}

_log = get_log("front.database")
_encode = msgspec.json.Encoder().encode


class DatabaseAway(Exception):
    """The database cannot be reached, or did not answer in time."""


class Ask(msgspec.Struct, frozen=True):
    """One request as `sp_route_requests` takes it: everything about it and none of its words."""

    digest: str
    ticket: str
    surface: str
    capability: str
    request_type: str
    priority: str | None
    model: str | None
    stream: bool
    tools: bool
    vision: bool
    structured: bool
    prompt_bytes: int
    images: int
    messages: int
    max_output_tokens: int | None
    choices: int
    max_cost: str | None
    metadata: dict[str, str] | None
    client_ip: str | None
    user_agent: str | None
    timeout_ms: int


class Decision(NamedTuple):
    """What SQL decided: `status` is "routed" or the contract's code of a refusal."""

    status: str
    http_status: int
    request_id: str | None
    provider: str | None
    model: str | None
    rate_limit: int | None
    rate_remaining: int | None
    rate_reset_ms: int | None
    retry_after_ms: int | None
    deadline_ms: int | None
    message: str | None
    detail: str | None


class Reply(msgspec.Struct, frozen=True):
    """The answer of a reading door: `body` is what the customer gets when status is "ok"."""

    status: str
    http_status: int = 200
    message: str | None = None
    body: msgspec.Raw = msgspec.Raw(b"null")
    detail: dict[str, Any] | None = None


class QueueState(msgspec.Struct, frozen=True):
    """How long a queue is and how old its oldest message."""

    queue: str
    depth: int = 0
    oldest_seconds: float | None = None


class Gauges(msgspec.Struct, frozen=True):
    """What the database knows about the gateway's load."""

    queues: list[QueueState] = []
    reservations: int = 0


class Readiness(msgspec.Struct, frozen=True):
    """Whether the database can take the road, and if not, why."""

    ready: bool
    reason: str | None = None


class Lane:
    """One self-mending connection in autocommit mode, for one statement at a time."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: AsyncConnection[Any] | None = None
        self._cursor: AsyncCursor[Any] | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._away = False

    async def execute(self, query: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run one statement and give its rows. Raises `DatabaseAway`, or psycopg's error.

        A statement whose connection broke is run once more on a new one, because a restarted server
        is the common case. That is safe for the road: a request routed twice has one ticket, and
        the front answers only one claim on it.
        """
        for last in (False, True):
            cursor = self._cursor or await self._ready()
            loop = asyncio.get_running_loop()
            alarm = loop.call_later(STATEMENT_SECONDS, self._hang_up)
            try:
                await cursor.execute(query, parameters, prepare=True)
                return await cursor.fetchall()
            except psycopg.Error as error:
                if not cursor.connection.closed:
                    raise
                _log.warning("connection_lost", error)
                self._cursor = self._connection = None
                timed_out = loop.time() >= alarm.when()
                if last or timed_out:
                    raise DatabaseAway from error
            finally:
                alarm.cancel()
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Close the connection and stop mending it."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait({self._connecting})
        if self._connection is not None:
            await self._connection.close()
        self._cursor = self._connection = None

    async def _ready(self) -> AsyncCursor[Any]:
        """Wait a moment for the first attempt to connect, and not at all once one has failed."""
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect())
            self._connecting.add_done_callback(self._connected)
        if not self._away:
            await asyncio.wait({self._connecting}, timeout=FIRST_CONNECT_SECONDS)
        if self._cursor is None:
            self._away = True
            raise DatabaseAway
        return self._cursor

    async def _connect(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                connection = await AsyncConnection.connect(self._dsn, autocommit=True, **_CONNECTION)
            except psycopg.Error as error:
                self._away = True
                _log.warning("database_away", error, delay_ms=round(pause * 1000))
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                self._connection = connection
                self._cursor = connection.cursor(binary=True)
                self._away = False
                return

    def _connected(self, _: asyncio.Task[None]) -> None:
        self._connecting = None

    def _hang_up(self) -> None:
        """End a statement that hangs by shutting its socket: libpq then sees the connection end."""
        if self._connection is not None and not self._connection.closed:
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self._connection.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)


class Road:
    """The lanes together: routes batches, one batch per free lane."""

    def __init__(self, dsn: str, lanes: int) -> None:
        self._free = [Lane(dsn) for _ in range(lanes)]
        self._all = tuple(self._free)

    async def route(self, asks: list[Ask], reply_to: str, *, notify: bool) -> list[Decision]:
        """Ask SQL to decide about each request. Raises `DatabaseAway` or psycopg's error."""
        lane = self._free.pop()
        try:
            rows = await lane.execute(ROUTE, (_encode(asks).decode(), reply_to, notify))
        finally:
            self._free.append(lane)
        return [Decision._make(row) for row in rows]

    async def close(self) -> None:
        """Close all lanes."""
        for lane in self._all:
            await lane.close()


class Reads:
    """The doors beside the road, through a small pool. Each raises `DatabaseAway`."""

    def __init__(self, dsn: str) -> None:
        self._pool = AsyncConnectionPool(
            dsn,
            kwargs={"autocommit": True, **_CONNECTION},
            min_size=0,
            max_size=4,
            timeout=FIRST_CONNECT_SECONDS,
            reconnect_timeout=5,
            open=False,
            name="reads",
        )

    async def open(self) -> None:
        """Start the pool; the database need not be there."""
        await self._pool.open()

    async def close(self) -> None:
        """Close the pool."""
        await self._pool.close()

    async def list_models(self, digest: bytes) -> Reply:
        """The models that the token's customer may use."""
        return await self._reply(LIST_MODELS, digest)

    async def get_usage(self, digest: bytes, parameters: dict[str, Any]) -> Reply:
        """The customer's usage; parameters: from, to, group_by, limit, after."""
        return await self._reply(GET_USAGE, digest, _encode(parameters).decode())

    async def get_billing(self, digest: bytes, period: str | None) -> Reply:
        """The customer's bill of a month `yyyy-mm`, or the current one."""
        return await self._reply(GET_BILLING, digest, period)

    async def release_message(self, queue: str, msg_id: int, read_ct: int) -> None:
        """Make a message visible again whose worker has died."""
        async with self._statement(RELEASE_MESSAGE, queue, msg_id, read_ct):
            pass

    async def read_metrics(self) -> Gauges:
        """Queue depths and reservations."""
        return msgspec.json.decode(await self._text(READ_METRICS), type=Gauges)

    async def check_ready(self) -> Readiness:
        """Whether the database can take the road."""
        return msgspec.json.decode(await self._text(CHECK_READY), type=Readiness)

    async def _reply(self, query: str, *parameters: Any) -> Reply:
        return msgspec.json.decode(await self._text(query, *parameters), type=Reply)

    async def _text(self, query: str, *parameters: Any) -> str:
        async with self._statement(query, *parameters) as cursor:
            row = await cursor.fetchone()
            if row is None or not isinstance(row[0], str):
                raise DatabaseAway
            return row[0]

    @contextlib.asynccontextmanager
    async def _statement(self, query: str, *parameters: Any) -> AsyncIterator[AsyncCursor[Any]]:
        try:
            async with asyncio.timeout(READ_SECONDS), self._pool.connection() as connection:
                yield await connection.execute(query, parameters)
        except (PoolTimeout, TimeoutError, psycopg.OperationalError) as error:
            _log.warning("read_failed", error)
            raise DatabaseAway from error
