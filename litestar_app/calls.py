"""The only SQL of the front: the doors of schema `gateway`, and the connections they go through.

`Road` routes batches of calls. `Reads` is a small pool beside it for everything that is not the
road, so that a slow report never holds up a call. Both raise `DatabaseAway` when there is no answer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple

import msgspec
import psycopg
from psycopg import AsyncCursor
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from litestar_app.lane import CONNECTION, FIRST_CONNECT_SECONDS, DatabaseAway, Lane
from onevault.log import get_log

ROUTE: Final = """
select d.status, d.http_status, d.request_id, d.provider, d.model, d.rate_limit, d.rate_remaining,
       d.rate_reset_ms, d.retry_after_ms, d.deadline_ms - floor(extract(epoch from clock_timestamp()) * 1000)::bigint,
       d.message, d.detail, d.queue, d.msg_id, d.work
from gateway.sp_route_requests(%s::jsonb, %s::text, %s::boolean, %s::int) as d
order by d.ordinal
"""
LIST_MODELS: Final = "select gateway.sp_list_models(%s::bytea, %s::text)::text"
GET_USAGE: Final = "select gateway.sp_get_usage(%s::bytea, %s::jsonb, %s::text)::text"
GET_BILLING: Final = "select gateway.sp_get_billing(%s::bytea, %s::text, %s::text)::text"
RECORD_FEEDBACK: Final = "select gateway.sp_record_feedback(%s::bytea, %s::text, %s::numeric, %s::text)::text"
REHASH_TOKEN: Final = "select gateway.sp_rehash_token(%s::bytea, %s::bytea, %s::text)"  # noqa: S105
RETURN_MESSAGES: Final = "select gateway.sp_return_messages(%s::jsonb, 0)::text"
RECLAIM_MESSAGE: Final = "select gateway.sp_reclaim_message(%s::text, %s::bigint, %s::int, %s::bigint)"
READ_METRICS: Final = "select gateway.sp_read_metrics()::text"
CHECK_READY: Final = "select gateway.sp_check_ready()::text"

READ_SECONDS: Final = 15.0

_log = get_log("front.database")
_encode = msgspec.json.Encoder().encode


class Ask(msgspec.Struct, frozen=True, omit_defaults=True):
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
    session: str | None
    client_ip: str | None
    user_agent: str | None
    timeout_ms: int
    idempotency: list[tuple[str, str]] | msgspec.UnsetType = msgspec.UNSET
    needs: list[str] | None = None
    parameters: list[str] | None = None
    service_tier: str | None = None
    searches: int | None = None
    images_out: int | None = None
    image_variant: str | None = None
    audio_in: bool | None = None
    audio_out: bool | None = None
    cache_1h: bool | None = None
    betas: list[str] | None = None
    inputs: int | None = None
    pictures: list[int] | None = None


class Caller(NamedTuple):
    """Who asks a reading door: the token's digest, and the address it is used from as far as it is known."""

    digest: bytes
    client_ip: str | None


class Decision(NamedTuple):
    """What SQL decided: `status` is "routed" or the contract's code of a refusal.

    `left_ms` is how long the call may still take, by the one clock of the database. `work` is the message `msg_id` of
    `queue` if this front is to give it to a worker; otherwise a worker reads it there.
    """

    status: str
    http_status: int
    request_id: str | None
    provider: str | None
    model: str | None
    rate_limit: int | None
    rate_remaining: int | None
    rate_reset_ms: int | None
    retry_after_ms: int | None
    left_ms: int | None
    message: str | None
    detail: str | None
    queue: str | None = None
    msg_id: int | None = None
    work: str | None = None


class Reply(msgspec.Struct, frozen=True):
    """The answer of a reading door: `body` is what the customer gets when status is "ok"."""

    status: str
    http_status: int = 200
    message: str | None = None
    param: str | None = None
    detail: dict[str, Any] | None = None
    body: msgspec.Raw = msgspec.Raw(b"null")


