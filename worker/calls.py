"""The worker's SQL: every statement it ever runs, nearly all of them calls of a function in schema `gateway`.

Reading the queue is durable: from then on a provider may be called, and a row says so. Its count is also the receipt
that fences the booking: one that a crash of the database took back would be given to a second worker, while the first
still answers under it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final, LiteralString, NamedTuple

import msgspec
import psycopg

from onevault.connections import leaves_unusable
from worker.shapes import Result

# Errors
#   DatabaseAway        no connection, or it broke, or the statement was cut short: the same call may succeed later

_CONNECT_SECONDS: Final = 5
_CONNECT_PAUSE_SECONDS: Final = 0.25

_READ: Final = """
select r.queue, r.msg_id, r.read_ct, r.message, floor(extract(epoch from clock_timestamp()) * 1000)::bigint
from gateway.sp_read_messages(%s::int, %s::int) as r
"""
_RENEW: Final = "select gateway.sp_renew_messages(%s::jsonb, %s::int)"
_RETURN: Final = "select gateway.sp_return_messages(%s::jsonb, %s::int)"
_RECORD: Final = "select r.receipt from gateway.sp_record_results(%s::jsonb) as r order by r.ordinal"
_KEY: Final = (
    "select k.api_key_encrypted, k.encryption_key_id, k.key_status, k.identity "
    "from gateway.sp_read_provider_key(%s::bytea) as k"
)
_DUE_KEYS: Final = "select k.* from gateway.sp_take_key_validations() as k"
_FOUND: Final = "select gateway.sp_record_key_validation(%s, %s, %s)"
_JOBS: Final = "select j.job_name from gateway.sp_run_due_jobs(1) as j"
_READ_WEBHOOKS: Final = """
select w.msg_id, w.read_ct, w.event_id, w.endpoint, w.body, w.sent_at, w.secrets, w.identities
from gateway.sp_read_webhooks(%s::int, %s::int) as w
"""
_RECORD_WEBHOOK: Final = "select gateway.sp_record_webhook(%s::bigint, %s::int, %s::int, %s::text, %s::int, %s::bigint)"
_READ_USAGE_EVENTS: Final = """
select b.kind, b.endpoint, b.event_name, b.key_encrypted, b.identity, b.events
from gateway.sp_read_usage_events(%s::int, %s::int) as b
"""
_RECORD_USAGE_EVENTS: Final = "select gateway.sp_record_usage_events(%s::jsonb)"
_LISTEN: Final = "listen onevault_work"


class DatabaseAway(Exception):
    """The database did not carry out a statement; nothing is known to be wrong with the statement."""


class Receipt(NamedTuple):
    """What proves that a message is held by whoever shows it."""

    queue: str
    msg_id: int
    read_ct: int


class Report(NamedTuple):
    """How far a request has got: what it is held by, the offer that is being called and with which key, the
    text that was passed on."""

    queue: str
    msg_id: int
    read_ct: int
    request: str
    customer: str
    offer: str | None
    output_bytes: int
    key: str | None = None


class ReadMessage(NamedTuple):
    """A message as the queue gave it; `message` is JSON text, `read_at_ms` when by the database's clock."""

    receipt: Receipt
    message: str
    read_at_ms: int


class SealedKey(NamedTuple):
    """A provider key as it lies in the vault; `identity` is the associated data that opens it."""

    sealed: bytes
    master_key_id: str | None
    status: str
    identity: bytes


class DueEvent(NamedTuple):
    """An event to deliver now, with the sealed secrets that sign it; `identities` are what opens them."""

    msg_id: int
    read_ct: int
    event_id: str
    endpoint: str
    body: str
    sent_at: int
    secrets: list[bytes]
    identities: list[bytes]


class DueBatch(NamedTuple):
    """Usage to hand over now, with the sealed key of the export; `identity` opens it, `events` are UsageEvents."""

    kind: str
    endpoint: str
    event_name: str
    key_encrypted: bytes
    identity: bytes
    events: list[dict[str, object]]


class DueKey(NamedTuple):
    """A key whose provider is to be asked now; `fingerprint` tells SQL which key the finding is about."""

    key: str
    fingerprint: str
    kind: str
    endpoint: str
    settings: str


