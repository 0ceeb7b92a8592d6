"""What a decision and a booking cost on a vault, history or none: batches in transactions that are rolled back."""

import json
import statistics
from collections.abc import Callable
from typing import Any, Final

import msgspec
import psycopg

from bench.history.reads import used

_BATCH: Final = 50
# A transaction sees every version that it has made of a hot row; a few batches make few.
_BATCHES_TOGETHER: Final = 4
_DIGESTS: Final = """
select encode(p.token_digest, 'hex')
from ops.principal as p
where p.customer_bk like 'history-%%'
order by p.customer_bk, p.token_name
limit %s
"""
_ROUTE: Final = "select r.status from gateway.sp_route_requests(%s::jsonb, 'unix:none', false) as r"
_TAKE: Final = "select r.queue, r.msg_id, r.read_ct, r.message from gateway.sp_read_messages(%s, 60) as r"
_BOOK: Final = "select r.receipt from gateway.sp_record_results(%s::jsonb) as r"
_POSITION: Final = "select pg_current_wal_insert_lsn() - '0/0'"


class Road(msgspec.Struct, frozen=True, kw_only=True):
    """CPU milliseconds of the server and bytes of WAL a call in the median batch: to decide and queue, to book."""

    decide_ms: float
    decide_wal_bytes: float
    book_ms: float
    book_wal_bytes: float


def drive(connection: psycopg.Connection, rounds: int = 25) -> Road:
    """Send four batches of calls down the road and take them back, `rounds` times, as a superuser with autocommit."""
    figures: dict[str, list[float]] = {"decide": [], "book": []}
    written: dict[str, list[float]] = {"decide": [], "book": []}

    def timed(name: str, work: Callable[[], list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
        before = _position(connection)
        begun = used(connection).cpu_ms
        rows = work()
        figures[name].append((used(connection).cpu_ms - begun) / _BATCH)
        written[name].append((_position(connection) - before) / _BATCH)
        return rows

    digests = [row[0] for row in connection.execute(_DIGESTS, (_BATCH,)).fetchall()]
    calls = json.dumps([_call(digest) for digest in digests])

    def turn() -> None:
        routed = timed("decide", lambda: connection.execute(_ROUTE, (calls,)).fetchall())
        assert all(status == "routed" for (status,) in routed), routed
        taken = connection.execute(_TAKE, (_BATCH,)).fetchall()
        results = json.dumps([_result(*message) for message in taken])
        timed("book", lambda: connection.execute(_BOOK, (results,)).fetchall())

    for _ in range(rounds):
        with connection.transaction(force_rollback=True):
            connection.execute("update ops.admission set longest_wait = interval '1000000 hours' where true")
            for _ in range(_BATCHES_TOGETHER):
                turn()
    return Road(
        decide_ms=statistics.median(figures["decide"]),
        decide_wal_bytes=statistics.median(written["decide"]),
        book_ms=statistics.median(figures["book"]),
        book_wal_bytes=statistics.median(written["book"]),
    )


def _position(connection: psycopg.Connection) -> float:
    ((position,),) = connection.execute(_POSITION).fetchall()
    return float(position)


def _call(digest: str) -> dict[str, Any]:
    return {
        "digest": digest,
        "surface": "chat",
        "capability": "chat",
        "request_type": "completion",
        "stream": False,
        "prompt_bytes": 4000,
        "messages": 2,
        "max_output_tokens": 200,
        "ticket": "00" * 16,
        "model": "history-model-03",
    }


def _result(queue: str, msg_id: int, read_ct: int, message: str) -> dict[str, Any]:
    told = json.loads(message)
    common = {"status": "SUCCESS", "class": None, "latency_ms": 900, "first_byte_ms": 300}
    attempt = {
        "number": 1,
        "offer": told["candidates"][0]["offer"],
        "key": None,
        "outcome": "SUCCESS",
        "http_status": 200,
        "output_bytes": 400,
        "usage": {"input_uncached": 900, "output": 100},
        "usage_source": "provider_final",
        **common,
    }
    names = {"request": told["request"], "customer": told["customer"], "queue": queue}
    return {**names, "msg_id": msg_id, "read_ct": read_ct, "attempts": [attempt], **common}