class QueueState(msgspec.Struct, frozen=True):
    """How long a queue is and how old its oldest message."""

    queue: str
    depth: int = 0
    in_flight: int = 0
    oldest_seconds: float | None = None


class Gauges(msgspec.Struct, frozen=True):
    """What the database knows about the gateway's load."""

    queues: list[QueueState] = []
    reservations: int = 0
    dead_messages: int = 0
    resting_offers: int = 0
    webhooks_waiting: int = 0
    webhooks_failed: int = 0
    usage_events_waiting: int = 0
    usage_events_failed: int = 0
    failed_jobs: int = 0
    usage_rolled_up_seconds_ago: float | None = None


class Readiness(msgspec.Struct, frozen=True):
    """Whether the database can take the road, and if not, why."""

    ready: bool
    reason: str | None = None


class Road:
    """The lanes together: routes batches, one batch per free lane."""

    def __init__(self, dsn: str, lanes: int) -> None:
        self._free = [Lane(dsn) for _ in range(lanes)]
        self._all = tuple(self._free)

    async def route(self, asks: list[Ask], reply_to: str, *, notify: bool, room: int) -> list[Decision]:
        """Ask SQL to decide about each request; up to `room` of them may come back with their work.

        Raises `DatabaseAway` or psycopg's error.
        """
        lane = self._free.pop()
        try:
            # Made a second time, a call under a key would be told that the first one is under way.
            again = all(ask.idempotency is msgspec.UNSET for ask in asks)
            rows = await lane.execute(ROUTE, (_encode(asks).decode(), reply_to, notify, room), again=again)
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
            kwargs={"autocommit": True, **CONNECTION},
            min_size=0,
            max_size=4,
            timeout=FIRST_CONNECT_SECONDS,
            reconnect_timeout=5,
            check=AsyncConnectionPool.check_connection,
            open=False,
            name="reads",
        )

    async def open(self) -> None:
        """Start the pool; the database need not be there."""
        await self._pool.open()

    async def close(self) -> None:
        """Close the pool."""
        await self._pool.close()

    async def list_models(self, caller: Caller) -> Reply:
        """The models that the token's customer may use."""
        return await self._reply(LIST_MODELS, *caller)

    async def get_usage(self, caller: Caller, parameters: dict[str, Any]) -> Reply:
        """The customer's usage; parameters: from, to, group_by, limit, after."""
        return await self._reply(GET_USAGE, caller.digest, _encode(parameters).decode(), caller.client_ip)

    async def get_billing(self, caller: Caller, period: str | None) -> Reply:
        """The customer's bill of a month `yyyy-mm`, or the current one."""
        return await self._reply(GET_BILLING, caller.digest, period, caller.client_ip)

    async def record_feedback(self, caller: Caller, request_id: str, score: str) -> Reply:
        """Book a score, decimal text, of one of the customer's own requests."""
        return await self._reply(RECORD_FEEDBACK, caller.digest, request_id, score, caller.client_ip)

    async def rehash_token(self, presented: bytes, current: bytes, key_id: str) -> str:
        """Store a token's digest under the current pepper: done, gone or not_yet."""
        return await self._text(REHASH_TOKEN, presented, current, key_id)

    async def reclaim_message(self, queue: str, msg_id: int, read_ct: int, delivered: int) -> str:
        """Make a message visible again whose worker has died: released, taken (by another worker) or gone.

        `delivered` bytes of its answer's text had gone out.
        """
        return await self._text(RECLAIM_MESSAGE, queue, msg_id, read_ct, delivered)

    async def return_message(self, queue: str, msg_id: int, read_ct: int) -> None:
        """Have a message read by workers that was to be handed to one, and was to none."""
        given = {"queue": queue, "msg_id": msg_id, "read_ct": read_ct}
        await self._text(RETURN_MESSAGES, _encode([given]).decode())

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