class Session:
    """One connection that comes back by itself; statements of several tasks queue up on it."""

    def __init__(self, dsn: str, name: str) -> None:
        self._dsn = dsn
        self._name = name
        self._connection: psycopg.AsyncConnection[tuple[object, ...]] | None = None
        self._connecting = asyncio.Lock()
        self._not_before = 0.0

    async def fetch(self, query: LiteralString, *parameters: object) -> list[tuple[object, ...]]:
        """All rows of a call. Raises `DatabaseAway`, and `psycopg.Error` for a statement that failed."""
        connection = await self.connect()
        try:
            cursor = await connection.execute(query, parameters)
            return await cursor.fetchall()
        except BaseException as error:
            if connection is self._connection and (connection.closed or leaves_unusable(error)):
                await self.close()
            if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
                raise DatabaseAway(error.sqlstate or "connection lost") from error
            raise

    async def connect(self) -> psycopg.AsyncConnection[tuple[object, ...]]:
        """The connection, made now if there is none. Raises `DatabaseAway`, at once after a recent failure."""
        if self._connection is not None and not self._connection.closed:
            return self._connection
        async with self._connecting:
            if self._connection is not None and not self._connection.closed:
                return self._connection
            now = asyncio.get_running_loop().time()
            if now < self._not_before:
                raise DatabaseAway("no connection")
            try:
                connection = await psycopg.AsyncConnection.connect(
                    self._dsn,
                    autocommit=True,
                    connect_timeout=_CONNECT_SECONDS,
                    application_name=f"onevault worker {self._name}",
                    tcp_user_timeout=20_000,
                )
            except psycopg.Error as error:
                self._not_before = now + _CONNECT_PAUSE_SECONDS
                raise DatabaseAway("no connection") from error
            self._connection = connection
            return connection

    async def close(self) -> None:
        """Drop the connection; the next call makes another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


class Calls:
    """The doors of the database that a worker may use."""

    def __init__(self, dsn: str) -> None:
        self._queue = Session(dsn, "queue")
        self._booking = Session(dsn, "booking")
        self._clock = Session(dsn, "clock")
        self._webhooks = Session(dsn, "webhooks")
        self._exports = Session(dsn, "exports")

    async def read_messages(self, limit: int, seconds: int) -> list[ReadMessage]:
        """Up to `limit` messages, premium first; each is invisible to others for `seconds`."""
        rows = await self._queue.fetch(_READ, limit, seconds)
        return [ReadMessage(Receipt(*row[:3]), *row[3:]) for row in rows]  # type: ignore[arg-type]

    async def renew_messages(self, reports: Sequence[Report], seconds: int) -> None:
        """Keep messages invisible for `seconds` from now, and have SQL know how far each has got."""
        await self._queue.fetch(_RENEW, _json([report._asdict() for report in reports]), seconds)

    async def return_messages(self, receipts: Sequence[Receipt], seconds: int) -> None:
        """Give messages back of which nothing was used; others see them in `seconds`."""
        await self._queue.fetch(_RETURN, _json([receipt._asdict() for receipt in receipts]), seconds)

    async def record_results(self, results: list[Result]) -> list[bytes]:
        """Book finished requests in one transaction; gives their receipts (JSON objects) in the same order."""
        rows = await self._booking.fetch(_RECORD, _json(results))
        return [_receipt(row[0]) for row in rows]

    async def read_provider_key(self, key: bytes) -> SealedKey | None:
        """The sealed provider key of this hash key; None if there is none."""
        rows = await self._queue.fetch(_KEY, key)
        return SealedKey(*rows[0]) if rows else None  # type: ignore[arg-type]

    async def run_due_jobs(self) -> None:
        """Let SQL do what its schedule says is due, unless another worker is at it.

        One job at a time, each in a transaction of its own, until nothing is due or one would run again.
        """
        ran: set[object] = set()
        while rows := await self._clock.fetch(_JOBS):
            if rows[0][0] in ran:
                return
            ran.add(rows[0][0])

    async def read_webhooks(self, limit: int, seconds: int) -> list[DueEvent]:
        """Up to `limit` events that are due; each is invisible to others for `seconds`."""
        rows = await self._webhooks.fetch(_READ_WEBHOOKS, limit, seconds)
        return [DueEvent(*row) for row in rows]  # type: ignore[arg-type]

    async def record_webhook(
        self,
        event: DueEvent,
        http_status: int | None,
        error_class: str | None,
        latency_ms: int,
        retry_after_ms: int | None,
    ) -> None:
        """Have SQL know how a try ended, and decide what comes next."""
        told = (http_status, error_class, latency_ms, retry_after_ms)
        await self._webhooks.fetch(_RECORD_WEBHOOK, event.msg_id, event.read_ct, *told)

    async def read_usage_events(self, limit: int, seconds: int) -> list[DueBatch]:
        """Up to `limit` batches of events that are due; each is invisible to others for `seconds`."""
        rows = await self._exports.fetch(_READ_USAGE_EVENTS, limit, seconds)
        return [DueBatch(*row) for row in rows]  # type: ignore[arg-type]

    async def record_usage_events(self, told: Sequence[dict[str, object]]) -> None:
        """Have SQL know what became of each event, and decide what comes next."""
        await self._exports.fetch(_RECORD_USAGE_EVENTS, _json(told))

    async def take_due_keys(self) -> list[DueKey]:
        """Keys that nobody else asks about for the next half a minute."""
        return [DueKey(*row) for row in await self._clock.fetch(_DUE_KEYS)]  # type: ignore[arg-type]

    async def record_finding(self, due: DueKey, finding: str) -> None:
        """What the provider said of the key, or that it could not be asked."""
        await self._booking.fetch(_FOUND, due.key, due.fingerprint, finding)

    async def listen(self) -> None:
        """From now on notifications of committed work arrive on the clock's connection."""
        connection = await self._clock.connect()
        try:
            await connection.execute(_LISTEN)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            await self._clock.close()
            raise DatabaseAway(error.sqlstate or "connection lost") from error

    async def notified(self, seconds: float) -> AsyncIterator[None]:
        """Yield once for each notification within `seconds`. Raises `DatabaseAway`."""
        connection = await self._clock.connect()
        try:
            async for _ in connection.notifies(timeout=seconds):
                yield
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            await self._clock.close()
            raise DatabaseAway(error.sqlstate or "connection lost") from error

    async def close(self) -> None:
        """Close all connections."""
        for session in (self._queue, self._booking, self._clock, self._webhooks, self._exports):
            await session.close()


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _receipt(value: object) -> bytes:
    return value.encode() if isinstance(value, str) else b"{}"
